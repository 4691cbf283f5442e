//! `POST /api/v1/records`: records of the model as NDJSON.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use manometer_ingest::{ContentEncoding, Part};

use super::arriving::{Arrived, Arriving, UploadAnswers};
use super::delivered;
use crate::door;
use crate::error::ApiError;
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
    responses(UploadAnswers))]
pub(crate) async fn upload(State(app): State<App>, arriving: Arriving) -> Result<Response, ApiError> {
    if door::boundary_of(arriving.headers()).is_some() {
        let message =
            "records are sent as the body itself, application/x-ndjson; forms go to /api/v1/reports";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message));
    }
    let Arrived { encoding, bytes, seat, .. } = arriving.read(&app).await?;
    let sent_bytes = bytes.len();
    let is_plain = encoding == ContentEncoding::Identity && bytes.first().is_some_and(|first| *first == b'{');
    let part = Part::from_memory("body", bytes).encoded(encoding);
    let work = move || {
        manometer_ingest::records::prepare(
            seat.store(),
            part,
            &seat.admission,
            seat.limits(),
            seat.received_at,
        )
    };
    let prepared =
        if is_plain && sent_bytes <= IN_PLACE_BYTES { work()? } else { app.decode(work).await?? };
    delivered::answer(&app, prepared, sent_bytes as u64).await
}
