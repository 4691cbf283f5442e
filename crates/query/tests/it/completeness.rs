//! What is missing is found exactly: in the example organisation, whose gaps are known, and in small hard cases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use manometer_demo::planted::MISSING_REPORTS;
use manometer_demo::{DemoOptions, Organisation};
use manometer_model::records::{Coverage, Job, Run, Test};
use manometer_model::{Conclusion, Record, Status, TestId, TestStatus, Timestamp};
use manometer_query::answers::{Answers, CompletenessAnswer, CompletenessRequest};
use manometer_query::{Access, Source};

use crate::fixture::{Rows, at, csv, engine, noon};

async fn asked(rows: &Arc<Rows>, now: Timestamp, days: u32) -> CompletenessAnswer {
    let source: Arc<dyn Source> = rows.clone();
    let request = CompletenessRequest { now, days, project: None, service: None, most_missing: 10_000 };
    Answers::new(engine(), source, Access::All).completeness(&request).await.unwrap()
}

/// Has it ended in a way that says something?
fn is_judged(conclusion: Option<Conclusion>) -> bool {
    use Conclusion::{Error, Failure, Success, TimedOut};
    matches!(conclusion, Some(Success | Failure | TimedOut | Error))
}

/// A run by provider, id and attempt.
type RunKey = (String, String, i64);

/// What the example's stream itself says is missing.
#[derive(Default)]
struct Stream {
    records: Vec<Record>,
    /// Runs that ended with jobs that worked and should have reported tests, and the reasons of those that did not.
    without: BTreeMap<RunKey, BTreeSet<String>>,
    expecting: BTreeSet<RunKey>,
}

/// Reads the stream. Each job keeps one of its tests: what counts is whether a report came.
fn stream(organisation: &Organisation) -> Stream {
    const TEST_JOBS: [&str; 3] = ["unit", "integration", "e2e"];
    let mut stream = Stream::default();
    for upload in organisation.uploads() {
        let mut reported: BTreeSet<String> = BTreeSet::new();
        upload.for_each_test(|test| {
            if reported.insert(test.job_id.clone().unwrap()) {
                stream.records.push(test.clone().into());
            }
        });
        let run = upload.records.iter().find_map(|record| match record {
            Record::Run(run) => Some(run),
            _ => None,
        });
        if let Some(run) = run.filter(|run| is_judged(run.conclusion)) {
            let key = (run.provider.clone(), run.run_id.clone(), run.attempt);
            for record in &upload.records {
                let Record::Job(job) = record else { continue };
                let is_expected = TEST_JOBS.contains(&job.name.as_deref().unwrap())
                    && job.started_at.is_some()
                    && is_judged(job.conclusion);
                if is_expected {
                    stream.expecting.insert(key.clone());
                }
                if is_expected && !reported.contains(&job.job_id) {
                    let reason = job.failure_reason.clone().unwrap_or_default();
                    stream.without.entry(key.clone()).or_default().insert(reason);
                }
            }
        }
        let is_asked =
            |record: &&Record| matches!(record, Record::Run(_) | Record::Job(_) | Record::Coverage(_));
        stream.records.extend(upload.records.iter().filter(is_asked).cloned());
    }
    stream
}

#[tokio::test]
async fn the_planted_gaps_of_the_example_are_found_and_nothing_else() {
    let now = at("2026-11-21T06:37:11Z");
    let options = DemoOptions { days: 40, tests_total: 500_000, ..DemoOptions::ending_at(now) };
    let organisation = Organisation::new(options).unwrap();
    let stream = stream(&organisation);
    let rows = Arc::new(Rows::new().memory(stream.records));
    let answer = asked(&rows, now, 42).await;

    let found: BTreeSet<RunKey> = answer
        .missing
        .iter()
        .filter(|run| run.lacks_tests)
        .map(|run| (run.provider.clone(), run.run_id.clone(), run.attempt))
        .collect();
    assert_eq!(found, stream.without.keys().cloned().collect());
    assert!(answer.missing.iter().all(|run| !run.lacks_jobs), "no job is missing in the example");

    // The planted ones are all of one service and six days, and they are the most of it.
    let planted: BTreeSet<&RunKey> = stream
        .without
        .iter()
        .filter(|(_, reasons)| reasons.contains(MISSING_REPORTS.failure_reason))
        .map(|(key, _)| key)
        .collect();
    assert!(planted.len() > 5, "{planted:?}");
    let (from, until) = organisation.planted().missing_reports;
    for run in answer.missing.iter().filter(|run| run.lacks_tests) {
        let key = (run.provider.clone(), run.run_id.clone(), run.attempt);
        if planted.contains(&key) {
            assert_eq!(run.service.as_deref(), Some(MISSING_REPORTS.service));
            let begun_at = run.begun_at.unwrap();
            assert!(begun_at >= from.plus_seconds(-86_400.0) && begun_at < until, "{run:?}");
        } else {
            // What else is missing was lost with its runner, or stopped before its tests.
            let reasons = &stream.without[&key];
            let is_known =
                |reason: &String| reason.contains("lost contact") || reason.contains("exited with code 1");
            assert!(reasons.iter().all(is_known), "{run:?}: {reasons:?}");
        }
        assert!(run.jobs_without_tests.is_some(), "{run:?}");
    }
    let silent: Vec<(&str, i32)> =
        answer.silent_days.iter().map(|silent| (silent.provider.as_str(), silent.day.day())).collect();
    assert_eq!(silent, [(MISSING_REPORTS.silent_provider, organisation.planted().silent_day)]);

    // Counted: as many runs expect reports as the stream says, and a day of which nothing is known is no zero.
    let expecting: u64 = answer.services.iter().map(|line| line.total.expecting_tests).sum();
    let with: u64 = answer.services.iter().map(|line| line.total.with_tests).sum();
    assert_eq!((expecting, expecting - with), (stream.expecting.len() as u64, found.len() as u64));
    let mobile = answer.services.iter().find(|line| line.service.as_deref() == Some("mobile-app")).unwrap();
    let position = answer.days.iter().position(|day| day.day() == organisation.planted().silent_day).unwrap();
    assert_eq!(mobile.per_day[position], None);
    assert!(mobile.per_day.iter().flatten().all(|day| day.runs > 0));

    // The table tells the same.
    let counted = csv(
        &rows,
        "SELECT sum(runs_expecting_tests), sum(runs_expecting_tests - runs_with_tests) FROM completeness",
    );
    assert_eq!(counted.await, format!("{expecting},{}", found.len()));
    let listed = csv(&rows, "SELECT count(*) FROM completeness_runs WHERE NOT has_test_reports").await;
    assert_eq!(listed, found.len().to_string());
}

