//! The answers, on small stores with known contents.

use std::sync::Arc;

use manometer_model::records::{Artifact, Build, Coverage, Job, Run, Sample, Step, Test};
use manometer_model::{Conclusion, Record, Status, TestId, TestStatus, Timestamp};
use manometer_query::answers::{
    Answers, FailureGroup, RunRequest, SearchRequest, ServiceRequest, ServicesRequest, TestCounts,
    TestRequest, WeekdayLine,
};
use manometer_query::{Access, Source};

use crate::fixture::{Rows, at, engine, noon};

fn answers_as(rows: &Arc<Rows>, access: Access) -> Answers {
    let source: Arc<dyn Source> = rows.clone();
    Answers::new(engine(), source, access)
}

fn answers(rows: &Arc<Rows>) -> Answers {
    answers_as(rows, Access::All)
}

/// A completed run of the service `cart` of `acme/shop`.
fn run(id: &str, started: &str, seconds: f64, conclusion: Conclusion) -> Run {
    let started_at = at(started);
    Run {
        provider: "ci".into(),
        project: "acme/shop".into(),
        service: Some("cart".into()),
        pipeline: Some("build".into()),
        run_id: id.into(),
        attempt: 1,
        branch: Some("main".into()),
        commit_sha: Some(format!("c{id}")),
        status: Some(Status::Completed),
        conclusion: Some(conclusion),
        started_at: Some(started_at),
        finished_at: Some(started_at.plus_seconds(seconds)),
        duration_seconds: Some(seconds),
        ..Run::default()
    }
}

fn test_id(name: &str) -> TestId {
    TestId::new("unit", "cart.Test", name, "", 0)
}

fn test(run_id: &str, name: &str, status: TestStatus, seconds: f64, when: &str) -> Test {
    Test {
        provider: "ci".into(),
        project: "acme/shop".into(),
        service: Some("cart".into()),
        run_id: run_id.into(),
        run_attempt: 1,
        branch: Some("main".into()),
        commit_sha: Some(format!("c{run_id}")),
        test_id: test_id(name),
        suite: Some("unit".into()),
        classname: Some("cart.Test".into()),
        name: name.into(),
        status,
        duration_seconds: Some(seconds),
        attempt: 1,
        is_final: true,
        at: at(when),
        ..Test::default()
    }
}

fn failed(mut test: Test, kind: &str, message: &str, fingerprint: Option<&str>) -> Test {
    test.status = TestStatus::Failed;
    test.failure_kind = Some(kind.into());
    test.failure_message = Some(message.into());
    test.failure_fingerprint = fingerprint.map(str::to_owned);
    test
}

fn week_of_services() -> Arc<Rows> {
    use Conclusion::{Cancelled, Failure, Success};
    let mut records: Vec<Record> = vec![
        // The week before: median 100.
        run("1", "2026-02-25T08:00:00Z", 90.0, Success).into(),
        run("2", "2026-02-26T08:00:00Z", 110.0, Success).into(),
        // The last week: median 150.
        run("3", "2026-03-08T08:00:00Z", 140.0, Success).into(),
        run("4", "2026-03-08T20:00:00Z", 150.0, Failure).into(),
        run("5", "2026-03-10T08:00:00Z", 160.0, Success).into(),
        // Says nothing of success or duration.
        run("6", "2026-03-10T09:00:00Z", 9_999.0, Cancelled).into(),
    ];
    for id in ["1", "2", "3", "5"] {
        records.push(test(id, "adds", TestStatus::Passed, 1.0, "2026-03-08T08:00:00Z").into());
        records.push(test(id, "removes", TestStatus::Passed, 1.0, "2026-03-08T08:00:00Z").into());
    }
    let mut rerun = test("5", "adds", TestStatus::Failed, 1.0, "2026-03-08T08:00:00Z");
    rerun.is_final = false;
    records.push(rerun.into());
    let running = Run {
        status: Some(Status::Running),
        conclusion: None,
        duration_seconds: None,
        finished_at: None,
        service: Some("web".into()),
        ..run("7", "2026-03-10T11:00:00Z", 0.0, Success)
    };
    records.push(running.into());
    let old = Run { service: Some("gone".into()), ..run("8", "2025-01-01T00:00:00Z", 1.0, Success) };
    records.push(old.into());
    Arc::new(Rows::new().memory(records))
}

