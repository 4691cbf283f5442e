//! `GET /`: every service at a glance.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use manometer_model::Timestamp;
use manometer_query::answers::{ServiceLine, ServicesAnswer, ServicesRequest};

use super::asked::Asked;
use super::drawing::{Day, Sparkline};
use super::heard::Heard;
use super::layout::Section;
use super::refusal::{PageRefusal, PageResult, render};
use super::shown::{Bytes, Count, Moment, Outcome, Seconds, Share, plain_text};
use super::view::range_choices;
use super::view::services::{FirstStepsPage, Head, ServiceRow, ServicesPage, StoreHead, Trend};
use super::{links, naming};
use crate::state::App;

const USUAL_DAYS: u32 = 30;
const WEEK_DAYS: usize = 7;
/// Most services on the page.
const MOST_SERVICES: usize = 500;
const SPARKLINE_WIDTH: usize = 200;

/// The page. `days` chooses the time, `project` one project.
pub(crate) async fn get(State(app): State<App>, headers: HeaderMap, asked: Asked) -> PageResult {
    let days = asked.days(USUAL_DAYS)?;
    let now = app.clock.now();
    let request = ServicesRequest { now, days, project: asked.text("project").map(str::to_owned) };
    let answer = asked.answers(&app).services(&request).await?;
    let stats = asked.sees_everything().then(|| app.store.stats());
    let is_empty = stats.as_ref().is_some_and(|stats| stats.tables.iter().all(|table| table.rows == 0));
    if is_empty {
        let needs_token = app.is_guarded().map_err(|error| PageRefusal::failed(&error.message()))?;
        let server = server_address(&headers);
        return render(&FirstStepsPage {
            layout: asked.layout("Begin", Section::Services),
            server,
            needs_token,
        });
    }
    let store = stats.map(|stats| StoreHead {
        tests: Count(
            stats.tables.iter().filter(|table| table.table == "tests").map(|table| table.rows).sum(),
        ),
        size: Bytes(stats.tables.iter().map(|table| table.segment_bytes).sum::<u64>() + stats.journal_bytes),
    });
    render(&page(&answer, store, &request, &asked))
}

/// The page of an answer.
pub(crate) fn page(
    answer: &ServicesAnswer,
    store: Option<StoreHead>,
    request: &ServicesRequest,
    asked: &Asked,
) -> ServicesPage {
    let ServicesRequest { now, days, project } = request;
    let total = answer.services.len();
    let heard = Heard::of(answer);
    ServicesPage {
        layout: asked.layout("Services", Section::Services),
        ranges: range_choices("/", &[("project", project.as_deref())], *days),
        days: *days,
        head: head(answer, store),
        rows: answer.services.iter().take(MOST_SERVICES).map(|line| row(line, &heard, *days, *now)).collect(),
        of_services: (total > MOST_SERVICES).then_some(Count(total as u64)),
        project: project.as_deref().map(plain_text),
    }
}

fn head(answer: &ServicesAnswer, store: Option<StoreHead>) -> Head {
    let mut per_day = vec![0_u64; answer.days.len()];
    for line in &answer.services {
        for (total, runs) in per_day.iter_mut().zip(&line.runs_per_day) {
            *total += runs.unwrap_or(0);
        }
    }
    let judged: u64 = answer.services.iter().map(|line| line.judged).sum();
    let succeeded: f64 = weighted(answer, |line| (line.success_rate, line.judged));
    let expected: u64 = answer.services.iter().map(|line| line.expected_reports).sum();
    let missing: f64 = weighted(answer, |line| (line.missing_report_share, line.expected_reports));
    Head {
        runs_today: Count(per_day.last().copied().unwrap_or(0)),
        runs_week: (per_day.len() >= WEEK_DAYS).then(|| Count(per_day.iter().rev().take(WEEK_DAYS).sum())),
        success: Share((judged > 0).then(|| succeeded / judged as f64)),
        ended_runs: Count(judged),
        services: Count(answer.services.len() as u64),
        missing: Share((expected > 0).then(|| missing / expected as f64)),
        missing_runs: Count(missing.round() as u64),
        store,
    }
}

/// A share of each service times the runs it is a share of: how many runs that is in all.
fn weighted(answer: &ServicesAnswer, share: impl Fn(&ServiceLine) -> (Option<f64>, u64)) -> f64 {
    answer.services.iter().map(share).map(|(part, runs)| part.unwrap_or(0.0) * runs as f64).sum()
}

fn row(line: &ServiceLine, heard: &Heard<'_>, days: u32, now: Timestamp) -> ServiceRow {
    let failed = line.failed_per_day.iter().copied().chain(std::iter::repeat(0));
    let bars: Vec<Day> =
        heard.runs(line).into_iter().zip(failed).map(|(runs, failed)| Day { runs, failed }).collect();
    let name = naming::service(&line.project, line.service.as_deref());
    ServiceRow {
        url: links::service(&line.project, line.service.as_deref(), Some(days)),
        sparkline: Sparkline::new(&bars, SPARKLINE_WIDTH),
        name,
        project: plain_text(&line.project),
        runs: Count(line.runs),
        success: Share(line.success_rate),
        median: Seconds(line.p50_seconds),
        high: Seconds(line.p95_seconds),
        trend: Trend::new(line.trend),
        last_run: Moment::new(line.last_run_at, now),
        last_outcome: Outcome::of_words(line.last_status.as_deref(), line.last_conclusion.as_deref()),
        missing: Share(line.missing_report_share),
        tests_per_run: line
            .tests_per_run
            .filter(|tests| *tests >= 0.0)
            .map(|tests| Count(tests.round() as u64)),
    }
}

/// The address the browser used, for lines to copy. A host name that could mean something to a shell is replaced.
fn server_address(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_plain = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'));
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    let scheme = if is_tls { "https" } else { "http" };
    if is_plain { format!("{scheme}://{host}") } else { "http://127.0.0.1:8420".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_host_name_never_becomes_a_shell_command() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("x;touch /tmp/y"));
        assert_eq!(server_address(&headers), "http://127.0.0.1:8420");
        headers.insert(HOST, HeaderValue::from_static("[::1]:8420"));
        assert_eq!(server_address(&headers), "http://[::1]:8420");
    }

    #[test]
    fn rates_of_services_are_weighed_by_their_runs() {
        let line = |judged, rate, missing: Option<f64>| ServiceLine {
            judged,
            success_rate: Some(rate),
            expected_reports: if missing.is_some() { judged } else { 0 },
            missing_report_share: missing,
            runs_per_day: vec![None, Some(judged)],
            ..ServiceLine::default()
        };
        let answer = ServicesAnswer {
            days: vec![Timestamp::from_seconds(0), Timestamp::from_seconds(86_400)],
            services: vec![line(90, 1.0, None), line(10, 0.0, Some(0.5))],
        };
        let head = head(&answer, None);
        assert_eq!(head.success.to_string(), "90.0%");
        assert_eq!(head.missing.to_string(), "50.0%");
        assert_eq!((head.missing_runs, head.runs_today, head.runs_week), (Count(5), Count(100), None));
    }
}
