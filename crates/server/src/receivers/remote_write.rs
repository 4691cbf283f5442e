//! `POST /api/v1/write`: Prometheus remote-write 1.0.
//!
//! The project is the label `project` of a series, else the parameter `project`, else `prometheus`. Prometheus sends
//! again after 5xx and 429, and drops what is refused with another 4xx, so a fault of this server is never one.

use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use manometer_ingest::Name;
use manometer_ingest::dialects::{RequestError, prepare_remote_write};

use super::credentials::as_bearer;
use super::refusal::Shape;
use crate::api::arriving::{Arrived, Arriving};
use crate::error::ApiError;
use crate::state::App;

/// The project of series that name none.
const DEFAULT_PROJECT: &str = "prometheus";

/// Takes samples from Prometheus and everything else that speaks remote-write 1.0.
///
/// A token is `Authorization: Bearer`, or the password of basic authentication. Stale markers, values that are not
/// finite, exemplars and native histograms are not kept.
#[utoipa::path(post, path = "/api/v1/write", tag = "receivers", security(("token" = ["ingest"])),
    params(("project" = Option<String>, Query, description = "project of series without a label `project`; default prometheus")),
    request_body(content = Vec<u8>, content_type = "application/x-protobuf",
        description = "prometheus.WriteRequest, packed with Snappy (block format)"),
    responses(
        (status = 204, description = "every sample is on disk"),
        (status = 400, description = "not a remote-write request", body = String, content_type = "text/plain"),
        (status = 401, description = "no valid token", body = String, content_type = "text/plain"),
        (status = 403, description = "the token may not write there", body = String, content_type = "text/plain"),
        (status = 408, description = "the body arrived too slowly", body = String, content_type = "text/plain"),
        (status = 413, description = "too large, packed or unpacked", body = String, content_type = "text/plain"),
        (status = 415, description = "another encoding, or remote-write 2.0", body = String, content_type = "text/plain"),
        (status = 503, description = "overloaded or stopping; try again after `Retry-After`", body = String, content_type = "text/plain"),
        (status = 507, description = "the server's disk is full", body = String, content_type = "text/plain"),
    ))]
pub(crate) async fn write(State(app): State<App>, request: Request) -> Response {
    match taken(&app, request).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => Shape::Text.translate(refusal),
    }
}

async fn taken(app: &App, request: Request) -> Result<(), ApiError> {
    let (mut head, body) = request.into_parts();
    as_bearer(&mut head);
    let encoding = check_encoding(&head.headers);
    // Undone by the reader of the message, not by the door.
    head.headers.remove(CONTENT_ENCODING);
    let arriving = Arriving::from_request(Request::from_parts(head, body), app).await?;
    encoding?;
    let project = project(arriving.head.uri.query().unwrap_or_default(), app.limits.name_bytes)?;
    let Arrived { bytes, seat, .. } = arriving.read(app).await?;
    let sent_bytes = bytes.len() as u64;
    let work = move || {
        let (store, admission, limits) = (seat.store(), &seat.admission, seat.limits());
        prepare_remote_write(store, &bytes, project.as_str(), admission, limits, seat.received_at)
    };
    let reading = app.decode(work).await??.map_err(refused)?;
    if let Some(first) = reading.problems.first.first() {
        let (count, first) = (reading.problems.total, first.to_string());
        tracing::debug!(count, first, "not everything of a remote-write request was kept");
    }
    super::commit(app, reading.prepared, sent_bytes).await
}

fn refused(error: RequestError) -> ApiError {
    let message = error.to_string();
    match error {
        RequestError::TooLarge { .. } => ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message),
        RequestError::Version2 => ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message),
        RequestError::NotSnappy(_) | RequestError::NotProtobuf(_) => {
            ApiError::bad_request("unreadable", message)
        }
    }
}

/// Only what 1.0 allows; what is not said counts as that.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"));
    let unsupported =
        |message: String| ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message);
    let encoding = text(CONTENT_ENCODING);
    if !matches!(encoding, "" | "snappy") {
        let shown: String = encoding.chars().take(64).collect();
        return Err(unsupported(format!("the content encoding `{shown}` is not snappy")));
    }
    if text(CONTENT_TYPE).contains("io.prometheus.write.v2") {
        let message = "remote-write 2.0 is not spoken: send 1.0 (protobuf_message: prometheus.WriteRequest)";
        return Err(unsupported(message.to_owned()));
    }
    Ok(())
}

fn project(query: &str, longest: usize) -> Result<Name, ApiError> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let said = pairs.find(|(key, _)| key == "project").map(|(_, value)| value.into_owned());
    let text = said.as_deref().unwrap_or(DEFAULT_PROJECT);
    Name::parse(text, longest)
        .map_err(|error| ApiError::bad_request("parameter", format!("project: {error}")))
}
