//! `POST /api/v1/records`: records of the model as NDJSON.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use manometer_ingest::{ContentEncoding, Part};

use super::delivered::{self, ReceiptBody};
use crate::access::IngestCaller;
use crate::door::{self, read_body};
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// A body up to this size that is not packed is read where it is: handing it to another thread would take longer.
const IN_PLACE_BYTES: usize = 8 * 1024;

/// Takes records, one JSON object a line with its kind in `type`.
///
/// A line that cannot be used costs that line and is listed in the receipt. A fact without `at` gets the time of
/// receipt, a test without `test_id` the one made of its names. The body may be packed with gzip, zstd or zip.
#[utoipa::path(post, path = "/api/v1/records", tag = "ingest", security(("token" = ["ingest"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "names this delivery: sent again it has no second effect")),
    request_body(content = String, content_type = "application/x-ndjson",
        description = r#"{"type":"run","provider":"ci","project":"github.com/acme/shop","run_id":"42"}"#),
    responses(
        (status = 201, description = "on disk", body = ReceiptBody),
        (status = 208, description = "this delivery arrived before; its first receipt", body = ReceiptBody),
        (status = 400, description = "the request is wrong", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `ingest` or may not write to a project", body = ErrorBody),
        (status = 408, description = "the body arrived too slowly", body = ErrorBody),
        (status = 409, description = "the key was used for another upload", body = ErrorBody),
        (status = 413, description = "too large, packed or unpacked", body = ErrorBody),
        (status = 415, description = "a content type or encoding that is not understood", body = ErrorBody),
        (status = 422, description = "no line could be used; the problems are listed", body = ErrorBody),
        (status = 503, description = "overloaded or stopping; try again after `Retry-After`", body = ErrorBody),
        (status = 507, description = "the server's disk is full", body = ErrorBody),
    ))]
pub(crate) async fn upload(
    State(app): State<App>,
    IngestCaller(caller): IngestCaller,
    request: Request,
) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let admission = caller.admission(delivered::idempotency_key(&head.headers)?);
    let encoding = delivered::content_encoding(&head.headers)?;
    if door::boundary_of(&head.headers).is_some() {
        let message =
            "records are sent as the body itself, application/x-ndjson; forms go to /api/v1/reports";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message));
    }
    let upload =
        read_body(body, &head.headers, app.limits.body_bytes, &app.upload_memory, &app.timeouts).await?;
    let (bytes, claim) = upload.into_parts();
    let sent_bytes = bytes.len();
    let is_plain = encoding == ContentEncoding::Identity && bytes.first().is_some_and(|first| *first == b'{');
    let part = Part::from_memory("body", bytes).encoded(encoding);
    let received_at = app.clock.now();
    let worker = app.clone();
    let work = move || {
        let _claim = claim;
        manometer_ingest::records::prepare(&worker.store, part, &admission, &worker.limits, received_at)
    };
    let prepared =
        if is_plain && sent_bytes <= IN_PLACE_BYTES { work()? } else { app.decoding.run(work).await?? };
    delivered::answer(&app, prepared, sent_bytes as u64).await
}