#[tokio::test]
async fn services_are_summed_up_with_gaps_where_nothing_is_known() {
    let request = ServicesRequest { now: noon(), days: 14, project: None };
    let answer = answers(&week_of_services()).services(&request).await.unwrap();
    assert_eq!(answer.days.len(), 14);
    assert_eq!(answer.days.first(), Some(&at("2026-02-25T00:00:00Z")));
    assert_eq!(answer.days.last(), Some(&at("2026-03-10T00:00:00Z")));
    let names: Vec<_> = answer.services.iter().map(|line| line.service.as_deref().unwrap()).collect();
    assert_eq!(names, ["cart", "web"], "the busiest first, and none without a run in these days");

    let cart = &answer.services[0];
    assert_eq!((cart.runs, cart.judged), (6, 5));
    assert_eq!(cart.success_rate, Some(0.8));
    assert_eq!(cart.p50_seconds, Some(140.0));
    assert!((cart.p95_seconds.unwrap() - 158.0).abs() < 0.001, "{:?}", cart.p95_seconds);
    assert_eq!(cart.trend, Some(0.5));
    assert_eq!(cart.last_run_at, Some(at("2026-03-10T09:00:00Z")));
    assert_eq!(cart.last_conclusion.as_deref(), Some("cancelled"));
    assert_eq!(cart.missing_report_share, Some(0.2), "run 4 ended and reported nothing");
    assert_eq!(cart.expected_reports, 5);
    assert_eq!(cart.tests_per_run, Some(2.0), "a re-run inside a run is one test");
    let mut per_day = vec![None; 14];
    (per_day[0], per_day[1], per_day[11], per_day[13]) = (Some(1), Some(1), Some(2), Some(2));
    assert_eq!(cart.runs_per_day, per_day);
    let mut failed_per_day = vec![0; 14];
    failed_per_day[11] = 1;
    assert_eq!(cart.failed_per_day, failed_per_day);

    let web = &answer.services[1];
    assert_eq!(
        (web.runs, web.judged, web.success_rate, web.p50_seconds, web.trend),
        (1, 0, None, None, None)
    );
    assert_eq!(
        (web.last_status.as_deref(), web.missing_report_share, web.tests_per_run),
        (Some("running"), None, None)
    );
}

#[tokio::test]
async fn a_pipeline_that_never_reports_tests_misses_no_report() {
    let mut records: Vec<Record> = Vec::new();
    for (id, pipeline) in [("1", "ci"), ("2", "ci"), ("3", "ci"), ("4", "deploy"), ("5", "deploy")] {
        let of_pipeline = Run {
            pipeline: Some(pipeline.into()),
            ..run(id, "2026-03-09T08:00:00Z", 60.0, Conclusion::Success)
        };
        records.push(of_pipeline.into());
    }
    for id in ["1", "2"] {
        records.push(test(id, "adds", TestStatus::Passed, 1.0, "2026-03-09T08:00:30Z").into());
    }
    let request = ServicesRequest { now: noon(), days: 14, project: None };
    let answer = answers(&Arc::new(Rows::new().memory(records))).services(&request).await.unwrap();
    let line = &answer.services[0];
    assert_eq!((line.judged, line.expected_reports), (5, 3));
    assert_eq!(line.missing_report_share, Some(1.0 / 3.0));
    assert_eq!(line.tests_per_run, Some(1.0));
}