fn run(id: &str, pipeline: &str) -> Run {
    Run {
        provider: "ci".into(),
        project: "acme/shop".into(),
        service: Some("cart".into()),
        pipeline: Some(pipeline.into()),
        run_id: id.into(),
        attempt: 1,
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        started_at: Some(at("2026-03-09T10:00:00Z")),
        ..Run::default()
    }
}

fn job(run_id: &str, name: &str, status: Status) -> Record {
    Job {
        provider: "ci".into(),
        project: "acme/shop".into(),
        run_id: run_id.into(),
        run_attempt: 1,
        job_id: format!("{run_id}-{name}"),
        name: Some(name.into()),
        status: Some(status),
        conclusion: (status == Status::Completed).then_some(Conclusion::Success),
        started_at: Some(at("2026-03-09T10:00:00Z")),
        ..Job::default()
    }
    .into()
}

fn test(run_id: &str, job_id: Option<&str>) -> Record {
    Test {
        provider: "ci".into(),
        project: "acme/shop".into(),
        run_id: run_id.into(),
        run_attempt: 1,
        job_id: job_id.map(str::to_owned),
        name: "works".into(),
        test_id: TestId::new("", "", "works", "", 0),
        status: TestStatus::Passed,
        attempt: 1,
        is_final: true,
        at: at("2026-03-09T10:00:30Z"),
        ..Test::default()
    }
    .into()
}

fn coverage(run_id: &str) -> Record {
    Coverage {
        provider: "ci".into(),
        project: "acme/shop".into(),
        run_id: run_id.into(),
        run_attempt: 1,
        scope: "total".into(),
        at: at("2026-03-09T10:00:30Z"),
        ..Coverage::default()
    }
    .into()
}

async fn told(records: Vec<Record>) -> String {
    let rows = Arc::new(Rows::new().memory(records));
    csv(
        &rows,
        "SELECT run_id, has_all_jobs, has_test_reports, has_coverage, jobs_without_tests FROM completeness_runs ORDER BY run_id",
    )
    .await
}

#[tokio::test]
async fn what_nobody_usually_brings_is_no_gap() {
    let records = vec![run("1", "deploy").into(), run("2", "deploy").into()];
    assert_eq!(told(records).await, "1,,,,\n2,,,,");
    let rows = Arc::new(Rows::new().memory([run("1", "deploy").into()]));
    let answer = asked(&rows, noon(), 7).await;
    let total = answer.services[0].total;
    assert_eq!((total.runs, total.tests_share, total.jobs_share), (1, None, None));
    assert_eq!(answer.missing_total, 0);
    assert!(answer.services[0].per_day.iter().filter(|day| day.is_some()).count() == 1);
}

#[tokio::test]
async fn reports_that_name_no_job_are_judged_by_the_run() {
    let mut records: Vec<Record> = ["1", "2", "3"].map(|id| run(id, "ci").into()).into();
    records.extend([test("1", None), test("2", Some("GITHUB_JOB")), coverage("1"), coverage("3")]);
    assert_eq!(told(records).await, "1,,true,true,\n2,,true,false,\n3,,false,true,");
}

#[tokio::test]
async fn a_job_without_its_report_is_named_and_one_that_never_reports_is_not() {
    let mut records: Vec<Record> = ["1", "2", "3"].map(|id| run(id, "ci").into()).into();
    for id in ["1", "2", "3"] {
        records.extend([job(id, "lint", Status::Completed), job(id, "unit", Status::Completed)]);
        records.push(test(id, Some(&format!("{id}-unit"))));
    }
    records.extend([job("1", "e2e", Status::Completed), job("2", "e2e", Status::Completed)]);
    records.push(test("1", Some("1-e2e")));
    assert_eq!(told(records).await, "1,true,true,,\n2,true,false,,e2e\n3,true,true,,");
}

#[tokio::test]
async fn a_job_that_nobody_saw_end_and_a_run_without_jobs_are_incomplete() {
    let mut records: Vec<Record> = ["1", "2", "3"].map(|id| run(id, "ci").into()).into();
    records.extend([job("1", "unit", Status::Completed), job("2", "unit", Status::Running)]);
    assert_eq!(told(records).await, "1,true,,,\n2,false,,,\n3,false,,,");
}

#[tokio::test]
async fn a_store_with_nothing_in_it_has_an_answer_with_nothing_in_it() {
    let rows = Arc::new(Rows::new());
    let answer = asked(&rows, noon(), 3).await;
    assert_eq!((answer.days.len(), answer.services.len(), answer.missing_total), (3, 0, 0));
    assert!(answer.silent_days.is_empty());
    assert_eq!(csv(&rows, "SELECT * FROM completeness").await, "");
}
