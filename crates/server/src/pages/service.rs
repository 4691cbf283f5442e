//! `GET /service`: one service's runs, how long they take, and its tests that need looking at.

use std::collections::BTreeMap;

use axum::extract::State;
use manometer_model::Timestamp;
use manometer_query::answers::{
    DurationPoint, RunLine, ServiceAnswer, ServiceLine, ServiceRequest, ServicesAnswer, ServicesRequest,
    TestLine,
};

use super::asked::Asked;
use super::chart::{Chart, Line, Point, seconds_of};
use super::heard::Heard;
use super::layout::Section;
use super::refusal::{PageRefusal, PageResult, render};
use super::shown::{Count, Moment, Outcome, Seconds, Share, plain_text, short_sha};
use super::view::service::{RunRow, RunTests, ServicePage, TestRow};
use super::view::services::Trend;
use super::view::{Pager, range_choices};
use super::{links, naming};
use crate::state::App;

const USUAL_DAYS: u32 = 30;
const LONGEST_DAYS: u32 = 366;
const RUNS_ON_A_PAGE: u32 = 50;
const TESTS_IN_A_LIST: u32 = 12;
const DAY_SECONDS: i64 = 86_400;

/// The page. `project` and `service` say which, `days` the time, `branch` only one branch, `page` which of the runs.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> PageResult {
    let request = ServiceRequest {
        project: asked.needed("project")?.to_owned(),
        service: asked.text("service").map(str::to_owned),
        branch: asked.text("branch").map(str::to_owned),
        now: app.clock.now(),
        days: asked.days(USUAL_DAYS)?,
        page: asked.page()?,
        page_size: RUNS_ON_A_PAGE,
        tests: TESTS_IN_A_LIST,
    };
    let answers = asked.answers(&app);
    let Some(answer) = answers.service(&request).await? else {
        return Err(nothing_known(&request).for_caller(asked.signed_in()));
    };
    let project = Some(request.project.clone());
    let all = answers.services(&ServicesRequest { now: request.now, days: request.days, project }).await?;
    render(&page(&answer, &all, &request, &asked))
}

fn nothing_known(request: &ServiceRequest) -> PageRefusal {
    let (project, service) = (&request.project, request.service.as_deref());
    let name = naming::service(project, service);
    let days = request.days;
    PageRefusal::not_found(format!("Nothing is known of the service “{name}” in the last {days} days."))
        .with_way_on("Look back a year", links::service(project, service, Some(LONGEST_DAYS)))
}

/// The page of an answer; `all` is the answer about every service of the project.
pub(crate) fn page(
    answer: &ServiceAnswer,
    all: &ServicesAnswer,
    request: &ServiceRequest,
    asked: &Asked,
) -> ServicePage {
    let ServiceRequest { project, now, days, .. } = request;
    let (service, branch) = (request.service.as_deref(), request.branch.as_deref());
    let name = naming::service(project, service);
    let found = all.services.iter().find(|line| line.service == request.service);
    let line = found.cloned().unwrap_or_default();
    let silent_days = Heard::of(all).runs(&line).iter().filter(|runs| runs.is_none()).count();
    let days_text = days.to_string();
    let since = format!("{days}d");
    let pairs = [("project", Some(project.as_str())), ("service", service), ("branch", branch)];
    let pairs_with_days = [&pairs[..], &[("days", Some(days_text.as_str()))]].concat();
    ServicePage {
        layout: asked.layout(name.clone(), Section::Services),
        name,
        project: plain_text(project),
        branch: branch.map(plain_text),
        ranges: range_choices("/service", &pairs, *days),
        days: *days,
        runs: Count(answer.runs_total),
        success: Share(line.success_rate),
        median: Seconds(line.p50_seconds),
        high: Seconds(line.p95_seconds),
        trend: Trend::new(line.trend),
        missing: Share(line.missing_report_share),
        notes: notes(&line, answer, branch, silent_days),
        chart: chart(&answer.durations, project, *days, *now),
        recent: answer.runs.iter().map(|run| run_row(run, *now)).collect(),
        pager: Pager::new("/service", &pairs_with_days, request.page, request.page_size, answer.runs_total),
        failing: answer.failing_tests.iter().map(|test| test_row(test, request)).collect(),
        slowest: answer.slowest_tests.iter().map(|test| test_row(test, request)).collect(),
        trend_url: links::with_query("/trend", &[&pairs[..], &[("since", Some(since.as_str()))]].concat()),
        compare_url: links::with_query("/compare", &pairs),
        failures_url: links::with_query(
            "/failures",
            &[&pairs[..], &[("since", Some(since.as_str()))]].concat(),
        ),
        sql_url: links::sql(&question(project, service, *days)),
    }
}

/// What is missing or cut, in sentences.
fn notes(
    line: &ServiceLine,
    answer: &ServiceAnswer,
    branch: Option<&str>,
    silent_days: usize,
) -> Vec<String> {
    let mut notes = Vec::new();
    if branch.is_some() {
        notes.push(
            "Rates, p50, p95 and trend are of all branches; chart and lists are of this one.".to_owned(),
        );
    }
    if line.missing_report_share.is_some_and(|share| share > 0.0) {
        let share = Share(line.missing_report_share);
        notes.push(format!(
            "{share} of the runs of pipelines that usually report tests sent no report: what their tests did is not known."
        ));
    }
    if silent_days > 0 {
        let of = line.runs_per_day.len();
        notes.push(format!(
            "Nothing was heard of this project on {silent_days} of {of} days: whether something ran is not known."
        ));
    }
    if answer.durations.len() >= ServiceAnswer::POINTS {
        notes.push(format!(
            "The chart shows the newest {} runs of this time.",
            Count(ServiceAnswer::POINTS as u64)
        ));
    }
    notes
}

