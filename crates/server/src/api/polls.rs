//! `/api/v1/polls`: how polling stands, and history on request.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{AdminCaller, QueryCaller};
use crate::door::read_body;
use crate::error::{ApiError, ErrorBody};
use crate::poll::PollState;
use crate::state::App;

/// Largest body of a request: two short texts.
const BODY_BYTES: usize = 64 * 1024;

/// Every poll.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PollsBody {
    /// In the order of the settings.
    polls: Vec<PollState>,
}

/// Which history is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackfillBody {
    /// The poll, as `GET /api/v1/polls` names it: `github/acme/shop`.
    poll: String,
    /// From when on, in RFC 3339: `2026-01-31T00:00:00Z`.
    #[schema(format = DateTime)]
    since: String,
}

/// How polling stands: last sweep, until when it waits and why, what is left of the budget.
#[utoipa::path(get, path = "/api/v1/polls", tag = "polling", security(("token" = ["query"])), responses(
    (status = 200, description = "every poll of the settings", body = PollsBody),
    (status = 401, description = "no valid token", body = ErrorBody),
    (status = 403, description = "the token lacks the scope `query`, or is limited to some projects", body = ErrorBody),
))]
pub(crate) async fn list(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
) -> Result<Json<PollsBody>, ApiError> {
    if caller.projects().is_some() {
        let message = "polls name projects of everybody: use a token that is not limited to some";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "project", message));
    }
    Ok(Json(PollsBody { polls: app.polls.states() }))
}

/// Asks for the history of a poll from a moment on.
///
/// The request is on disk when it is answered; the server works it off within the budget, after what is recent, and
/// goes on after a restart. `GET /api/v1/polls` shows how far it is. A history that is under way is never shortened.
#[utoipa::path(post, path = "/api/v1/polls/backfill", tag = "polling", security(("token" = ["admin"])),
    request_body = BackfillBody,
    responses(
        (status = 202, description = "it is noted", body = PollState),
        (status = 400, description = "the body is not as described, or the time is in the future", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `admin`", body = ErrorBody),
        (status = 404, description = "no such poll is configured", body = ErrorBody),
        (status = 408, description = "the body arrived too slowly", body = ErrorBody),
        (status = 413, description = "the body is larger than 64 KiB", body = ErrorBody),
        (status = 503, description = "overloaded; try again after `Retry-After`", body = ErrorBody),
    ))]
pub(crate) async fn backfill(
    State(app): State<App>,
    AdminCaller(caller): AdminCaller,
    request: Request,
) -> Result<(StatusCode, Json<PollState>), ApiError> {
    let (head, body) = request.into_parts();
    let body = read_body(body, &head.headers, BODY_BYTES, &app.upload_memory, &app.timeouts).await?;
    let (bytes, _claim) = body.into_parts();
    let asked: BackfillBody = serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::bad_request("body", format!("the body is not as described: {error}")))?;
    let now = app.clock.now();
    let since =
        Timestamp::parse_rfc3339(&asked.since).ok().filter(|since| *since < now).ok_or_else(|| {
            let shown: String = asked.since.chars().take(64).collect();
            ApiError::bad_request(
                "since",
                format!("since: `{shown}` is no time of the past as 2026-01-31T00:00:00Z"),
            )
        })?;
    tracing::info!(by = caller.token_name(), poll = asked.poll, %since, "history is asked for");
    let worker = app.clone();
    let name = asked.poll.clone();
    let work = move || worker.polls.ask_for_history(&name, since, &worker.store, now);
    let state = tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?;
    match state.map_err(|error| ApiError::internal(&error))? {
        Some(state) => Ok((StatusCode::ACCEPTED, Json(state))),
        None => {
            let shown: String = asked.poll.chars().take(128).collect();
            let message = format!(
                "`{shown}` is not polled: GET /api/v1/polls lists what is, [[poll]] in the settings adds to it"
            );
            Err(ApiError::not_found(message))
        }
    }
}