#[tokio::test]
async fn services_of_one_project_alone() {
    let rows = week_of_services();
    let here = ServicesRequest { now: noon(), days: 14, project: Some("acme/shop".into()) };
    assert_eq!(answers(&rows).services(&here).await.unwrap().services.len(), 2);
    let elsewhere = ServicesRequest { project: Some("acme/other' OR '1'='1".into()), ..here.clone() };
    assert!(answers(&rows).services(&elsewhere).await.unwrap().services.is_empty());
    let stranger = answers_as(&rows, Access::projects(["acme/other"]));
    assert!(stranger.services(&here).await.unwrap().services.is_empty());
}

fn everything() -> ServiceRequest {
    ServiceRequest {
        project: "acme/shop".into(),
        service: Some("cart".into()),
        branch: None,
        now: noon(),
        days: 30,
        page: 0,
        page_size: 2,
        tests: 10,
    }
}

#[tokio::test]
async fn an_empty_store_answers_everything_with_nothing() {
    let rows = Arc::new(Rows::new());
    let empty = answers(&rows);
    let services = empty.services(&ServicesRequest { now: noon(), days: 0, project: None }).await.unwrap();
    assert_eq!((services.days.len(), services.services.len()), (1, 0));
    assert_eq!(empty.service(&everything()).await.unwrap(), None);
    let run = RunRequest {
        provider: "ci".into(),
        project: "p".into(),
        run_id: "1".into(),
        attempt: None,
        failures: 10,
    };
    assert_eq!(empty.run(&run).await.unwrap(), None);
    assert_eq!(empty.test(&history("adds")).await.unwrap(), None);
    assert_eq!(empty.search(&search("adds")).await.unwrap(), Vec::new());
}

#[tokio::test]
async fn a_service_shows_its_runs_page_by_page_with_their_tests() {
    let rows = week_of_services();
    let first = answers(&rows).service(&everything()).await.unwrap().unwrap();
    assert_eq!(first.runs_total, 6);
    let ids: Vec<_> = first.runs.iter().map(|line| line.run_id.as_str()).collect();
    assert_eq!(ids, ["6", "5"]);
    assert_eq!(first.runs[0].tests, None, "no report is not the same as no tests");
    assert_eq!(first.runs[1].tests, Some(TestCounts { passed: 2, ..TestCounts::default() }));
    let last = ServiceRequest { page: 2, ..everything() };
    let ids: Vec<_> = answers(&rows)
        .service(&last)
        .await
        .unwrap()
        .unwrap()
        .runs
        .into_iter()
        .map(|line| line.run_id)
        .collect();
    assert_eq!(ids, ["2", "1"]);
    let points: Vec<_> = first.durations.iter().map(|point| point.duration_seconds).collect();
    assert_eq!(points, [90.0, 110.0, 140.0, 150.0, 160.0, 9_999.0]);
    let failing: Vec<_> =
        first.failing_tests.iter().map(|line| (line.name.as_str(), line.failures, line.executions)).collect();
    assert_eq!(failing, [("adds", 1, 5)]);
    assert_eq!(first.slowest_tests.len(), 2);
}

#[tokio::test]
async fn a_service_that_is_not_known_is_none_and_a_branch_narrows() {
    let rows = week_of_services();
    let unknown = ServiceRequest { service: Some("nope".into()), ..everything() };
    assert_eq!(answers(&rows).service(&unknown).await.unwrap(), None);
    let without = ServiceRequest { service: None, ..everything() };
    assert_eq!(answers(&rows).service(&without).await.unwrap(), None);
    let branch = ServiceRequest { branch: Some("feature".into()), ..everything() };
    assert_eq!(answers(&rows).service(&branch).await.unwrap(), None);
}