/// Every run as a point; p50 and p95 of each day, at its noon.
fn chart(durations: &[DurationPoint], project: &str, days: u32, now: Timestamp) -> Chart {
    let mut by_day: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for run in durations {
        by_day.entry(i64::from(run.started_at.day())).or_default().push(run.duration_seconds);
    }
    let last_day = i64::from(now.day());
    let first_day = last_day - i64::from(days) + 1;
    let (mut times, mut median, mut high) = (Vec::new(), Vec::new(), Vec::new());
    for day in first_day..=last_day {
        let values = by_day.get_mut(&day).map(|values| {
            values.sort_by(f64::total_cmp);
            values.as_slice()
        });
        times.push(day * DAY_SECONDS + DAY_SECONDS / 2);
        median.push(values.and_then(|sorted| quantile(sorted, 0.5)));
        high.push(values.and_then(|sorted| quantile(sorted, 0.95)));
    }
    let lines = vec![
        Line { label: "p50".to_owned(), ink: "median", values: median },
        Line { label: "p95".to_owned(), ink: "high", values: high },
    ];
    let points = durations.iter().map(|run| point(run, project)).collect();
    let moments = (
        Timestamp::from_seconds(first_day * DAY_SECONDS),
        Timestamp::from_seconds((last_day + 1) * DAY_SECONDS),
    );
    Chart::new(moments, times, lines, points)
}

fn point(run: &DurationPoint, project: &str) -> Point {
    let outcome = Outcome::of_words(None, run.conclusion.as_deref());
    let look = if matches!(outcome.look, "good" | "bad") { outcome.look } else { "idle" };
    let named = [run.pipeline.as_deref(), run.branch.as_deref()].into_iter().flatten().map(plain_text);
    let commit = run.commit_sha.as_deref().map(short_sha);
    let words: Vec<String> = named.chain(commit).collect();
    Point {
        at: seconds_of(run.started_at),
        seconds: run.duration_seconds,
        look,
        text: format!("{}, {}\n{}", Seconds::from(run.duration_seconds), outcome.word, words.join(" · ")),
        url: links::run(&run.provider, project, &run.run_id, run.attempt),
    }
}

/// A quantile of sorted values, interpolated between neighbours, as `percentile_cont` of SQL does.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let low = sorted.get(place.floor() as usize)?;
    let high = sorted.get(place.ceil() as usize)?;
    Some(low + (high - low) * place.fract())
}

fn run_row(run: &RunLine, now: Timestamp) -> RunRow {
    RunRow {
        url: links::run(&run.provider, &run.project, &run.run_id, run.attempt),
        label: naming::run(run.number, &run.run_id),
        pipeline: naming::optional(run.pipeline.as_ref()),
        branch: naming::optional(run.branch.as_ref()),
        commit: run.commit_sha.as_deref().map(short_sha).unwrap_or_default(),
        trigger: naming::optional(run.trigger.as_ref()),
        attempt: run.attempt,
        outcome: Outcome::of_words(run.status.as_deref(), run.conclusion.as_deref()),
        when: Moment::new(run.started_at.or(run.queued_at).or(run.finished_at), now),
        queue: Seconds(run.queue_seconds),
        duration: Seconds(run.duration_seconds),
        tests: run.tests.map(|counts| RunTests {
            total: Count(counts.total()),
            failed: Count(counts.failed + counts.error),
        }),
    }
}

fn test_row(test: &TestLine, request: &ServiceRequest) -> TestRow {
    TestRow {
        url: links::test(&request.project, request.service.as_deref(), &test.test_id.to_string()),
        name: naming::test(&test.name, test.parameters.as_deref()),
        place: naming::test_place(test.suite.as_deref(), test.classname.as_deref()),
        executions: Count(test.executions),
        failures: Count(test.failures),
        failure_share: Share::of(test.failures, test.executions),
        median: Seconds(test.p50_seconds),
        last: Moment::new(test.last_at, request.now),
    }
}

fn question(project: &str, service: Option<&str>, days: u32) -> String {
    let of_service = match service {
        Some(name) => format!("service = {}", links::sql_literal(name)),
        None => "service is null".to_owned(),
    };
    format!(
        "select date_trunc('day', started_at) as day, pipeline, count(*) as runs,\n       \
         avg(case when conclusion = 'success' then 1.0 else 0.0 end) as success_rate,\n       \
         percentile_cont(0.5) within group (order by duration_seconds) as p50_seconds\n\
         from runs\n\
         where project = {} and {of_service}\n  \
         and started_at > now() - interval '{days} days'\n\
         group by 1, 2\norder by 1 desc, 2",
        links::sql_literal(project)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_runs_is_a_hole_in_the_line_and_not_a_zero() {
        let now = Timestamp::from_seconds(10 * DAY_SECONDS + 60);
        let run = |day: i64, seconds| DurationPoint {
            started_at: Timestamp::from_seconds(day * DAY_SECONDS + 5),
            duration_seconds: seconds,
            ..DurationPoint::default()
        };
        let chart = chart(&[run(8, 10.0), run(8, 30.0), run(10, 5.0)], "p", 3, now);
        assert_eq!(chart.lines[0].values, [Some(20.0), None, Some(5.0)]);
        assert_eq!(chart.times[0], 8 * DAY_SECONDS + DAY_SECONDS / 2);
        assert_eq!(chart.points.len(), 3);
    }

    #[test]
    fn quantiles_are_those_of_sql() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[4.0], 0.95), Some(4.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.5));
    }

    #[test]
    fn a_name_with_a_quote_cannot_leave_its_literal_in_the_question() {
        let text = question("a'b", Some("c'; select 1 --"), 7);
        assert!(text.contains("project = 'a''b' and service = 'c''; select 1 --'"), "{text}");
    }
}
