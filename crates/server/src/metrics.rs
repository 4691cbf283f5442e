//! `GET /metrics`: the server's own numbers.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::access::QueryCaller;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// The server's own numbers, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "health", security(("token" = ["query"])), responses(
    (status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"),
    (status = 401, description = "no valid token", body = ErrorBody),
    (status = 403, description = "the token lacks the scope `query`", body = ErrorBody),
))]
pub(crate) async fn exposition(State(app): State<App>, _caller: QueryCaller) -> Result<Response, ApiError> {
    let text =
        app.telemetry.exposition(app.decoding.waiting()).map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
