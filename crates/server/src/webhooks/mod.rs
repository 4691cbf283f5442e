//! `POST /webhooks/{provider}` and `/webhooks/{provider}/{source}`: what CI systems tell by themselves.
//!
//! The secret of the place is the sender's credential, checked over the body as it came. A verified delivery is always
//! taken, also one that means nothing here: some senders give a hook up after a few refusals.

pub(crate) mod replay;
mod sources;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use manometer_ingest::Prepared;
use manometer_ingest::webhooks::{self, Hook};
use manometer_providers::{Headers, MOST_BODY_BYTES};
use manometer_store::{Outcome, Treatment};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

pub use sources::Webhooks;

use crate::door::read_body;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// A body up to this size is read where it is: handing it to another thread would take longer.
const IN_PLACE_BYTES: usize = 64 * 1024;

/// What became of a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookBody {
    /// `stored`; `ignored`, because it tells nothing that is kept; `failed`, because it could not be read (it is kept and
    /// can be read again); `known`, because it arrived before.
    status: &'static str,
    /// Receipt of the delivery.
    id: String,
    /// How many values could not be used; `GET /api/v1/deliveries` lists them.
    problem_count: u64,
}

/// The answers to a webhook, for the API's description.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa's derive; the answers themselves are made where they are due")]
pub(crate) enum WebhookAnswers {
    /// on disk, and visible to queries
    #[response(status = 201)]
    Stored(WebhookBody),
    /// on disk; nothing of it is kept as rows
    #[response(status = 202)]
    NotKept(WebhookBody),
    /// this delivery arrived before
    #[response(status = 208)]
    Known(WebhookBody),
    /// not signed, or not with a secret of this place
    #[response(status = 401)]
    NotVerified(ErrorBody<'static>),
    /// no such system, or no secret is configured for it
    #[response(status = 404)]
    NoSuchPlace(ErrorBody<'static>),
    /// the body arrived too slowly
    #[response(status = 408)]
    TooSlow(ErrorBody<'static>),
    /// larger than any webhook
    #[response(status = 413)]
    TooLarge(ErrorBody<'static>),
    /// overloaded or stopping; try again after `Retry-After`
    #[response(status = 503)]
    Overloaded(ErrorBody<'static>),
    /// the server's disk is full
    #[response(status = 507)]
    DiskFull(ErrorBody<'static>),
}

/// Takes a webhook of a CI system, where the place has no name of its own.
#[utoipa::path(post, path = "/webhooks/{provider}", tag = "webhooks",
    params(("provider" = String, Path, description = "github, gitlab, jenkins, …")),
    request_body(content = Object, description = "as the system sends it"),
    responses(WebhookAnswers))]
pub(crate) async fn receive(
    State(app): State<App>,
    Path(provider): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    take(&app, &provider, "", request).await
}

/// Takes a webhook of one of several senders of the same system.
#[utoipa::path(post, path = "/webhooks/{provider}/{source}", tag = "webhooks",
    params(
        ("provider" = String, Path, description = "github, gitlab, jenkins, …"),
        ("source" = String, Path, description = "the place, as configured"),
    ),
    request_body(content = Object, description = "as the system sends it"),
    responses(WebhookAnswers))]
pub(crate) async fn receive_from(
    State(app): State<App>,
    Path((provider, source)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    take(&app, &provider, &source, request).await
}

async fn take(app: &App, provider: &str, source: &str, request: Request) -> Result<Response, ApiError> {
    let hook = find(app, provider, source)?.clone();
    let provider = hook.provider.name();
    let (head, body) = request.into_parts();
    let upload = read_body(body, &head.headers, MOST_BODY_BYTES, &app.upload_memory, &app.timeouts).await?;
    let (bytes, claim) = upload.into_parts();
    let sent_bytes = bytes.len() as u64;
    let headers = head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let request = webhooks::Request {
        headers: Headers::from_pairs(headers),
        query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        body: bytes,
        received_at: app.clock.now(),
    };
    let worker = app.clone();
    let work = move || {
        let _claim = claim;
        read(&worker, &hook, &request)
    };
    let read = if sent_bytes <= IN_PLACE_BYTES as u64 { work() } else { app.decode(work).await? };
    let prepared = read.inspect_err(|refusal| app.telemetry.webhook(provider, refusal.code()))?;
    answer(app, provider, prepared, sent_bytes).await
}

fn find<'a>(app: &'a App, provider: &str, source: &str) -> Result<&'a Hook, ApiError> {
    if let Some(hook) = app.webhooks.find(provider, source) {
        return Ok(hook);
    }
    let shown: String = provider.chars().take(64).collect();
    Err(ApiError::not_found(match manometer_providers::provider(provider) {
        None => format!(
            "`{shown}` is no system webhooks are taken from: known are {}",
            sources::known_providers()
        ),
        Some(_) => format!(
            "no webhooks are taken here: add [[webhooks]] with provider = \"{shown}\" and this place's secret to the settings"
        ),
    }))
}

fn read(app: &App, hook: &Hook, request: &webhooks::Request) -> Result<Prepared, ApiError> {
    hook.verify(request)
        .map_err(|refusal| ApiError::new(StatusCode::UNAUTHORIZED, "not_verified", refusal.to_string()))?;
    Ok(webhooks::prepare(&app.store, hook, request, app.webhooks.rules(), &app.limits)?)
}

/// Commits what was read and answers.
async fn answer(
    app: &App,
    provider: &'static str,
    prepared: Prepared,
    sent_bytes: u64,
) -> Result<Response, ApiError> {
    let (outcome, treatment) = match prepared {
        Prepared::Known(receipt) | Prepared::Conflict(receipt) => {
            (Outcome::Known(receipt), Treatment::default())
        }
        Prepared::Fresh(fresh) => {
            let treatment = fresh.delivery.treatment();
            (app.store.submit(fresh.delivery)?.await?, treatment)
        }
    };
    let (status, word) = match (&outcome, treatment) {
        (Outcome::Committed(receipt), treatment) => {
            app.telemetry.committed(receipt.rows.iter(), sent_bytes);
            let is_stored = treatment == Treatment::Stored;
            (if is_stored { StatusCode::CREATED } else { StatusCode::ACCEPTED }, treatment.as_str())
        }
        (Outcome::Known(_) | Outcome::Conflict(_), _) => (StatusCode::ALREADY_REPORTED, "known"),
    };
    app.telemetry.webhook(provider, word);
    let receipt = outcome.receipt();
    let body = WebhookBody { status: word, id: receipt.id.clone(), problem_count: receipt.problems };
    Ok((status, Json(body)).into_response())
}