fn one_run() -> Arc<Rows> {
    let start = "2026-03-09T10:00:00Z";
    let key = || ("ci".to_owned(), "acme/shop".to_owned(), "42".to_owned());
    let job = |id: &str, name: &str, begins: f64| {
        let (provider, project, run_id) = key();
        Job {
            provider,
            project,
            run_id,
            run_attempt: 2,
            job_id: id.into(),
            name: Some(name.into()),
            started_at: Some(at(start).plus_seconds(begins)),
            duration_seconds: Some(30.0),
            ..Job::default()
        }
    };
    let step = |job_id: &str, number: i64, name: &str| {
        let (provider, project, run_id) = key();
        Step {
            provider,
            project,
            run_id,
            run_attempt: 2,
            job_id: job_id.into(),
            job_name: Some("late".into()),
            number,
            name: Some(name.into()),
            conclusion: Some(Conclusion::Success),
            at: at(start),
            ..Step::default()
        }
    };
    let (provider, project, run_id) = key();
    let coverage = |scope: &str, name: Option<&str>| Coverage {
        provider: provider.clone(),
        project: project.clone(),
        run_id: run_id.clone(),
        run_attempt: 2,
        scope: scope.into(),
        name: name.map(str::to_owned),
        lines_covered: Some(80),
        lines_valid: Some(100),
        at: at(start),
        ..Coverage::default()
    };
    let tested =
        |name: &str, status, seconds| Test { run_attempt: 2, ..test("42", name, status, seconds, start) };
    let records: Vec<Record> = vec![
        Run { attempt: 1, ..run("42", start, 50.0, Conclusion::Failure) }.into(),
        Run { attempt: 2, ..run("42", start, 60.0, Conclusion::Failure) }.into(),
        job("b", "test", 20.0).into(),
        job("a", "build", 0.0).into(),
        step("a", 2, "compile").into(),
        step("a", 1, "checkout").into(),
        step("x", 1, "orphan").into(),
        tested("adds", TestStatus::Passed, 1.0).into(),
        tested("waits", TestStatus::Skipped, 0.0).into(),
        failed(tested("removes", TestStatus::Failed, 7.0), "AssertionError", "1 != 2", Some("f1")).into(),
        Test { is_final: false, ..failed(tested("flaky", TestStatus::Failed, 3.0), "Timeout", "slow", None) }
            .into(),
        Test { attempt: 2, ..tested("flaky", TestStatus::Passed, 2.0) }.into(),
        coverage("file", Some("a.rs")).into(),
        coverage("package", Some("cart")).into(),
        coverage("total", None).into(),
        Artifact {
            provider: provider.clone(),
            project: project.clone(),
            run_id: run_id.clone(),
            run_attempt: 2,
            name: "image".into(),
            size_bytes: 7,
            at: at(start),
            ..Artifact::default()
        }
        .into(),
        Build {
            provider: provider.clone(),
            project: project.clone(),
            run_id: run_id.clone(),
            run_attempt: 2,
            name: "web".into(),
            success: Some(true),
            at: at(start),
            ..Build::default()
        }
        .into(),
        Sample {
            provider,
            project,
            run_id: Some(run_id),
            run_attempt: 2,
            name: "ram.peak_mb".into(),
            value: 512.0,
            at: at(start),
            ..Sample::default()
        }
        .into(),
    ];
    Arc::new(Rows::new().memory(records))
}

fn run_42(attempt: Option<i64>) -> RunRequest {
    RunRequest {
        provider: "ci".into(),
        project: "acme/shop".into(),
        run_id: "42".into(),
        attempt,
        failures: 10,
    }
}

