//! `GET /test`: one test's history.

use std::collections::BTreeSet;

use axum::extract::State;
use manometer_model::TestId;
use manometer_query::answers::{Execution, FailureGroup, TestAnswer, TestRequest, WeekdayLine};

use super::asked::Asked;
use super::chart::{Chart, Point, seconds_of};
use super::layout::Section;
use super::refusal::{PageRefusal, PageResult, render};
use super::shown::{Clipped, Count, Moment, Outcome, Seconds, Share, plain_text, short_sha};
use super::view::test::{Cell, ExecutionRow, GroupRow, TestPage, WeekdayRow};
use super::view::{Pager, range_choices};
use super::{links, naming};
use crate::state::App;

const USUAL_DAYS: u32 = 90;
const LONGEST_DAYS: u32 = 366;
/// Most executions looked at, newest first.
const MOST_EXECUTIONS: u32 = 2_000;
const EXECUTIONS_ON_A_PAGE: u32 = 50;
const OUTCOMES_IN_THE_STRIP: usize = 90;
const MOST_GROUPS: usize = 20;
const MESSAGE_BYTES: usize = 1_200;
const MESSAGE_LINES: usize = 12;
const LINE_BYTES: usize = 200;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The page. `project`, `service` and `id` say which, `days` the time, `branch` one branch, `page` which executions.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> PageResult {
    let id_text = asked.needed("id")?;
    let test_id: TestId =
        id_text.parse().map_err(|error| asked.bad(format!("`id` in the address: {error}.")))?;
    let days = asked.days(USUAL_DAYS)?;
    let request = TestRequest {
        project: asked.needed("project")?.to_owned(),
        service: asked.text("service").map(str::to_owned),
        test_id,
        branch: asked.text("branch").map(str::to_owned),
        now: app.clock.now(),
        days,
        executions: MOST_EXECUTIONS,
    };
    let page_number = asked.page()?;
    let Some(answer) = asked.answers(&app).test(&request).await? else {
        let explanation = format!("No report of the last {days} days names this test in this service.");
        let further = address(&request, &[("days", Some(&LONGEST_DAYS.to_string()))]);
        let refusal = PageRefusal::not_found(explanation).with_way_on("Look back a year", further);
        return Err(refusal.for_caller(asked.signed_in()));
    };
    render(&page(&answer, &request, page_number, &asked))
}

/// The page of an answer.
pub(crate) fn page(answer: &TestAnswer, request: &TestRequest, page_number: u32, asked: &Asked) -> TestPage {
    let id_text = request.test_id.to_string();
    let pairs = identity(request, &id_text);
    let days_text = request.days.to_string();
    let pairs_with_days = [&pairs[..], &[("days", Some(days_text.as_str()))]].concat();
    let first = page_number as usize * EXECUTIONS_ON_A_PAGE as usize;
    let on_page = answer.executions.iter().skip(first).take(EXECUTIONS_ON_A_PAGE as usize);
    let listed = answer.executions.len() as u64;
    let last_failure = answer.failures.iter().filter_map(|group| group.last_at).max();
    TestPage {
        layout: asked.layout(naming::test(&answer.name, answer.parameters.as_deref()), Section::Tests),
        name: plain_text(&answer.name),
        parameters: naming::optional(answer.parameters.as_ref()),
        place: naming::test_place(answer.suite.as_deref(), answer.classname.as_deref()),
        file: naming::optional(answer.file.as_ref()),
        test_id: id_text.clone(),
        project: plain_text(&request.project),
        service: naming::service(&request.project, request.service.as_deref()),
        service_url: links::service(&request.project, request.service.as_deref(), None),
        branch: request.branch.as_deref().map(plain_text),
        ranges: range_choices("/test", &pairs, request.days),
        days: request.days,
        executions: Count(answer.passed + answer.failed),
        passed: Share(answer.pass_rate),
        failures: Count(answer.failed),
        skipped: Count(answer.skipped),
        rerun_passed: Count(passed_on_rerun(&answer.executions)),
        median: Seconds(answer.p50_seconds),
        high: Seconds(answer.p95_seconds),
        last_failure: Moment::new(last_failure, request.now),
        notes: notes(answer),
        chart: chart(answer, request),
        last: strip(answer, request),
        weekdays: weekdays(&answer.weekdays),
        groups: answer
            .failures
            .iter()
            .take(MOST_GROUPS)
            .map(|group| group_row(group, answer, request))
            .collect(),
        groups_left_out: Count(answer.failures.len().saturating_sub(MOST_GROUPS) as u64),
        history: on_page.map(|execution| execution_row(execution, request)).collect(),
        pager: Pager::new("/test", &pairs_with_days, page_number, EXECUTIONS_ON_A_PAGE, listed),
        sql_url: links::sql(&question(request)),
        trend_url: asked_of_test("/trend", request, &[("since", Some(&format!("{days_text}d")))]),
        compare_url: asked_of_test("/compare", request, &[]),
    }
}

