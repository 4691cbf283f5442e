//! `GET /api/v1/deliveries`: what arrived lately.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use manometer_query::QueryRequest;
use manometer_query::format::{Format, chunks};

use crate::access::QueryCaller;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// Deliveries shown where the caller does not say.
const SHOWN: u32 = 100;

/// Most deliveries shown.
const MOST_SHOWN: u32 = 10_000;

/// The latest deliveries, newest first: when, from whom, what came of them.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "ingest", security(("token" = ["query"])),
    params(("limit" = Option<u32>, Query, description = "how many, 1 to 10000; 100 where not said")),
    responses(
        (status = 200, description = "columns and rows of the table `deliveries`", body = Object),
        (status = 400, description = "the limit is not a number", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `query`", body = ErrorBody),
        (status = 503, description = "too many queries; try again after `Retry-After`", body = ErrorBody),
    ))]
pub(crate) async fn list(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut limit = SHOWN;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "limit" {
            let message = format!(
                "`{}` is not a parameter here: there is only limit",
                name.chars().take(64).collect::<String>()
            );
            return Err(ApiError::bad_request("parameter", message));
        }
        limit = value.parse().ok().filter(|limit| (1..=MOST_SHOWN).contains(limit)).ok_or_else(|| {
            ApiError::bad_request("parameter", format!("limit: a number from 1 to {MOST_SHOWN}"))
        })?;
    }
    let sql = format!("SELECT * FROM deliveries ORDER BY received_at DESC LIMIT {limit}");
    let result = app.engine.query(app.source(), QueryRequest::new(sql, caller.access())).await?;
    let body = Body::from_stream(chunks(result, Format::Json));
    Ok(([(CONTENT_TYPE, Format::Json.content_type())], body).into_response())
}
