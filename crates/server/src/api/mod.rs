//! `/api/…`: one file a route.

pub(crate) mod arriving;
mod delivered;
pub(crate) mod deliveries;
pub(crate) mod openapi;
pub(crate) mod records;
pub(crate) mod reports;
pub(crate) mod sql;
pub(crate) mod store;

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;
use crate::pages;

/// The answer to a path nobody listed: a page for browsers, a refusal for programs.
pub(crate) async fn no_such_route(headers: HeaderMap, uri: Uri) -> Response {
    let accepts_html = headers
        .get(ACCEPT)
        .and_then(|text| text.to_str().ok())
        .is_some_and(|text| text.contains("text/html"));
    if accepts_html && !uri.path().starts_with("/api/") {
        return pages::not_found();
    }
    let path: String = uri.path().chars().take(128).collect();
    ApiError::not_found(format!("there is nothing at {path}: /api/openapi.json lists every route"))
        .into_response()
}

/// The answer to a method a path does not take.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(128).collect();
    let message = format!("{path} does not take {method}: /api/openapi.json lists what it takes");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method", message)
}