#[tokio::test]
async fn a_run_shows_everything_known_of_its_last_attempt() {
    let answer = answers(&one_run()).run(&run_42(None)).await.unwrap().unwrap();
    assert_eq!((answer.run.attempt, answer.run.duration_seconds), (2, Some(60.0)));
    assert_eq!(answer.attempts, [1, 2]);
    assert_eq!(answer.run.tests, Some(TestCounts { passed: 2, failed: 1, error: 0, skipped: 1 }));
    let jobs: Vec<_> =
        answer.jobs.iter().map(|job| (job.job_id.as_str(), job.name.as_deref(), job.steps.len())).collect();
    assert_eq!(jobs, [("a", Some("build"), 2), ("b", Some("test"), 0), ("x", Some("late"), 1)]);
    assert_eq!(answer.jobs[0].steps[0].name.as_deref(), Some("checkout"));
    assert_eq!(answer.failures_total, 1);
    assert_eq!(answer.failures[0].name, "removes");
    assert_eq!(answer.failures[0].failure_message.as_deref(), Some("1 != 2"));
    let slowest: Vec<_> = answer.slowest_tests.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(slowest, ["removes", "flaky", "adds", "waits"]);
    let coverage: Vec<_> = answer.coverage.iter().map(|line| line.scope.as_str()).collect();
    assert_eq!(coverage, ["total", "package"]);
    assert_eq!((answer.artifacts[0].size_bytes, answer.builds[0].success), (7, Some(true)));
    assert_eq!(answer.samples[0].value, 512.0);
}

#[tokio::test]
async fn an_attempt_can_be_chosen_and_an_unknown_one_is_none() {
    let rows = one_run();
    let first = answers(&rows).run(&run_42(Some(1))).await.unwrap().unwrap();
    assert_eq!((first.run.attempt, first.run.tests, first.jobs.len()), (1, None, 0));
    assert_eq!(answers(&rows).run(&run_42(Some(9))).await.unwrap(), None);
    let stranger = answers_as(&rows, Access::projects(["acme/other"]));
    assert_eq!(stranger.run(&run_42(None)).await.unwrap(), None);
}

#[tokio::test]
async fn a_run_of_which_only_a_report_is_known_is_shown_without_a_status() {
    let only = test("77", "adds", TestStatus::Passed, 1.0, "2026-03-09T10:00:00Z");
    let rows = Arc::new(Rows::new().memory([only.into()]));
    let request = RunRequest { run_id: "77".into(), ..run_42(None) };
    let answer = answers(&rows).run(&request).await.unwrap().unwrap();
    assert_eq!((answer.run.status, answer.run.service.as_deref()), (None, Some("cart")));
    assert_eq!(answer.run.tests.map(|tests| tests.total()), Some(1));
}

fn history(name: &str) -> TestRequest {
    TestRequest {
        project: "acme/shop".into(),
        service: Some("cart".into()),
        test_id: test_id(name),
        branch: None,
        now: noon(),
        days: 30,
        executions: 3,
    }
}

fn a_test_through_time() -> Arc<Rows> {
    // 2026-03-04 is a Wednesday.
    let records: Vec<Record> = vec![
        test("1", "adds", TestStatus::Passed, 1.0, "2026-03-02T00:00:00Z").into(),
        failed(
            test("2", "adds", TestStatus::Failed, 5.0, "2026-03-04T01:00:00Z"),
            "E",
            "old words",
            Some("f1"),
        )
        .into(),
        failed(
            test("3", "adds", TestStatus::Failed, 5.0, "2026-03-04T02:00:00Z"),
            "E",
            "new words",
            Some("f1"),
        )
        .into(),
        failed(test("4", "adds", TestStatus::Failed, 3.0, "2026-03-08T23:59:59Z"), "X", "other", None).into(),
        test("5", "adds", TestStatus::Passed, 2.0, "2026-03-09T00:00:00Z").into(),
        test("6", "adds", TestStatus::Skipped, 0.0, "2026-03-10T00:00:00Z").into(),
        test("0", "adds", TestStatus::Failed, 9.0, "2026-01-01T00:00:00Z").into(),
        test("1", "removes", TestStatus::Failed, 9.0, "2026-03-02T00:00:00Z").into(),
    ];
    let (flushed, fresh) = records.split_at(4);
    Arc::new(Rows::new().segment(flushed.to_vec()).memory(fresh.to_vec()))
}

