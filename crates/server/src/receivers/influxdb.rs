//! `POST /write` and `POST /api/v2/write`: line protocol, as InfluxDB 1.x and 2.x take it.
//!
//! The database or bucket is the project. 204 when every line is on disk. A line that is wrong costs itself: the
//! others are stored, and the answer is 400 with `partial write` and each wrong line, as InfluxDB has it.

use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use manometer_ingest::dialects::{Precision, Reading, prepare_line_protocol};
use manometer_ingest::{Name, Part};
use utoipa::ToSchema;

use super::credentials::as_bearer;
use super::refusal::Shape;
use crate::api::arriving::{Arrived, Arriving};
use crate::error::ApiError;
use crate::state::App;

/// A refusal as InfluxDB 1.x writes it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read by utoipa's derive; refusals are written in `refusal`")]
pub(crate) struct Influxdb1Refusal {
    /// What is wrong.
    error: String,
}

/// A refusal as InfluxDB 2.x writes it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "read by utoipa's derive; refusals are written in `refusal`")]
pub(crate) struct Influxdb2Refusal {
    /// A fixed word.
    code: String,
    /// What is wrong.
    message: String,
}

/// Takes line protocol from senders made for InfluxDB 1.x.
///
/// A token is the password of `u` and `p`, of basic authentication, or `Authorization: Token`. The body may be
/// packed with gzip.
#[utoipa::path(post, path = "/write", tag = "receivers", security(("token" = ["ingest"])),
    params(
        ("db" = String, Query, description = "database: the project of what has no tag `project`"),
        ("precision" = Option<String>, Query, description = "of timestamps: n (default), u, ms, s, m, h"),
    ),
    request_body(content = String, content_type = "text/plain",
        description = "ci_build,service=payments,branch=main duration_seconds=12.5,commit_sha=\"9f3c2a1\""),
    responses(
        (status = 204, description = "every line is on disk"),
        (status = 400, description = "a parameter or some lines are wrong; the other lines are on disk", body = Influxdb1Refusal),
        (status = 401, description = "no valid token", body = Influxdb1Refusal),
        (status = 403, description = "the token may not write there", body = Influxdb1Refusal),
        (status = 408, description = "the body arrived too slowly", body = Influxdb1Refusal),
        (status = 413, description = "too large, packed or unpacked", body = Influxdb1Refusal),
        (status = 503, description = "overloaded or stopping; try again after `Retry-After`", body = Influxdb1Refusal),
        (status = 507, description = "the server's disk is full", body = Influxdb1Refusal),
    ))]
pub(crate) async fn write_1x(State(app): State<App>, request: Request) -> Response {
    write(&app, request, Shape::Influxdb1, "db").await
}

/// Takes line protocol from senders made for InfluxDB 2.x.
///
/// The token comes as `Authorization: Token` or `Bearer`; `org` is not looked at. The body may be packed with gzip.
#[utoipa::path(post, path = "/api/v2/write", tag = "receivers", security(("token" = ["ingest"])),
    params(
        ("bucket" = String, Query, description = "bucket: the project of what has no tag `project`"),
        ("precision" = Option<String>, Query, description = "of timestamps: ns (default), us, ms, s"),
    ),
    request_body(content = String, content_type = "text/plain",
        description = "ci_build,service=payments,branch=main duration_seconds=12.5,commit_sha=\"9f3c2a1\""),
    responses(
        (status = 204, description = "every line is on disk"),
        (status = 400, description = "a parameter or some lines are wrong; the other lines are on disk", body = Influxdb2Refusal),
        (status = 401, description = "no valid token", body = Influxdb2Refusal),
        (status = 403, description = "the token may not write there", body = Influxdb2Refusal),
        (status = 408, description = "the body arrived too slowly", body = Influxdb2Refusal),
        (status = 413, description = "too large, packed or unpacked", body = Influxdb2Refusal),
        (status = 503, description = "overloaded or stopping; try again after `Retry-After`", body = Influxdb2Refusal),
        (status = 507, description = "the server's disk is full", body = Influxdb2Refusal),
    ))]
pub(crate) async fn write_2x(State(app): State<App>, request: Request) -> Response {
    write(&app, request, Shape::Influxdb2, "bucket").await
}

async fn write(app: &App, request: Request, shape: Shape, place: &'static str) -> Response {
    match taken(app, request, place).await {
        Ok(reading) if reading.refused == 0 => StatusCode::NO_CONTENT.into_response(),
        Ok(reading) => shape.refuse(StatusCode::BAD_REQUEST, &complaint(&reading)),
        Err(refusal) => shape.translate(refusal),
    }
}

async fn taken(app: &App, request: Request, place: &'static str) -> Result<Reading, ApiError> {
    let (mut head, body) = request.into_parts();
    as_bearer(&mut head);
    let arriving = Arriving::from_request(Request::from_parts(head, body), app).await?;
    let Destination { project, precision } =
        destination(arriving.head.uri.query().unwrap_or_default(), place, app.limits.name_bytes)?;
    let Arrived { encoding, bytes, seat, .. } = arriving.read(app).await?;
    let sent_bytes = bytes.len() as u64;
    let part = Part::from_memory("body", bytes).encoded(encoding);
    let work = move || {
        let (store, admission, limits) = (seat.store(), &seat.admission, seat.limits());
        prepare_line_protocol(store, part, project.as_str(), precision, admission, limits, seat.received_at)
    };
    let mut reading = app.decode(work).await??;
    super::commit(app, reading.prepared.take(), sent_bytes).await?;
    Ok(reading)
}

/// Where lines are written to, and how their times are meant.
struct Destination {
    project: Name,
    precision: Precision,
}

fn destination(query: &str, place: &'static str, longest: usize) -> Result<Destination, ApiError> {
    let said = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == wanted).map(|(_, value)| value.into_owned())
    };
    let wrong = |why: String| ApiError::bad_request("parameter", why);
    let project = said(place).filter(|text| !text.trim().is_empty());
    let project = project.ok_or_else(|| {
        // 1.x says `database is required`, and its senders look for it.
        let what = if place == "db" { "database" } else { place };
        wrong(format!("{what} is required: say ?{place}=PROJECT"))
    })?;
    let project = Name::parse(&project, longest).map_err(|error| wrong(format!("{place}: {error}")))?;
    let precision = said("precision").unwrap_or_default().parse();
    let precision = precision.map_err(|error| wrong(format!("precision: {error}")))?;
    Ok(Destination { project, precision })
}

/// What is told of lines that are wrong: all that were kept, and how many there were.
fn complaint(reading: &Reading) -> String {
    let told: Vec<String> = reading.problems.first.iter().map(ToString::to_string).collect();
    let lines = told.join("\n");
    match reading.taken {
        0 => lines,
        _ => format!("partial write: {lines} dropped={}", reading.refused),
    }
}
