//! `GET /run`: one run with its jobs, steps, tests and what else it left behind.

use axum::extract::State;
use manometer_model::Timestamp;
use manometer_query::answers::{
    CoverageLine, FailureLine, RunAnswer, RunLine, RunRequest, SlowTestLine, TestCounts,
};

use super::asked::Asked;
use super::layout::Section;
use super::refusal::{PageRefusal, PageResult, render};
use super::shown::{Bytes, Clipped, Count, Moment, Outcome, Seconds, Share, plain_text, short_sha};
use super::view::Choice;
use super::view::run::{
    ArtifactRow, BuildRow, CoverageRow, Fact, Failure, RunPage, SampleRow, SlowTest, TestsSummary,
};
use super::{lanes, links, naming};
use crate::state::App;

/// Most failures on the page.
const MOST_FAILURES: u32 = 50;
/// Most rows of each of the smaller lists.
const MOST_ROWS: usize = 100;
/// Most shown of a failure's message and of its details.
const MESSAGE_BYTES: usize = 2_000;
const MESSAGE_LINES: usize = 20;
const DETAILS_BYTES: usize = 16_000;
const DETAILS_LINES: usize = 300;

/// The page. `provider`, `project`, `run_id` say which; without `attempt` it is the last.
pub(crate) async fn get(State(app): State<App>, asked: Asked) -> PageResult {
    let attempt = match asked.text("attempt") {
        None => None,
        Some(text) => Some(
            text.parse::<i64>()
                .map_err(|_| asked.bad("`attempt` in the address must be a whole number.".to_owned()))?,
        ),
    };
    let request = RunRequest {
        provider: asked.needed("provider")?.to_owned(),
        project: asked.needed("project")?.to_owned(),
        run_id: asked.needed("run_id")?.to_owned(),
        attempt,
        failures: MOST_FAILURES,
    };
    let Some(answer) = asked.answers(&app).run(&request).await? else {
        let (run_id, project) = (plain_text(&request.run_id), plain_text(&request.project));
        let explanation = format!("No run “{run_id}” of {project} is known, nor any report of it.");
        let refusal = PageRefusal::not_found(explanation).for_caller(asked.signed_in());
        return Err(match attempt {
            Some(_) => refusal.with_way_on("Its last attempt", without_attempt(&request)),
            None => refusal,
        });
    };
    render(&page(&answer, &asked, app.clock.now()))
}

/// The page of an answer.
pub(crate) fn page(answer: &RunAnswer, asked: &Asked, now: Timestamp) -> RunPage {
    let run = &answer.run;
    let heading = naming::run_heading(run);
    let timeline = lanes::timeline(answer, now);
    RunPage {
        layout: asked.layout(heading.clone(), Section::Services),
        heading,
        project: plain_text(&run.project),
        provider: plain_text(&run.provider),
        service: naming::service(&run.project, run.service.as_deref()),
        service_url: links::service(&run.project, run.service.as_deref(), None),
        outside_url: run.url.as_deref().and_then(links::outside).map(str::to_owned),
        outcome: Outcome::of_words(run.status.as_deref(), run.conclusion.as_deref()),
        facts: facts(run),
        queued: Moment::new(run.queued_at, now),
        started: Moment::new(run.started_at, now),
        finished: Moment::new(run.finished_at, now),
        queue: Seconds(run.queue_seconds),
        duration: Seconds(run.duration_seconds),
        attempts: attempts(answer),
        missing: missing(answer),
        ticks: timeline.ticks,
        jobs: timeline.jobs,
        jobs_total: Count(answer.jobs.len() as u64),
        tests: run.tests.map(|counts| summary(&counts)),
        failures: answer.failures.iter().map(|failure| failure_row(failure, run)).collect(),
        failures_total: Count(answer.failures_total),
        slowest: answer.slowest_tests.iter().map(|test| slow_row(test, run)).collect(),
        coverage: answer.coverage.iter().take(MOST_ROWS).map(coverage_row).collect(),
        artifacts: answer
            .artifacts
            .iter()
            .take(MOST_ROWS)
            .map(|artifact| ArtifactRow {
                name: plain_text(&artifact.name),
                kind: naming::optional(artifact.kind.as_ref()),
                size: Bytes(u64::try_from(artifact.size_bytes).unwrap_or(0)),
            })
            .collect(),
        builds: answer
            .builds
            .iter()
            .take(MOST_ROWS)
            .map(|build| BuildRow {
                name: plain_text(&build.name),
                duration: Seconds(build.duration_seconds),
                outcome: Outcome::of_success(build.success),
            })
            .collect(),
        samples: answer
            .samples
            .iter()
            .take(MOST_ROWS)
            .map(|sample| SampleRow {
                name: plain_text(&sample.name),
                value: shown_number(sample.value),
                unit: naming::optional(sample.unit.as_ref()),
            })
            .collect(),
        cuts: cuts(answer, timeline.cut),
        sql_url: links::sql(&question(run)),
    }
}

