//! `GET /slowest`: what takes longest. The parameters are those of `/api/v1/answers/slowest`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use manometer_query::answers::{SlowLine, SlowestAnswer, SlowestRequest};

use super::ask::{self, Answered, Fields};
use super::asked::Asked;
use super::layout::Section;
use super::refusal::PageRefusal;
use super::shown::{Count, Seconds, Share, plain_text};
use super::view::slowest::{SlowRow, SlowestPage};
use super::{links, naming};
use crate::state::App;

const FIELDS: Fields = &[
    (
        "of",
        "What",
        &[
            ("", "tests"),
            ("jobs", "jobs"),
            ("steps", "steps"),
            ("builds", "builds"),
            ("services", "services"),
            ("pipelines", "pipelines"),
        ],
        "",
    ),
    ("by", "By", &[("", "p95"), ("total", "total time"), ("growth", "growth of p50")], ""),
    ("project", "Project", &[], "all"),
    ("service", "Service", &[], "all"),
    ("branch", "Branch", &[], "all"),
    ("pipeline", "Pipeline", &[], "all"),
    ("since", "Since", &[], "7d, monday, 2026-11-01"),
    ("min", "At least, times", &[], "5"),
];

/// From this growth on, up or down, a line is no longer called steady.
const STEADY: f64 = 0.1;

/// The page.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> Result<Response, PageRefusal> {
    match ask::ask::<SlowestRequest>(&app, &asked, app.clock.now()).await? {
        Answered::Answer(answer) => ask::page(StatusCode::OK, &page(&answer, None, &asked)),
        Answered::Refusal(status, sentence) => {
            ask::page(status, &page(&SlowestAnswer::default(), Some(sentence), &asked))
        }
    }
}

/// The page of an answer, or of a refusal.
pub(crate) fn page(answer: &SlowestAnswer, refusal: Option<String>, asked: &Asked) -> SlowestPage {
    let mut form = ask::form::<SlowestRequest>("/slowest", FIELDS, asked);
    form.refusal = refusal.as_deref().map(plain_text);
    let largest = answer.lines.iter().filter_map(|line| ranked(answer, line)).fold(0.0, f64::max);
    let order = match answer.by.as_str() {
        "total" => "total time",
        "growth" => "growth of p50",
        _ => "p95",
    };
    SlowestPage {
        layout: asked.layout("Slowest", Section::Slowest),
        form,
        heading: heading(&answer.of, order),
        rows: answer.lines.iter().map(|line| row(answer, line, largest)).collect(),
    }
}

/// `Tests by p95`.
fn heading(things: &str, order: &str) -> String {
    let plain = plain_text(things);
    let mut letters = plain.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{} by {order}", letters.as_str())
}

fn ranked(answer: &SlowestAnswer, line: &SlowLine) -> Option<f64> {
    match answer.by.as_str() {
        "total" => line.total_seconds,
        "growth" => line.growth,
        _ => line.p95_seconds,
    }
}

fn row(answer: &SlowestAnswer, line: &SlowLine, largest: f64) -> SlowRow {
    let value = |column: &str| line.key.get(column).and_then(|value| value.as_deref());
    let project = value("project").unwrap_or_default();
    let url = match value("test_id") {
        Some(id) => links::test(project, value("service"), id),
        None if answer.of == "services" => links::service(project, value("service"), None),
        None => trend_url(answer, line),
    };
    let growth_look = match line.growth {
        Some(growth) if growth >= STEADY => "slower",
        Some(growth) if growth <= -STEADY => "faster",
        _ => "steady",
    };
    SlowRow {
        label: plain_text(&line.label),
        place: if answer.of == "tests" {
            naming::service(project, value("service"))
        } else {
            plain_text(project)
        },
        url,
        count: Count(line.count),
        median: Seconds(line.p50_seconds),
        high: Seconds(line.p95_seconds),
        total: Seconds(line.total_seconds),
        growth: line.growth.map_or_else(|| "–".to_owned(), |growth| format!("{:+.1}%", growth * 100.0)),
        growth_look,
        share: Share(
            ranked(answer, line).filter(|_| largest > 0.0).map(|value| (value / largest).clamp(0.0, 1.0)),
        ),
    }
}

/// The trend of one job, step, build or pipeline.
fn trend_url(answer: &SlowestAnswer, line: &SlowLine) -> String {
    let value = |column: &str| line.key.get(column).and_then(|value| value.as_deref());
    let is_job = answer.of == "jobs";
    links::with_query(
        "/trend",
        &[
            ("measure", Some(answer.measure.as_str())),
            ("project", value("project")),
            ("service", value("service")),
            ("pipeline", value("pipeline")),
            ("job", if is_job { value("name") } else { value("job_name") }),
            ("name", value("name").filter(|_| !is_job)),
        ],
    )
}
