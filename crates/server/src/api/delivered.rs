//! From an upload that was read to the answer its sender gets; the same for every door.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use manometer_ingest::{ContentEncoding, FileReport, Fresh, Name, Prepared};
use manometer_model::Problems;
use manometer_store::{Outcome, Receipt};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::state::App;

/// The receipt of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptBody {
    /// `committed`: on disk with this request; `known`: it was before.
    status: &'static str,
    /// Unique; sorts by time of arrival.
    id: String,
    /// When it arrived first.
    #[schema(value_type = String, format = DateTime)]
    received_at: manometer_model::Timestamp,
    /// Rows taken, by table.
    rows: std::collections::BTreeMap<String, u64>,
    /// How many things could not be used.
    problem_count: u64,
    /// Each file of the upload; only with `committed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<FileReport>>,
    /// What could not be used, the first hundred; only with `committed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    problems: Option<Vec<manometer_model::Problem>>,
}

impl ReceiptBody {
    fn of(status: &'static str, receipt: Receipt) -> Self {
        Self {
            status,
            id: receipt.id,
            received_at: receipt.received_at,
            rows: receipt.rows,
            problem_count: receipt.problems,
            files: None,
            problems: None,
        }
    }
}

/// Commits what was read and answers 201, 208 or 409.
pub(super) async fn answer(app: &App, prepared: Prepared, sent_bytes: u64) -> Result<Response, ApiError> {
    let (outcome, files, problems) = match prepared {
        Prepared::Known(receipt) => (Outcome::Known(receipt), Vec::new(), Problems::new()),
        Prepared::Conflict(receipt) => (Outcome::Conflict(receipt), Vec::new(), Problems::new()),
        Prepared::Fresh(fresh) => {
            let Fresh { delivery, files, problems } = *fresh;
            (app.store.submit(delivery)?.await?, files, problems)
        }
    };
    match outcome {
        Outcome::Committed(receipt) => {
            app.telemetry.committed(receipt.rows.iter(), sent_bytes);
            let mut body = ReceiptBody::of("committed", receipt);
            body.files = Some(files);
            body.problems = Some(problems.first);
            Ok((StatusCode::CREATED, Json(body)).into_response())
        }
        Outcome::Known(receipt) => {
            Ok((StatusCode::ALREADY_REPORTED, Json(ReceiptBody::of("known", receipt))).into_response())
        }
        Outcome::Conflict(receipt) => {
            let message = format!(
                "this Idempotency-Key was used for another upload (receipt {}): use a new key for new content",
                receipt.id
            );
            Err(ApiError::new(StatusCode::CONFLICT, "key_reused", message))
        }
    }
}

/// The `Idempotency-Key` of a request.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<Name>, ApiError> {
    const MOST_BYTES: usize = 255;
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    let refused =
        |why: String| ApiError::bad_request("idempotency_key", format!("the Idempotency-Key {why}"));
    let text = header.to_str().map_err(|_| refused("is not plain text".to_owned()))?;
    // The header's draft standard writes the key in quotes; most clients do not.
    let bare = text.trim().trim_matches('"');
    Name::parse(bare, MOST_BYTES).map(Some).map_err(|error| refused(error.to_string()))
}

/// The `Content-Encoding` of a request.
pub(super) fn content_encoding(headers: &HeaderMap) -> Result<ContentEncoding, ApiError> {
    let Some(header) = headers.get(axum::http::header::CONTENT_ENCODING) else {
        return Ok(ContentEncoding::Identity);
    };
    header.to_str().unwrap_or("?").parse().map_err(|error: manometer_ingest::decompress::UnknownEncoding| {
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_encoding", error.to_string())
    })
}
