//! `POST /api/v1/store/retention` and `GET /api/v1/store`: what the store holds, and what of it is over.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use manometer_store::Detail;

use crate::access::AdminCaller;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// The one value of a query string that has one parameter at most.
fn only_parameter(query: Option<&str>, known: &str) -> Result<Option<String>, ApiError> {
    let mut found = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != known {
            let name: String = name.chars().take(64).collect();
            let message = format!("`{name}` is not a parameter here: there is only {known}");
            return Err(ApiError::bad_request("parameter", message));
        }
        found = Some(value.into_owned());
    }
    Ok(found)
}

/// What the store holds, by table and time, and the days on which it goes.
#[utoipa::path(get, path = "/api/v1/store", tag = "health", security(("token" = ["admin"])),
    params(("by" = Option<String>, Query, description = "`table` (where not said), `month` or `day`")),
    responses(
        (status = 200, description = "an array: table, period, rows, bytes, oldest, newest, terms, removals",
            body = Object),
        (status = 400, description = "no such way to tell", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `admin`", body = ErrorBody),
    ))]
pub(crate) async fn holdings(
    State(app): State<App>,
    AdminCaller(_): AdminCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let detail = match only_parameter(query.as_deref(), "by")?.as_deref() {
        None | Some("table") => Detail::Table,
        Some("month") => Detail::Month,
        Some("day") => Detail::Day,
        Some(_) => return Err(ApiError::bad_request("parameter", "by: table, month or day")),
    };
    Ok(Json(app.store.snapshot().holdings(detail, app.store.retention())).into_response())
}

/// Removes rows that are older than their table keeps them, now, or tells what would go.
///
/// The server does it by itself once a day, a little at a time; deliveries and questions go on meanwhile.
#[utoipa::path(post, path = "/api/v1/store/retention", tag = "health", security(("token" = ["admin"])),
    params(("dry_run" = Option<bool>, Query, description = "`true`: only tell what would go")),
    responses(
        (status = 200, description = "what was removed, by table; of a dry run an array of what would be",
            body = Object),
        (status = 400, description = "dry_run is neither true nor false", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `admin`", body = ErrorBody),
        (status = 503, description = "the store cannot write; see `/ready`", body = ErrorBody),
        (status = 507, description = "no space left; it goes on by itself when there is some", body = ErrorBody),
    ))]
pub(crate) async fn retain(
    State(app): State<App>,
    AdminCaller(caller): AdminCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let dry_run = match only_parameter(query.as_deref(), "dry_run")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(ApiError::bad_request("parameter", "dry_run: true or false")),
    };
    let (store, now) = (app.store.clone(), app.clock.now());
    let work = move || -> Result<Response, ApiError> {
        if dry_run {
            return Ok(Json(store.snapshot().retention_plan(store.retention(), now)?).into_response());
        }
        Ok(Json(store.retain()?).into_response())
    };
    if !dry_run {
        tracing::info!(by = caller.token_name(), "removing what is older than its term");
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?
}