fn facts(run: &RunLine) -> Vec<Fact> {
    let change = run.change_id.as_ref().map(|change| format!("#{change}"));
    let fields = [
        ("Branch", run.branch.clone(), false),
        ("Commit", run.commit_sha.clone(), true),
        ("Change", change, false),
        ("Trigger", run.trigger.clone(), false),
        ("By", run.actor.clone(), false),
        ("Run id", run.number.map(|_| run.run_id.clone()), true),
    ];
    let fact = |(name, value, is_code): (&'static str, Option<String>, bool)| {
        let whole = plain_text(&value?);
        let value = if name == "Commit" { short_sha(&whole) } else { whole.clone() };
        Some(Fact { name, full: (value != whole).then_some(whole), value, is_code })
    };
    fields.into_iter().filter_map(fact).collect()
}

fn attempts(answer: &RunAnswer) -> Vec<Choice> {
    let run = &answer.run;
    let newest_first = answer.attempts.iter().rev().take(MOST_ROWS);
    let mut choices: Vec<Choice> = newest_first
        .map(|attempt| Choice {
            label: format!("Attempt {attempt}"),
            url: links::run(&run.provider, &run.project, &run.run_id, *attempt),
            current: *attempt == run.attempt,
        })
        .collect();
    choices.reverse();
    choices
}

/// What is not known, said so that nobody takes it for zero.
fn missing(answer: &RunAnswer) -> Vec<String> {
    let mut sentences = Vec::new();
    let run = &answer.run;
    if run.status.is_none() {
        sentences.push(
            "Only reports of this run arrived. Nothing told of the run itself, so its outcome and times are not known."
                .to_owned(),
        );
    }
    let has_ended = run.status.as_deref() == Some("completed");
    if answer.jobs.is_empty() {
        sentences.push("No job of this run was reported, so its timeline is empty.".to_owned());
    }
    if has_ended && run.tests.is_none() {
        sentences.push(
            "This run has ended and no test report of it has arrived: what its tests did is not known."
                .to_owned(),
        );
    }
    sentences
}

fn summary(counts: &TestCounts) -> TestsSummary {
    TestsSummary {
        total: Count(counts.total()),
        passed: Count(counts.passed),
        failed: Count(counts.failed),
        errors: Count(counts.error),
        skipped: Count(counts.skipped),
        passed_share: Share::of(counts.passed, counts.passed + counts.failed + counts.error),
    }
}

fn failure_row(failure: &FailureLine, run: &RunLine) -> Failure {
    let file = naming::optional(failure.file.as_ref());
    let place = match failure.line {
        Some(line) if !file.is_empty() => format!("{file}:{line}"),
        _ => file,
    };
    let message = failure.failure_message.as_deref().unwrap_or_default();
    let details = failure.failure_details.as_deref().unwrap_or_default();
    Failure {
        url: links::test(&run.project, run.service.as_deref(), &failure.test_id.to_string()),
        name: naming::test(&failure.name, failure.parameters.as_deref()),
        classname: naming::test_place(failure.suite.as_deref(), failure.classname.as_deref()),
        outcome: Outcome::of_test_word(&failure.status),
        duration: Seconds(failure.duration_seconds),
        job: naming::optional(failure.job_name.as_ref()),
        place,
        kind: naming::optional(failure.failure_kind.as_ref()),
        message: Clipped::new(message, MESSAGE_BYTES, MESSAGE_LINES),
        details: Clipped::new(details, DETAILS_BYTES, DETAILS_LINES),
        attempts: if failure.attempt > 1 {
            format!("failed {} times", failure.attempt)
        } else {
            String::new()
        },
    }
}

fn slow_row(test: &SlowTestLine, run: &RunLine) -> SlowTest {
    SlowTest {
        url: links::test(&run.project, run.service.as_deref(), &test.test_id.to_string()),
        name: naming::test(&test.name, test.parameters.as_deref()),
        place: naming::test_place(test.suite.as_deref(), test.classname.as_deref()),
        outcome: Outcome::of_test_word(&test.status),
        duration: Seconds(test.duration_seconds),
    }
}