fn identity<'a>(request: &'a TestRequest, id_text: &'a str) -> [(&'static str, Option<&'a str>); 4] {
    [
        ("project", Some(request.project.as_str())),
        ("service", request.service.as_deref()),
        ("id", Some(id_text)),
        ("branch", request.branch.as_deref()),
    ]
}

fn address(request: &TestRequest, more: &[(&str, Option<&str>)]) -> String {
    let id_text = request.test_id.to_string();
    links::with_query("/test", &[&identity(request, &id_text)[..], more].concat())
}

/// A page of a typed answer about the durations of this test.
fn asked_of_test(path: &str, request: &TestRequest, more: &[(&str, Option<&str>)]) -> String {
    let id_text = request.test_id.to_string();
    let pairs = [
        ("measure", Some("test-duration")),
        ("project", Some(request.project.as_str())),
        ("service", request.service.as_deref()),
        ("test", Some(id_text.as_str())),
        ("branch", request.branch.as_deref()),
    ];
    links::with_query(path, &[&pairs[..], more].concat())
}

fn notes(answer: &TestAnswer) -> Vec<String> {
    let counted = answer.passed + answer.failed + answer.skipped;
    let listed = answer.executions.len() as u64;
    if counted <= listed {
        return Vec::new();
    }
    vec![format!(
        "Chart, strip and list show the newest {} of {} executions; all are counted.",
        Count(listed),
        Count(counted)
    )]
}

/// Runs in which the test failed first and passed in the end, among the executions listed.
fn passed_on_rerun(executions: &[Execution]) -> u64 {
    let run_of =
        |execution: &Execution| (execution.provider.clone(), execution.run_id.clone(), execution.run_attempt);
    let failed_before: BTreeSet<_> =
        executions.iter().filter(|one| !one.is_final && is_failure(one)).map(run_of).collect();
    let passed: BTreeSet<_> =
        executions.iter().filter(|one| one.is_final && one.status == "passed").map(run_of).collect();
    failed_before.intersection(&passed).count() as u64
}

fn is_failure(execution: &Execution) -> bool {
    Outcome::of_test_word(&execution.status).look == "bad"
}

fn run_url(execution: &Execution, request: &TestRequest) -> String {
    links::run(&execution.provider, &request.project, &execution.run_id, execution.run_attempt)
}

fn chart(answer: &TestAnswer, request: &TestRequest) -> Chart {
    let points = answer.executions.iter().rev().map(|execution| Point {
        at: seconds_of(execution.at),
        seconds: execution.duration_seconds.unwrap_or(0.0),
        look: Outcome::of_test_word(&execution.status).look,
        text: summary_of(execution),
        url: run_url(execution, request),
    });
    let from = request.now.plus_seconds(-86_400.0 * f64::from(request.days));
    Chart::new((from, request.now), Vec::new(), Vec::new(), points.collect())
}

fn summary_of(execution: &Execution) -> String {
    let outcome = Outcome::of_test_word(&execution.status);
    let when = Moment::new(execution.at, execution.at).absolute();
    let duration = Seconds(execution.duration_seconds);
    let branch = execution.branch.as_deref().map(plain_text).unwrap_or_default();
    format!("{}, {duration}\n{when}\n{branch}", outcome.word).trim_end().to_owned()
}

fn strip(answer: &TestAnswer, request: &TestRequest) -> Vec<Cell> {
    let newest = answer.executions.iter().take(OUTCOMES_IN_THE_STRIP);
    let mut cells: Vec<Cell> = newest
        .map(|execution| Cell {
            look: Outcome::of_test_word(&execution.status).look,
            title: summary_of(execution).replace('\n', ", "),
            url: run_url(execution, request),
        })
        .collect();
    cells.reverse();
    cells
}

/// A day stands out when it has at least 3 failures, fails at least one time in twenty, and at least three times
/// as often as the other days together. A hint for the eye, not a verdict.
fn weekdays(lines: &[WeekdayLine]) -> Vec<WeekdayRow> {
    let executions: u64 = lines.iter().map(|line| line.executions).sum();
    let failures: u64 = lines.iter().map(|line| line.failures).sum();
    let rate = |failed: u64, executed: u64| failed as f64 / executed.max(1) as f64;
    let row = |(name, line): (&&'static str, &WeekdayLine)| {
        let own = rate(line.failures, line.executions);
        let others = rate(failures - line.failures, executions - line.executions);
        let has_others = executions > line.executions;
        WeekdayRow {
            name,
            executions: Count(line.executions),
            failures: Count(line.failures),
            share: Share::of(line.failures, line.executions),
            stands_out: has_others && line.failures >= 3 && own >= 0.05 && own >= 3.0 * others,
        }
    };
    WEEKDAYS.iter().zip(lines).map(row).collect()
}

