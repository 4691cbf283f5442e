//! `GET /trend`: a measure over time. The parameters are those of `/api/v1/answers/trend`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use manometer_model::Timestamp;
use manometer_query::answers::{Bucket, Figures, Series, TrendAnswer, TrendRequest, Unit};

use super::ask::{self, Answered, Fields, MEASURES};
use super::asked::Asked;
use super::chart::{Chart, Line, seconds_of};
use super::layout::Section;
use super::refusal::PageRefusal;
use super::shown::{Count, plain_text};
use super::view::trend::{FigureRow, TrendPage};
use crate::state::App;

const FIELDS: Fields = &[
    ("measure", "Measure", MEASURES, ""),
    (
        "group",
        "One line for each",
        &[
            ("", "(all together)"),
            ("service", "service"),
            ("project", "project"),
            ("branch", "branch"),
            ("pipeline", "pipeline"),
            ("provider", "CI system"),
            ("job", "job"),
            ("name", "name"),
            ("test", "test"),
            ("pool", "runner pool"),
            ("runner", "runner"),
            ("trigger", "trigger"),
        ],
        "",
    ),
    ("bucket", "By", &[("", "what fits"), ("hour", "hour"), ("day", "day"), ("week", "week")], ""),
    ("project", "Project", &[], "all"),
    ("service", "Service", &[], "all"),
    ("branch", "Branch", &[], "all"),
    ("pipeline", "Pipeline", &[], "all"),
    ("job", "Job", &[], "all"),
    ("name", "Name", &[], "step, test, artifact, sample"),
    ("since", "Since", &[], "30d, monday, 2026-11-01"),
    ("until", "Until", &[], "now"),
];

/// Colours of the lines of groups, in their order.
const INKS: [&str; 8] = ["line-1", "line-2", "line-3", "line-4", "line-5", "line-6", "line-7", "line-8"];
const MOST_ROWS: usize = 400;

/// The page.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> Result<Response, PageRefusal> {
    let answered = ask::ask::<TrendRequest>(&app, &asked, app.clock.now()).await?;
    let (status, shown) = match answered {
        Answered::Answer(answer) => (StatusCode::OK, page(&answer, None, &asked)),
        Answered::Refusal(status, sentence) => {
            (status, page(&TrendAnswer::default(), Some(sentence), &asked))
        }
    };
    ask::page(status, &shown)
}

/// The page of an answer, or of a refusal.
pub(crate) fn page(answer: &TrendAnswer, refusal: Option<String>, asked: &Asked) -> TrendPage {
    let mut form = ask::form::<TrendRequest>("/trend", FIELDS, asked);
    form.refusal = refusal.as_deref().map(plain_text);
    let is_grouped = answer.group.is_some();
    let rows = if is_grouped { groups(answer) } else { buckets(answer) };
    let drawn = match (is_grouped, answer.is_share) {
        (true, true) => "the share of each group",
        (true, false) => "p50 of each group",
        (false, true) => "the share",
        (false, false) => "p50, p95 and p99",
    };
    TrendPage {
        layout: asked.layout("Trend", Section::Trend),
        form,
        meaning: plain_text(&answer.meaning),
        drawn: format!("{drawn}, by {}; a gap is where nothing was measured", word(answer.bucket)),
        notes: notes(answer),
        chart: chart(answer),
        is_share: answer.is_share,
        first: if is_grouped { "Group" } else { "Begins" },
        rows,
    }
}

fn notes(answer: &TrendAnswer) -> Vec<String> {
    let mut notes = Vec::new();
    if answer.groups_left_out > 0 {
        notes.push(format!(
            "{} more groups have fewer values and are not shown: narrow what is asked, or raise `groups` in the address.",
            Count(answer.groups_left_out)
        ));
    }
    let points = answer.series.first().map_or(0, |series| series.points.len());
    if answer.group.is_none() && points > MOST_ROWS {
        notes.push(format!("The table holds the newest {MOST_ROWS} of {points} buckets; CSV holds all."));
    }
    notes
}

const fn word(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Hour => "hour",
        Bucket::Day => "day",
        Bucket::Week => "week",
    }
}

fn chart(answer: &TrendAnswer) -> Chart {
    let times: Vec<i64> = answer
        .series
        .first()
        .map(|series| series.points.iter().map(|point| seconds_of(point.at)).collect())
        .unwrap_or_default();
    let line = |series: &Series, label: String, ink: &'static str, of: fn(&Figures) -> Option<f64>| Line {
        label,
        ink,
        values: series.points.iter().map(|point| of(&point.figures)).collect(),
    };
    let of_share: fn(&Figures) -> Option<f64> = |figures| figures.mean;
    let of_median: fn(&Figures) -> Option<f64> = |figures| figures.p50;
    let lines = match answer.series.as_slice() {
        [only] if answer.group.is_none() && answer.is_share => {
            vec![line(only, "share".to_owned(), "median", of_share)]
        }
        [only] if answer.group.is_none() => vec![
            line(only, "p50".to_owned(), "median", of_median),
            line(only, "p95".to_owned(), "high", |figures| figures.p95),
            line(only, "p99".to_owned(), "idle", |figures| figures.p99),
        ],
        several => several
            .iter()
            .zip(INKS.into_iter().cycle())
            .map(|(series, ink)| {
                line(
                    series,
                    plain_text(&series.label),
                    ink,
                    if answer.is_share { of_share } else { of_median },
                )
            })
            .collect(),
    };
    let from = times.first().copied().unwrap_or_default();
    let until = seconds_of(answer.range.until).max(times.last().copied().unwrap_or_default());
    let moments = (Timestamp::from_seconds(from), Timestamp::from_seconds(until));
    Chart::new(moments, times, lines, Vec::new()).in_unit(&answer.unit)
}

fn buckets(answer: &TrendAnswer) -> Vec<FigureRow> {
    let Some(series) = answer.series.first() else { return Vec::new() };
    let label = |at: Timestamp| {
        let iso = at.to_string();
        let letters = if answer.bucket == Bucket::Hour { 16 } else { 10 };
        iso.get(..letters).unwrap_or_default().replace('T', " ")
    };
    let newest = series.points.iter().rev().take(MOST_ROWS);
    newest.map(|point| row(label(point.at), &point.figures, &answer.unit, "")).collect()
}

fn groups(answer: &TrendAnswer) -> Vec<FigureRow> {
    let coloured = answer.series.iter().zip(INKS.into_iter().cycle());
    coloured.map(|(series, ink)| row(plain_text(&series.label), &series.total, &answer.unit, ink)).collect()
}

fn row(label: String, figures: &Figures, unit: &Unit, ink: &'static str) -> FigureRow {
    FigureRow {
        label,
        count: Count(figures.count),
        mean: unit.show(figures.mean),
        p50: unit.show(figures.p50),
        p95: unit.show(figures.p95),
        p99: unit.show(figures.p99),
        ink,
    }
}