fn coverage_row(line: &CoverageLine) -> CoverageRow {
    let share = |covered: Option<i64>, valid: Option<i64>| {
        let of = u64::try_from(valid.unwrap_or(0)).unwrap_or(0);
        Share::of(u64::try_from(covered.unwrap_or(0)).unwrap_or(0), if covered.is_some() { of } else { 0 })
    };
    CoverageRow {
        scope: plain_text(&line.scope),
        name: naming::optional(line.name.as_ref()),
        lines: share(line.lines_covered, line.lines_valid),
        lines_of: Count(line.lines_valid.and_then(|lines| u64::try_from(lines).ok()).unwrap_or(0)),
        branches: share(line.branches_covered, line.branches_valid),
    }
}

/// Six digits at most, no zeros behind.
fn shown_number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value}");
    }
    let decimals = (5 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
    format!("{value:.decimals$}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn cuts(answer: &RunAnswer, jobs_were_cut: bool) -> Vec<String> {
    let mut sentences = Vec::new();
    if jobs_were_cut {
        let (most, all) = (Count(lanes::MOST_JOBS as u64), Count(answer.jobs.len() as u64));
        sentences.push(format!("{most} of {all} jobs are shown, failed ones before others."));
    }
    if answer.failures_total > answer.failures.len() as u64 {
        let (shown, all) = (Count(answer.failures.len() as u64), Count(answer.failures_total));
        sentences.push(format!("{shown} of {all} failures are shown."));
    }
    for (name, rows) in [
        ("coverage rows", answer.coverage.len()),
        ("artifacts", answer.artifacts.len()),
        ("builds", answer.builds.len()),
        ("samples", answer.samples.len()),
    ] {
        if rows > MOST_ROWS {
            sentences.push(format!("{MOST_ROWS} of {} {name} are shown.", Count(rows as u64)));
        }
    }
    sentences
}

fn without_attempt(request: &RunRequest) -> String {
    links::with_query(
        "/run",
        &[
            ("provider", Some(&request.provider)),
            ("project", Some(&request.project)),
            ("run_id", Some(&request.run_id)),
        ],
    )
}

fn question(run: &RunLine) -> String {
    format!(
        "select suite, classname, name, status, duration_seconds, failure_message\nfrom tests\n\
         where provider = {} and project = {}\n  and run_id = {} and run_attempt = {}\n\
         order by duration_seconds desc nulls last",
        links::sql_literal(&run.provider),
        links::sql_literal(&run.project),
        links::sql_literal(&run.run_id),
        run.attempt
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use manometer_query::answers::JobLine;

    fn render_run(answer: &RunAnswer) -> String {
        render(&page(answer, &Asked::default(), Timestamp::from_seconds(1_700_000_000))).unwrap().0
    }

    #[test]
    fn what_did_not_arrive_is_said_and_not_shown_as_zero() {
        let html = render_run(&RunAnswer::default());
        assert!(html.contains("Only reports of this run arrived"));
        assert!(html.contains("No job of this run was reported"));
        assert!(html.contains("That does not mean that no test ran"));
        let run = RunLine { status: Some("completed".into()), ..RunLine::default() };
        assert!(
            render_run(&RunAnswer { run, ..RunAnswer::default() })
                .contains("no test report of it has arrived")
        );
    }

    #[test]
    fn ten_thousand_jobs_make_a_bounded_page_that_says_so() {
        let job = |number: usize| JobLine {
            job_id: number.to_string(),
            conclusion: Some(if number == 9_999 { "failure" } else { "success" }.into()),
            status: Some("completed".into()),
            ..JobLine::default()
        };
        let html = render_run(&RunAnswer { jobs: (0..10_000).map(job).collect(), ..RunAnswer::default() });
        assert!(html.contains("200 of 10,000 jobs are shown"));
        assert!(html.contains("9999"), "a failed job is never among those left out");
        assert!(html.len() < 400_000, "{}", html.len());
    }

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        for (value, expected) in
            [(1.0, "1"), (0.5, "0.5"), (1234.5678, "1234.57"), (0.000_123_456, "0.000123456")]
        {
            assert_eq!(shown_number(value), expected);
        }
        assert_eq!(shown_number(f64::NAN), "NaN");
    }
}
