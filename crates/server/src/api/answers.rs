//! `GET /api/v1/answers/…`: questions with typed answers, asked by parameters.

use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use manometer_query::answers::{
    Answers, CompareAnswer, CompareRequest, CompletenessAnswer, CompletenessRequest, FailuresAnswer,
    FailuresRequest, Flat as _, HistoryAnswer, HistoryRequest, ParameterDoc, Question, SlowestAnswer,
    SlowestRequest, TrendAnswer, TrendRequest,
};
use tokio::time::Instant;
use utoipa::IntoResponses;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, RefOr};

use crate::access::{Caller, QueryCaller};
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// Where they are.
const FOLDER: &str = "/api/v1/answers/";

const FORMAT: ParameterDoc = ParameterDoc {
    name: "format",
    value: "FORMAT",
    doc: "json, or csv for the main list of the answer [default: json]",
};

/// A duration, rate or size over time, by hour, day or week, for everything or group by group.
///
/// A bucket without values has a count of 0 and null for every number: a gap is no zero.
#[utoipa::path(get, path = "/api/v1/answers/trend", tag = "answers", security(("token" = ["query"])),
    responses(
        (status = 200, description = "the answer", content((TrendAnswer = "application/json"), (String = "text/csv"))),
        AnswerRefusals,
        (status = 404, description = "what is named is not known", body = ErrorBody),
    ))]
pub(crate) async fn trend(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer::<TrendRequest>(&app, &caller, query).await
}

/// A duration, rate or size before and after a commit, a merge or a date, or on two branches.
///
/// Percentiles or the share of each side, the difference with its 95 % interval, the effect size, and a sentence.
#[utoipa::path(get, path = "/api/v1/answers/compare", tag = "answers", security(("token" = ["query"])),
    responses(
        (status = 200, description = "the answer", content((CompareAnswer = "application/json"), (String = "text/csv"))),
        AnswerRefusals,
        (status = 404, description = "the commit or what else is named is not known; near ones are named", body = ErrorBody),
    ))]
pub(crate) async fn compare(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer::<CompareRequest>(&app, &caller, query).await
}

/// Tests, jobs, steps, builds, services or pipelines by p95, by total time, or by growth.
#[utoipa::path(get, path = "/api/v1/answers/slowest", tag = "answers", security(("token" = ["query"])),
    responses(
        (status = 200, description = "the answer", content((SlowestAnswer = "application/json"), (String = "text/csv"))),
        AnswerRefusals,
        (status = 404, description = "what is named is not known", body = ErrorBody),
    ))]
pub(crate) async fn slowest(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer::<SlowestRequest>(&app, &caller, query).await
}

/// Failures of tests by cause: how often, since when, where, since which commit; new ones marked.
#[utoipa::path(get, path = "/api/v1/answers/failures", tag = "answers", security(("token" = ["query"])),
    responses(
        (status = 200, description = "the answer", content((FailuresAnswer = "application/json"), (String = "text/csv"))),
        AnswerRefusals,
        (status = 404, description = "what is named is not known", body = ErrorBody),
    ))]
pub(crate) async fn failures(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer::<FailuresRequest>(&app, &caller, query).await
}

/// One test: its executions, how they ended and how long they took, by branch and by commit.
#[utoipa::path(get, path = "/api/v1/answers/history", tag = "answers", security(("token" = ["query"])),
    responses(
        (status = 200, description = "the answer", content((HistoryAnswer = "application/json"), (String = "text/csv"))),
        AnswerRefusals,
        (status = 404, description = "the test is not known; near ones are named", body = ErrorBody),
    ))]
pub(crate) async fn history(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer::<HistoryRequest>(&app, &caller, query).await
}

/// What is complete and what is missing: jobs, test reports and coverage, by service and day.
///
/// Runs that ended with success, failure, timed_out or error count. What a run should bring is known from its like: a job
/// that reports tests in at least half of its executions is expected to. A share is null where nothing is expected, a day
/// is null where no run is known.
#[utoipa::path(get, path = "/api/v1/answers/completeness", tag = "answers", security(("token" = ["query"])),
    responses(
        (status = 200, description = "the answer", content((CompletenessAnswer = "application/json"), (String = "text/csv"))),
        AnswerRefusals,
    ))]
pub(crate) async fn completeness(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer::<CompletenessRequest>(&app, &caller, query).await
}

/// The refusals every question has, for the API's description.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by utoipa's derive; the answers themselves are made where they are due")]
enum AnswerRefusals {
    /// a parameter is unknown or has a value it does not take
    #[response(status = 400)]
    Wrong(ErrorBody<'static>),
    /// no valid token
    #[response(status = 401)]
    NoToken(ErrorBody<'static>),
    /// the token lacks the scope `query`
    #[response(status = 403)]
    NotAllowed(ErrorBody<'static>),
    /// the query met a limit of time or memory
    #[response(status = 422)]
    TooMuch(ErrorBody<'static>),
    /// too many queries; try again after `Retry-After`
    #[response(status = 503)]
    Overloaded(ErrorBody<'static>),
}

async fn answer<Q: Question>(
    app: &App,
    caller: &Caller,
    query: Option<String>,
) -> Result<Response, ApiError> {
    let mut is_csv = false;
    let mut pairs = Vec::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name == FORMAT.name {
            is_csv = match value.as_ref() {
                "json" => false,
                "csv" => true,
                _ => return Err(ApiError::bad_request("parameter", "format: json or csv")),
            };
        } else {
            pairs.push((name.into_owned(), value.into_owned()));
        }
    }
    let started = Instant::now();
    let answers = Answers::new(app.engine.clone(), app.source(), caller.access());
    let answered = answers.ask::<Q>(pairs, app.clock.now()).await;
    app.telemetry.queried(started.elapsed());
    let answer = answered?;
    if is_csv {
        return Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], answer.csv()).into_response());
    }
    let body = serde_json::to_vec(&answer).map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// Describes the parameters of every question, from the one list each has of them.
pub(crate) fn describe_parameters(document: &mut OpenApi) {
    describe::<TrendRequest>(document);
    describe::<CompareRequest>(document);
    describe::<SlowestRequest>(document);
    describe::<FailuresRequest>(document);
    describe::<HistoryRequest>(document);
    describe::<CompletenessRequest>(document);
}

fn describe<Q: Question>(document: &mut OpenApi) {
    let path = format!("{FOLDER}{}", Q::WORD);
    let Some(operation) = document.paths.paths.get_mut(&path).and_then(|item| item.get.as_mut()) else {
        return;
    };
    let parameters = Q::parameters().into_iter().chain([FORMAT]).map(|known| RefOr::T(parameter(known)));
    operation.parameters.get_or_insert_default().extend(parameters);
}

fn parameter(known: ParameterDoc) -> Parameter {
    ParameterBuilder::new()
        .name(known.name)
        .parameter_in(ParameterIn::Query)
        .description(Some(known.doc))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}
