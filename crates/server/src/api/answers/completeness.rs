//! `GET /api/v1/answers/completeness`: what is complete, and what is missing.

use axum::Json;
use axum::extract::{RawQuery, State};
use manometer_query::answers::{Answers, CompletenessAnswer, CompletenessRequest};

use crate::access::QueryCaller;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// Days where the caller does not say.
const USUAL_DAYS: u32 = 30;
const MOST_DAYS: u32 = 366;
/// Runs listed where the caller does not say, and at the most.
const USUAL_LISTED: u32 = 100;
const MOST_LISTED: u32 = 10_000;

/// The share of runs with all jobs, with test reports and with coverage, per service and day; the runs that lack
/// something; the days of which a provider told nothing.
///
/// Runs that ended with success, failure, timed_out or error count. What a run should bring is known from its like: a job
/// that reports tests in at least half of its executions is expected to. A share is null where nothing is expected, a day
/// is null where no run is known.
#[utoipa::path(get, path = "/api/v1/answers/completeness", tag = "query", security(("token" = ["query"])),
    params(
        ("days" = Option<u32>, Query, description = "how many days, today included, 1 to 366; 30 where not said"),
        ("project" = Option<String>, Query, description = "only this repository: github.com/acme/shop"),
        ("service" = Option<String>, Query, description = "only this service"),
        ("limit" = Option<u32>, Query, description = "most runs listed that lack something, 1 to 10000; 100 where not said"),
    ),
    responses(
        (status = 200, description = "days; services, each with `per_day` and `total`; `missing` runs, newest first, of `missing_total`; `silent_days`", body = Object),
        (status = 400, description = "a parameter is not known or out of range", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `query`", body = ErrorBody),
        (status = 503, description = "too many queries; try again after `Retry-After`", body = ErrorBody),
    ))]
pub(crate) async fn get(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Json<CompletenessAnswer>, ApiError> {
    let mut request = CompletenessRequest {
        now: app.clock.now(),
        days: USUAL_DAYS,
        project: None,
        service: None,
        most_missing: USUAL_LISTED,
    };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "days" => request.days = number("days", &value, MOST_DAYS)?,
            "limit" => request.most_missing = number("limit", &value, MOST_LISTED)?,
            "project" => request.project = Some(value.into_owned()),
            "service" => request.service = Some(value.into_owned()),
            other => {
                let shown: String = other.chars().take(64).collect();
                let message =
                    format!("`{shown}` is not a parameter here: there are days, project, service and limit");
                return Err(ApiError::bad_request("parameter", message));
            }
        }
    }
    let answers = Answers::new(app.engine.clone(), app.source(), caller.access());
    Ok(Json(answers.completeness(&request).await?))
}

fn number(name: &str, value: &str, most: u32) -> Result<u32, ApiError> {
    value
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| ApiError::bad_request("parameter", format!("{name}: a number from 1 to {most}")))
}
