//! `GET /api/openapi.json`: the routes, for programs.

use std::sync::Arc;

use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::delivered::ReceiptBody;
use crate::error::ErrorBody;
use crate::webhooks::WebhookBody;

/// The document, written once.
#[derive(Debug, Clone)]
pub(crate) struct Document(Arc<Bytes>);

impl Document {
    pub(crate) fn new(document: &utoipa::openapi::OpenApi) -> Self {
        let text = document.to_pretty_json().unwrap_or_default();
        Self(Arc::new(Bytes::from(text)))
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Manometer",
        description = "The gauge on a company's pipelines: takes in what CI/CD produces and answers questions about it.",
    ),
    tags(
        (name = "ingest", description = "sending reports and records"),
        (name = "receivers", description = "sending from what was made for InfluxDB or Prometheus"),
        (name = "webhooks", description = "what CI systems tell by themselves"),
        (name = "polling", description = "what the APIs of CI systems are asked for"),
        (name = "query", description = "asking questions"),
        (name = "answers", description = "questions with typed answers"),
        (name = "health", description = "looking after the server"),
    ),
    components(schemas(ErrorBody, ReceiptBody, WebhookBody)),
)]
struct Description;

/// What the document says besides the routes.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let mut document = Description::openapi();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("mano_…")
        .description(Some("a token of `manometer token create`; an open loopback server needs none"))
        .build();
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
    document
}

/// This description of all routes.
#[utoipa::path(get, path = "/api/openapi.json", tag = "health", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub(crate) async fn document(Extension(document): Extension<Document>) -> Response {
    ([(CONTENT_TYPE, "application/json")], Bytes::clone(&document.0)).into_response()
}