fn group_row(group: &FailureGroup, answer: &TestAnswer, request: &TestRequest) -> GroupRow {
    let newest = answer.executions.iter().find(|execution| {
        is_failure(execution) && execution.failure_fingerprint == group.failure_fingerprint
    });
    GroupRow {
        kind: naming::optional(group.failure_kind.as_ref()),
        count: Count(group.failures),
        first: Moment::new(group.first_at, request.now),
        last: Moment::new(group.last_at, request.now),
        message: Clipped::new(
            group.failure_message.as_deref().unwrap_or_default(),
            MESSAGE_BYTES,
            MESSAGE_LINES,
        ),
        url: newest.map(|execution| run_url(execution, request)),
    }
}

fn execution_row(execution: &Execution, request: &TestRequest) -> ExecutionRow {
    let message = execution.failure_message.as_deref().unwrap_or_default();
    ExecutionRow {
        url: run_url(execution, request),
        run: plain_text(&execution.run_id),
        when: Moment::new(execution.at, request.now),
        outcome: Outcome::of_test_word(&execution.status),
        duration: Seconds(execution.duration_seconds),
        branch: naming::optional(execution.branch.as_ref()),
        commit: execution.commit_sha.as_deref().map(short_sha).unwrap_or_default(),
        attempt: execution.attempt,
        is_final: execution.is_final,
        message: Clipped::new(message, LINE_BYTES, 1),
    }
}

fn question(request: &TestRequest) -> String {
    format!(
        "select extract(dow from at) as day_of_week, branch, status, count(*) as executions\nfrom tests\n\
         where project = {} and test_id = '{}'\n  and at > now() - interval '{} days'\ngroup by 1, 2, 3\norder by 1, 2, 3",
        links::sql_literal(&request.project),
        request.test_id,
        request.days
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use manometer_model::Timestamp;

    fn executed(status: &str, run_id: &str, attempt: i64, is_final: bool) -> Execution {
        Execution {
            status: status.to_owned(),
            run_id: run_id.to_owned(),
            attempt,
            is_final,
            ..Execution::default()
        }
    }

    #[test]
    fn a_test_that_passes_when_run_again_is_counted_once_a_run() {
        let executions = [
            executed("failed", "1", 1, false),
            executed("error", "1", 2, false),
            executed("passed", "1", 3, true),
            executed("failed", "2", 1, false),
            executed("failed", "2", 2, true),
            executed("passed", "3", 1, true),
        ];
        assert_eq!(passed_on_rerun(&executions), 1);
    }

    #[test]
    fn a_test_that_fails_on_wednesdays_shows_it() {
        let mut lines = [WeekdayLine { executions: 100, failures: 0 }; 7];
        lines[2] = WeekdayLine { executions: 100, failures: 31 };
        let rows = weekdays(&lines);
        let outstanding: Vec<&str> = rows.iter().filter(|row| row.stands_out).map(|row| row.name).collect();
        assert_eq!(outstanding, ["Wednesday"]);
    }

    #[test]
    fn few_failures_and_even_ones_let_no_day_stand_out() {
        let mut few = [WeekdayLine { executions: 10, failures: 0 }; 7];
        few[4].failures = 2;
        assert!(weekdays(&few).iter().all(|row| !row.stands_out));
        let even = [WeekdayLine { executions: 100, failures: 30 }; 7];
        assert!(weekdays(&even).iter().all(|row| !row.stands_out));
        assert!(weekdays(&[WeekdayLine::default(); 7]).iter().all(|row| row.share.to_string() == "–"));
    }

    #[test]
    fn the_strip_is_oldest_first_and_bounded() {
        let executions = (0..500).map(|number| executed("passed", &number.to_string(), 1, true)).collect();
        let answer = TestAnswer { executions, ..TestAnswer::default() };
        let request = TestRequest {
            project: "p".into(),
            service: None,
            test_id: TestId::default(),
            branch: None,
            now: Timestamp::from_seconds(0),
            days: 7,
            executions: 500,
        };
        let cells = strip(&answer, &request);
        assert_eq!(cells.len(), OUTCOMES_IN_THE_STRIP);
        assert!(cells.last().unwrap().url.contains("run_id=0&"));
    }
}
