//! `POST /save_metrics`: one finished pipeline as one JSON document, saved once.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderMap};
use manometer_store::Outcome;
use utoipa::ToSchema;

use crate::access::IngestCaller;
use crate::door::read_body;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// What became of the document.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct SavedBody {
    /// `saved`, or `already reported`.
    status: &'static str,
    /// Receipt of the delivery that saved it.
    id: String,
}

/// Saves a pipeline with its jobs and builds, unless it was saved before.
#[utoipa::path(post, path = "/save_metrics", tag = "ingest", security(("token" = ["ingest"])),
    request_body(content = Object, content_type = "application/json",
        description = "project, pipeline_id, ref, created_at, duration; jobs, builds, jobs_failed and further keys"),
    responses(
        (status = 200, description = "saved", body = SavedBody),
        (status = 208, description = "this pipeline was saved before; nothing was changed", body = SavedBody),
        (status = 400, description = "a field is missing or wrong; it is named", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `ingest` or may not write to the project", body = ErrorBody),
        (status = 408, description = "the body arrived too slowly", body = ErrorBody),
        (status = 413, description = "the body is too large", body = ErrorBody),
        (status = 415, description = "the body is not JSON by its content type", body = ErrorBody),
        (status = 503, description = "overloaded or stopping; try again after `Retry-After`", body = ErrorBody),
        (status = 507, description = "the server's disk is full", body = ErrorBody),
    ))]
pub(crate) async fn save(
    State(app): State<App>,
    IngestCaller(caller): IngestCaller,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    check_content_type(&parts.headers)?;
    let most_bytes = app.limits.record_bytes;
    let upload = read_body(body, &parts.headers, most_bytes, &app.upload_memory, &app.timeouts).await?;
    let sent_bytes = upload.bytes.len() as u64;
    let admission = caller.admission(None);
    let delivery = manometer_ingest::save_metrics::prepare(
        &app.store,
        &upload.bytes,
        &admission,
        &app.limits,
        app.clock.now(),
    )?;
    let outcome = app.store.submit(delivery)?.await?;
    let (status, word) = match &outcome {
        Outcome::Committed(receipt) => {
            app.telemetry.committed(receipt.rows.iter(), sent_bytes);
            (StatusCode::OK, "saved")
        }
        Outcome::Known(_) | Outcome::Conflict(_) => (StatusCode::ALREADY_REPORTED, "already reported"),
    };
    Ok((status, Json(SavedBody { status: word, id: outcome.receipt().id.clone() })).into_response())
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = content_type.to_str().unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    let message = format!(
        "the content type `{}` is not JSON: send application/json",
        text.chars().take(64).collect::<String>()
    );
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message))
}
