//! `POST /api/v1/sql`: a question in SQL.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use manometer_query::format::{Format, chunks};
use manometer_query::{LimitOverrides, QueryRequest};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::access::QueryCaller;
use crate::door::read_body;
use crate::error::{ApiError, ErrorBody};
use crate::state::App;

/// Largest question.
const QUESTION_BYTES: usize = 1024 * 1024;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlBody {
    /// One statement that reads.
    sql: String,
    /// `json`, `csv`, `parquet`, `arrow` or `table`; else what the header `Accept` asks for; else `json`.
    format: Option<String>,
    /// Of a `table`: letters in a line, to which long texts are clipped.
    width: Option<usize>,
    /// Tighter limits than the server's own.
    #[serde(default)]
    limits: SqlLimits,
}

/// Tighter limits than the server's own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlLimits {
    /// Longest running time, in seconds.
    seconds: Option<f64>,
    /// Most memory, in bytes.
    memory_bytes: Option<usize>,
    /// Most rows of the answer.
    rows: Option<usize>,
}

/// Answers a question in SQL over every table and view.
///
/// The body is JSON, or the statement itself as `text/plain`. The answer is streamed; when the caller goes away the
/// query stops. A query that fails after its first rows were sent ends the connection early, so that no cut answer
/// is taken for a whole one.
#[utoipa::path(post, path = "/api/v1/sql", tag = "query", security(("token" = ["query"])),
    request_body(content((SqlBody = "application/json"), (String = "text/plain"))),
    responses(
        (status = 200, description = "the rows", content(
            (Object = "application/json"), (String = "text/csv"), (String = "text/plain"),
            (Vec<u8> = "application/vnd.apache.parquet"), (Vec<u8> = "application/vnd.apache.arrow.stream"),
        )),
        (status = 400, description = "the statement or the request is wrong", body = ErrorBody),
        (status = 401, description = "no valid token", body = ErrorBody),
        (status = 403, description = "the token lacks the scope `query`", body = ErrorBody),
        (status = 406, description = "no format that `Accept` takes", body = ErrorBody),
        (status = 408, description = "the body arrived too slowly", body = ErrorBody),
        (status = 413, description = "the statement is too long", body = ErrorBody),
        (status = 415, description = "the body is neither JSON nor plain text", body = ErrorBody),
        (status = 422, description = "the query met a limit of time or memory", body = ErrorBody),
        (status = 503, description = "too many queries; try again after `Retry-After`", body = ErrorBody),
    ))]
pub(crate) async fn query(
    State(app): State<App>,
    QueryCaller(caller): QueryCaller,
    request: Request,
) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let upload = read_body(body, &head.headers, QUESTION_BYTES, &app.upload_memory, &app.timeouts).await?;
    let question = question(&head.headers, &upload.bytes)?;
    let format = match &question.format {
        Some(word) => match word_format(word)? {
            Format::Table { .. } => Format::Table { width: question.width },
            other => other,
        },
        None => accepted_format(&head.headers)?,
    };
    let limits = LimitOverrides {
        seconds: question.limits.seconds,
        memory_bytes: question.limits.memory_bytes,
        rows: question.limits.rows,
    };
    let request = QueryRequest::new(question.sql, caller.access()).with_limits(limits);
    let result = app.engine.query(app.source(), request).await?;
    let timing = Timing { app, started: Instant::now() };
    let stream = chunks(result, format).map(move |chunk| {
        let _lives_as_long_as_the_answer = &timing;
        chunk.inspect_err(|error| tracing::warn!(%error, "a query failed after its first rows were sent"))
    });
    let content_type = HeaderValue::from_static(format.content_type());
    Ok(([(CONTENT_TYPE, content_type)], Body::from_stream(stream)).into_response())
}

/// Notes how long a query took when its answer ends, however it ends.
struct Timing {
    app: App,
    started: Instant,
}

impl Drop for Timing {
    fn drop(&mut self) {
        self.app.telemetry.queried(self.started.elapsed());
    }
}

fn question(headers: &HeaderMap, body: &[u8]) -> Result<SqlBody, ApiError> {
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|text| text.to_str().ok()).unwrap_or("application/json");
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let looks_like_json = body.trim_ascii_start().starts_with(b"{");
    match kind.as_str() {
        // What `curl -d` calls any body; no form has these first letters.
        "application/x-www-form-urlencoded" if looks_like_json => json_question(body),
        "application/json" => json_question(body),
        "text/plain" | "application/sql" => {
            let sql = std::str::from_utf8(body)
                .map_err(|_| ApiError::bad_request("body", "the statement is not UTF-8"))?;
            Ok(SqlBody { sql: sql.to_owned(), format: None, width: None, limits: SqlLimits::default() })
        }
        _ => {
            let message = "the body is a question as application/json, or the statement as text/plain";
            Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message))
        }
    }
}

fn json_question(body: &[u8]) -> Result<SqlBody, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not a question as JSON, {{\"sql\": \"select 1\"}}: {error}");
        ApiError::bad_request("body", message)
    })
}

fn word_format(word: &str) -> Result<Format, ApiError> {
    word.parse().map_err(|_| {
        let shown: String = word.chars().take(64).collect();
        let message = format!("format: `{shown}` is not one of {}", Format::WORDS.join(", "));
        ApiError::bad_request("format", message)
    })
}

/// The first format `Accept` names that there is; JSON where it takes anything or is not sent.
fn accepted_format(headers: &HeaderMap) -> Result<Format, ApiError> {
    let Some(accept) = headers.get(ACCEPT) else { return Ok(Format::Json) };
    let text = accept.to_str().unwrap_or_default();
    let formats =
        text.split(',').filter_map(|range| match range.split(';').next().unwrap_or_default().trim() {
            "*/*" | "application/*" | "application/json" => Some(Format::Json),
            "text/csv" | "text/*" => Some(Format::Csv),
            "text/plain" => Some(Format::Table { width: None }),
            "application/vnd.apache.parquet" => Some(Format::Parquet),
            "application/vnd.apache.arrow.stream" => Some(Format::ArrowStream),
            _ => None,
        });
    let first = formats.into_iter().next();
    first.ok_or_else(|| {
        let message = "Accept takes none of application/json, text/csv, application/vnd.apache.parquet, \
                       application/vnd.apache.arrow.stream";
        ApiError::new(StatusCode::NOT_ACCEPTABLE, "format", message)
    })
}