#[tokio::test]
async fn a_test_is_told_through_time_by_cause_and_by_weekday() {
    let answer = answers(&a_test_through_time()).test(&history("adds")).await.unwrap().unwrap();
    assert_eq!((answer.passed, answer.failed, answer.skipped), (2, 3, 1));
    assert_eq!(answer.pass_rate, Some(0.4));
    assert_eq!(answer.p50_seconds, Some(3.0));
    assert_eq!(answer.name, "adds");
    let listed: Vec<_> = answer.executions.iter().map(|line| line.run_id.as_str()).collect();
    assert_eq!(listed, ["6", "5", "4"]);
    assert_eq!(
        answer.failures,
        [
            FailureGroup {
                failure_fingerprint: Some("f1".into()),
                failure_kind: Some("E".into()),
                failure_message: Some("new words".into()),
                failures: 2,
                first_at: Some(at("2026-03-04T01:00:00Z")),
                last_at: Some(at("2026-03-04T02:00:00Z")),
            },
            FailureGroup {
                failure_fingerprint: None,
                failure_kind: Some("X".into()),
                failure_message: Some("other".into()),
                failures: 1,
                first_at: Some(at("2026-03-08T23:59:59Z")),
                last_at: Some(at("2026-03-08T23:59:59Z")),
            },
        ]
    );
    let week = |executions, failures| WeekdayLine { executions, failures };
    assert_eq!(
        answer.weekdays,
        [week(2, 0), week(0, 0), week(2, 2), week(0, 0), week(0, 0), week(0, 0), week(1, 1)],
        "Monday first"
    );
}

#[tokio::test]
async fn a_test_of_another_service_or_a_stranger_is_none() {
    let rows = a_test_through_time();
    let elsewhere = TestRequest { service: Some("web".into()), ..history("adds") };
    assert_eq!(answers(&rows).test(&elsewhere).await.unwrap(), None);
    let stranger = answers_as(&rows, Access::projects(["acme/other"]));
    assert_eq!(stranger.test(&history("adds")).await.unwrap(), None);
}

fn search(text: &str) -> SearchRequest {
    SearchRequest { text: text.into(), project: None, service: None, now: noon(), days: 30, limit: 10 }
}

#[tokio::test]
async fn tests_are_found_by_a_part_of_their_name_whatever_the_case() {
    let rows = a_test_through_time();
    let found = answers(&rows).search(&search("  ADD ")).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].executions, found[0].failures), ("adds", 5, 3));
    let all = answers(&rows).search(&search("cart.test")).await.unwrap();
    assert_eq!(all.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["adds", "removes"]);
    let one = SearchRequest { limit: 1, ..search("cart.test") };
    assert_eq!(answers(&rows).search(&one).await.unwrap().len(), 1);
}

#[tokio::test]
async fn letters_that_mean_something_in_sql_mean_themselves_in_a_search() {
    let odd = test("1", "100%_done 'quoted' \\ $1", TestStatus::Passed, 1.0, "2026-03-09T00:00:00Z");
    let plain = test("1", "adds", TestStatus::Passed, 1.0, "2026-03-09T00:00:00Z");
    let rows = Arc::new(Rows::new().memory([odd.into(), plain.into()]));
    for text in ["100%", "%_", "'quoted'", "\\", "$1", "' OR 1=1 --"] {
        let found = answers(&rows).search(&search(text)).await.unwrap();
        let expected = usize::from(!text.contains("OR"));
        assert_eq!(found.len(), expected, "{text}");
    }
    assert!(answers(&rows).search(&search("   ")).await.unwrap().is_empty());
}

#[tokio::test]
async fn days_far_back_do_not_overflow() {
    let rows = week_of_services();
    let ancient = ServicesRequest { now: Timestamp::from_seconds(0), days: u32::MAX, project: None };
    assert_eq!(answers(&rows).services(&ancient).await.unwrap().days.len(), 366);
    let whole = ServiceRequest { days: 40_000, ..everything() };
    assert_eq!(answers(&rows).service(&whole).await.unwrap().unwrap().runs_total, 6);
}
