//! Refusals in the words of the systems whose senders are refused.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::error::ApiError;

/// Which system's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// InfluxDB 1.x: `{"error": "…"}`.
    Influxdb1,
    /// InfluxDB 2.x: `{"code": "invalid", "message": "…"}`.
    Influxdb2,
    /// Prometheus: text, of which the sender logs the first line.
    Text,
}

impl Shape {
    /// A refusal of this status.
    pub(super) fn refuse(self, status: StatusCode, message: &str) -> Response {
        let (content_type, body) = match self {
            Self::Influxdb1 => ("application/json", json!({ "error": message }).to_string()),
            Self::Influxdb2 => {
                ("application/json", json!({ "code": code(status), "message": message }).to_string())
            }
            Self::Text => ("text/plain; charset=utf-8", format!("{message}\n")),
        };
        (status, [(CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
    }

    /// A refusal of our own in these words; its headers stay, `Retry-After` among them.
    pub(super) fn translate(self, refusal: ApiError) -> Response {
        let told = self.refuse(refusal.status(), refusal.message());
        let mut response = refusal.into_response();
        // Without it the usual body is not written over this one.
        response.extensions_mut().remove::<ApiError>();
        let (parts, body) = told.into_parts();
        *response.body_mut() = Body::new(body);
        response.headers_mut().extend(parts.headers);
        response
    }
}

/// InfluxDB's word for a status.
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 | 408 | 415 => "invalid",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not found",
        413 => "request too large",
        422 => "unprocessable entity",
        429 => "too many requests",
        503 | 507 => "unavailable",
        _ => "internal error",
    }
}
