//! `GET /compare`: a measure before and after, or on two branches. The parameters are those of
//! `/api/v1/answers/compare`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use manometer_model::Timestamp;
use manometer_query::answers::{CompareAnswer, CompareRequest, Compared, Side, Unit};

use super::ask::{self, Answered, Fields, MEASURES};
use super::asked::Asked;
use super::layout::Section;
use super::links;
use super::refusal::PageRefusal;
use super::shown::{Count, Moment, plain_text, short_sha};
use super::view::compare::{ComparePage, Found, Measured, NumberRow, SideRow};
use crate::state::App;

const FIELDS: Fields = &[
    ("measure", "Measure", MEASURES, ""),
    ("quantile", "Verdict about", &[("", "p50"), ("p95", "p95"), ("p99", "p99")], ""),
    ("commit", "Before and after commit", &[], "hash or words of its title"),
    ("merge", "…or merge", &[], "4711"),
    ("date", "…or date", &[], "2026-11-01, yesterday"),
    ("against", "…or other branch", &[], "release/12"),
    ("project", "Project", &[], "all"),
    ("service", "Service", &[], "all"),
    ("branch", "Branch", &[], "the commit's"),
    ("pipeline", "Pipeline", &[], "all"),
    ("job", "Job", &[], "all"),
    ("name", "Name", &[], "step, test, artifact, sample"),
    ("window", "Days on each side", &[], "14"),
];
const LINES: [&str; 4] = ["commit", "merge", "date", "against"];

/// The page.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> Result<Response, PageRefusal> {
    let now = app.clock.now();
    if LINES.iter().all(|name| asked.text(name).is_none()) {
        return ask::page(StatusCode::OK, &page(None, None, &asked, now));
    }
    match ask::ask::<CompareRequest>(&app, &asked, now).await? {
        Answered::Answer(answer) => ask::page(StatusCode::OK, &page(Some(&answer), None, &asked, now)),
        Answered::Refusal(status, sentence) => ask::page(status, &page(None, Some(sentence), &asked, now)),
    }
}

/// The page of an answer, of a refusal, or of a question not yet asked.
pub(crate) fn page(
    answer: Option<&CompareAnswer>,
    refusal: Option<String>,
    asked: &Asked,
    now: Timestamp,
) -> ComparePage {
    let mut form = ask::form::<CompareRequest>("/compare", FIELDS, asked);
    form.refusal = refusal.as_deref().map(plain_text);
    ComparePage {
        layout: asked.layout("Compare", Section::Compare),
        form,
        found: answer.map(|answer| found(answer, asked, now)),
        notes: answer.iter().flat_map(|answer| &answer.notes).map(|note| plain_text(note)).collect(),
    }
}

fn found(answer: &CompareAnswer, asked: &Asked, now: Timestamp) -> Found {
    let effect = match (answer.effect, &answer.effect_word) {
        (Some(delta), Some(word)) => format!("{word} effect: Cliff's delta {delta:+.2}"),
        _ => String::new(),
    };
    let names =
        if answer.anchor.against.is_some() { ["One branch", "Other branch"] } else { ["Before", "After"] };
    Found {
        verdict: plain_text(&answer.verdict),
        look: match answer.direction.as_str() {
            "worse" => "bad",
            "better" => "good",
            _ => "",
        },
        meaning: plain_text(&answer.meaning),
        anchor: anchor(answer),
        sides: vec![
            side(names[0], &answer.before, &answer.unit, now),
            side(names[1], &answer.after, &answer.unit, now),
        ],
        numbers: answer.numbers.iter().map(|number| number_row(number, &answer.unit)).collect(),
        effect,
        trend_url: trend_url(answer, asked),
    }
}

fn anchor(answer: &CompareAnswer) -> String {
    let anchor = &answer.anchor;
    let mut words = Vec::new();
    match (&anchor.commit_sha, &anchor.against) {
        (Some(sha), _) => words.push(format!("Commit {}", short_sha(&plain_text(sha)))),
        (None, Some(against)) => words.push(format!(
            "{} against {}",
            plain_text(anchor.branch.as_deref().unwrap_or_default()),
            plain_text(against)
        )),
        (None, None) => {}
    }
    words.extend(anchor.title.as_deref().map(|title| format!("“{}”", plain_text(title))));
    words.extend(anchor.change_id.as_deref().map(|change| format!("of change {}", plain_text(change))));
    if let Some(at) = anchor.at {
        let when = Moment::new(at, at).absolute();
        words.push(if anchor.commit_sha.is_some() { format!("· its first run began {when}") } else { when });
    }
    words.join(" ")
}

fn side(name: &'static str, side: &Side, unit: &Unit, now: Timestamp) -> SideRow {
    SideRow {
        name,
        words: plain_text(&side.words),
        rows: Count(side.rows),
        runs: Count(side.runs),
        commits: Count(side.commits),
        first: Moment::new(side.first_at, now),
        last: Moment::new(side.last_at, now),
        mean: unit.show(side.mean),
    }
}

fn number_row(number: &Compared, unit: &Unit) -> NumberRow {
    // Each number has a scale of its own: beside a p99 nothing would be seen of a median.
    let ends = [number.before, number.before_high, number.after, number.after_high];
    let largest = ends.into_iter().flatten().fold(0.0, f64::max);
    let measured = |value: Option<f64>, low: Option<f64>, high: Option<f64>| Measured {
        value: unit.show(value),
        interval: interval(low, high, |end| unit.show(Some(end))),
        at: place(value, largest),
        low: place(low, largest),
        high: place(high, largest),
    };
    let relative = |ratio: f64| format!("{:+.1}%", (ratio - 1.0) * 100.0);
    NumberRow {
        name: number.number.clone(),
        is_headline: number.is_headline,
        before: measured(number.before, number.before_low, number.before_high),
        after: measured(number.after, number.after_low, number.after_high),
        change: unit.show_change(number.change),
        change_interval: interval(number.change_low, number.change_high, |end| unit.show_change(Some(end))),
        relative: number.ratio.map(relative).unwrap_or_default(),
        relative_interval: if number.ratio.is_some() {
            interval(number.ratio_low, number.ratio_high, relative)
        } else {
            String::new()
        },
    }
}

fn interval(low: Option<f64>, high: Option<f64>, write: impl Fn(f64) -> String) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", write(low), write(high)),
        _ => "too few values".to_owned(),
    }
}

/// Where a value lies in a drawing whose whole width is the largest, in percent.
fn place(value: Option<f64>, largest: f64) -> String {
    match value {
        Some(value) if largest > 0.0 => format!("{:.2}%", (value / largest).clamp(0.0, 1.0) * 98.0 + 1.0),
        _ => String::new(),
    }
}

/// The trend of the same measure around the same time.
fn trend_url(answer: &CompareAnswer, asked: &Asked) -> String {
    let (since, until) = (answer.range.since.to_string(), answer.range.until.to_string());
    let branch = answer.anchor.branch.as_deref().filter(|_| answer.anchor.against.is_none());
    let mut pairs: Vec<(&str, Option<&str>)> =
        ["measure", "project", "service", "pipeline", "job", "name", "test", "outcome"]
            .into_iter()
            .map(|name| (name, asked.text(name)))
            .collect();
    pairs.extend([
        ("branch", branch),
        ("since", Some(since.as_str())),
        ("until", Some(until.as_str())),
        ("group", answer.anchor.against.as_ref().map(|_| "branch")),
    ]);
    links::with_query("/trend", &pairs)
}
