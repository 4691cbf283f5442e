//! `POST /api/v1/deliveries/{receipt}/replay`: reads a webhook again that was kept as it came.

use axum::extract::{Path, State};
use axum::response::Response;
use manometer_ingest::webhooks::prepare_again;
use manometer_providers::provider;

use super::{WebhookBody, answer};
use crate::access::AdminCaller;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// Reads a webhook again, with the readers of this version.
///
/// What it tells merges with what is known; steps and the like that are stored already are not stored again. The replay
/// is a delivery of its own, with its own receipt.
#[utoipa::path(post, path = "/api/v1/deliveries/{receipt}/replay", tag = "webhooks", security(("token" = ["admin"])),
    params(("receipt" = String, Path, description = "receipt of the delivery, as `GET /api/v1/deliveries` lists it")),
    responses(
        (status = 201, description = "read, on disk, and visible to queries", body = WebhookBody),
        (status = 202, description = "read; nothing of it is kept as rows", body = WebhookBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `admin`", body = ErrorBody),
        (status = 404, description = "it was not kept as it came, or not that long", body = ErrorBody),
        (status = 503, description = "overloaded or stopping; try again after `Retry-After`", body = ErrorBody),
    ))]
pub(crate) async fn again(
    State(app): State<App>,
    AdminCaller(caller): AdminCaller,
    Path(receipt): Path<String>,
) -> Result<Response, ApiError> {
    tracing::info!(by = caller.token_name(), receipt, "reading a delivery again");
    let worker = app.clone();
    let work = move || {
        let now = worker.clock.now();
        prepare_again(&worker.store, &receipt, worker.webhooks.rules(), &worker.limits, now)
    };
    let prepared = app.decode(work).await??;
    let name = match &prepared {
        manometer_ingest::Prepared::Fresh(fresh) => provider(&fresh.delivery.info().source),
        _ => None,
    };
    answer(&app, name.map_or("unknown", |known| known.name()), prepared, 0).await
}
