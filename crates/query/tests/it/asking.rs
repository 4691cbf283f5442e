//! Questions asked by parameters, on small stores with known contents.

use std::sync::Arc;

use manometer_model::records::{Artifact, Commit, Coverage, Job, Run, Sample, Test};
use manometer_model::{Conclusion, Record, Status, TestId, TestStatus, Timestamp};
use manometer_query::answers::{
    AnswerError, Answers, Bucket, CompareRequest, FailuresRequest, Flat as _, HistoryRequest, Question,
    SlowestRequest, TrendRequest, Unit,
};
use manometer_query::{Access, Source};

use crate::fixture::{Rows, at, engine, noon};

async fn ask_as<Q: Question>(
    rows: &Arc<Rows>,
    access: Access,
    asked: &[(&str, &str)],
) -> Result<Q::Answer, AnswerError> {
    let source: Arc<dyn Source> = rows.clone();
    let pairs: Vec<(String, String)> =
        asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Answers::new(engine(), source, access).ask::<Q>(pairs, noon()).await
}

async fn ask<Q: Question>(rows: &Arc<Rows>, asked: &[(&str, &str)]) -> Q::Answer {
    ask_as::<Q>(rows, Access::All, asked).await.unwrap_or_else(|error| panic!("{asked:?}: {error}"))
}

async fn refused<Q: Question>(rows: &Arc<Rows>, asked: &[(&str, &str)]) -> (&'static str, String) {
    match ask_as::<Q>(rows, Access::All, asked).await {
        Ok(_) => panic!("{asked:?} was answered"),
        Err(error) => (error.code(), error.to_string()),
    }
}

/// A completed run on `main`, that many hours after midnight of 1 March 2026.
fn run(id: usize, hours: f64, seconds: f64, sha: &str) -> Run {
    let started_at = at("2026-03-01T00:00:00Z").plus_seconds(hours * 3_600.0);
    Run {
        provider: "ci".into(),
        project: "acme/shop".into(),
        service: Some("cart".into()),
        pipeline: Some("build".into()),
        run_id: id.to_string(),
        attempt: 1,
        branch: Some("main".into()),
        is_default_branch: Some(true),
        commit_sha: Some(sha.into()),
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        started_at: Some(started_at),
        finished_at: Some(started_at.plus_seconds(seconds)),
        duration_seconds: Some(seconds),
        ..Run::default()
    }
}

fn test_of(run: &Run, name: &str, status: TestStatus, seconds: f64, when: Timestamp) -> Test {
    Test {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        pipeline: run.pipeline.clone(),
        run_id: run.run_id.clone(),
        run_attempt: run.attempt,
        branch: run.branch.clone(),
        is_default_branch: run.is_default_branch,
        commit_sha: run.commit_sha.clone(),
        test_id: TestId::new("unit", "cart.Test", name, "", 0),
        suite: Some("unit".into()),
        classname: Some("cart.Test".into()),
        name: name.into(),
        status,
        duration_seconds: Some(seconds),
        attempt: 1,
        is_final: true,
        at: when,
        ..Test::default()
    }
}

#[tokio::test]
async fn a_trend_has_every_bucket_and_a_gap_is_no_zero() {
    let records: Vec<Record> =
        vec![run(1, 1.0, 10.0, "a1").into(), run(2, 2.0, 30.0, "a2").into(), run(3, 50.0, 7.0, "a3").into()];
    let rows = Arc::new(Rows::new().memory(records));
    let answer = ask::<TrendRequest>(&rows, &[("range", "2026-03-01..2026-03-04"), ("bucket", "day")]).await;
    assert_eq!(answer.bucket, Bucket::Day);
    let points = &answer.series[0].points;
    let seen: Vec<(u64, Option<f64>, Option<f64>)> =
        points.iter().map(|point| (point.figures.count, point.figures.p50, point.figures.mean)).collect();
    assert_eq!(seen, [(2, Some(20.0), Some(20.0)), (0, None, None), (1, Some(7.0), Some(7.0))]);
    assert_eq!(points[1].at, at("2026-03-02T00:00:00Z"));
    assert_eq!(answer.series[0].total.count, 3);
    assert_eq!(answer.unit, Unit::Seconds);
    assert!(answer.csv().contains("all,2026-03-02T00:00:00.000000Z,0,,,,,run-duration,seconds\n"));
}

#[tokio::test]
async fn rates_sizes_coverage_and_samples_are_measures_like_any_other() {
    let good = run(1, 1.0, 10.0, "a1");
    let bad = Run { conclusion: Some(Conclusion::Failure), ..run(2, 2.0, 10.0, "a2") };
    let cancelled = Run { conclusion: Some(Conclusion::Cancelled), ..run(3, 2.5, 10.0, "a3") };
    let when = at("2026-03-01T03:00:00Z");
    let project = || ("ci".to_owned(), "acme/shop".to_owned(), Some("cart".to_owned()));
    let (provider, of, service) = project();
    let records: Vec<Record> = vec![
        good.into(),
        bad.into(),
        cancelled.into(),
        Coverage {
            provider: provider.clone(),
            project: of.clone(),
            service: service.clone(),
            run_id: "1".into(),
            run_attempt: 1,
            scope: "total".into(),
            lines_covered: Some(30),
            lines_valid: Some(40),
            at: when,
            ..Coverage::default()
        }
        .into(),
        Coverage {
            provider: provider.clone(),
            project: of.clone(),
            run_id: "1".into(),
            run_attempt: 1,
            scope: "file".into(),
            name: Some("a.rs".into()),
            lines_covered: Some(1),
            lines_valid: Some(4),
            at: when,
            ..Coverage::default()
        }
        .into(),
        Artifact {
            provider: provider.clone(),
            project: of.clone(),
            run_id: "1".into(),
            run_attempt: 1,
            name: "image".into(),
            size_bytes: 5_000,
            at: when,
            ..Artifact::default()
        }
        .into(),
        Sample {
            provider: provider.clone(),
            project: of.clone(),
            name: "ram.peak_mb".into(),
            value: 12.5,
            unit: Some("megabytes".into()),
            at: when,
            ..Sample::default()
        }
        .into(),
        Job {
            provider,
            project: of,
            run_id: "1".into(),
            run_attempt: 1,
            job_id: "1".into(),
            name: Some("unit".into()),
            runner_pool: Some("large".into()),
            queued_at: Some(when),
            started_at: Some(when.plus_seconds(42.0)),
            queue_seconds: Some(42.0),
            ..Job::default()
        }
        .into(),
    ];
    let rows = Arc::new(Rows::new().memory(records));
    let total = async |asked: &[(&str, &str)]| {
        let answer = ask::<TrendRequest>(&rows, &[asked, &[("since", "2026-03-01")]].concat()).await;
        let total = answer.series[0].total;
        (total.count, total.mean, answer.unit)
    };
    assert_eq!(total(&[("measure", "success-rate")]).await, (2, Some(0.5), Unit::Share));
    assert_eq!(total(&[("measure", "coverage")]).await, (1, Some(0.75), Unit::Share));
    assert_eq!(total(&[("measure", "coverage"), ("name", "a.rs")]).await, (1, Some(0.25), Unit::Share));
    assert_eq!(
        total(&[("measure", "artifact-size"), ("name", "image")]).await,
        (1, Some(5_000.0), Unit::Bytes)
    );
    let sample = total(&[("measure", "sample"), ("name", "ram.peak_mb")]).await;
    assert_eq!(sample, (1, Some(12.5), Unit::Other("megabytes".into())));
    assert_eq!(total(&[("measure", "queue-time"), ("job", "unit")]).await, (1, Some(42.0), Unit::Seconds));
    let pools =
        ask::<TrendRequest>(&rows, &[("measure", "queue-time"), ("group", "pool"), ("since", "2026-03-01")])
            .await;
    assert_eq!(pools.series[0].label, "large");
}

#[tokio::test]
async fn groups_are_the_largest_and_the_others_are_counted() {
    let mut records: Vec<Record> = Vec::new();
    for number in 0..30 {
        let service = ["cart", "web", "api"][usize::from(number % 3 == 0) + usize::from(number % 9 == 0)];
        records.push(Run { service: Some(service.into()), ..run(number, number as f64, 5.0, "a1") }.into());
    }
    records.push(Run { service: None, ..run(99, 99.0, 5.0, "a1") }.into());
    let rows = Arc::new(Rows::new().memory(records));
    let asked = [("group", "service"), ("groups", "2"), ("since", "2026-03-01")];
    let answer = ask::<TrendRequest>(&rows, &asked).await;
    let seen: Vec<(&str, u64)> =
        answer.series.iter().map(|series| (series.label.as_str(), series.total.count)).collect();
    assert_eq!((seen, answer.groups_left_out), (vec![("cart", 20), ("web", 6)], 2));
    let counted: u64 = answer.series[1].points.iter().map(|point| point.figures.count).sum();
    assert_eq!(counted, 6);
    let all = ask::<TrendRequest>(&rows, &[("group", "service"), ("since", "2026-03-01")]).await;
    assert!(
        all.series.iter().any(|series| series.label == "shop"),
        "a run without a service goes by its project"
    );
}

#[tokio::test]
async fn the_last_runs_are_those_of_the_scope_and_their_tests_alone() {
    let mut records: Vec<Record> = Vec::new();
    for number in 0..10 {
        let one = run(number, number as f64, number as f64, "a1");
        records
            .push(test_of(&one, "adds", TestStatus::Passed, number as f64, one.started_at.unwrap()).into());
        records.push(one.into());
        let other = Run { service: Some("web".into()), ..run(100 + number, number as f64, 1.0, "a1") };
        records.push(other.into());
    }
    let rows = Arc::new(Rows::new().memory(records));
    let asked = [("service", "cart"), ("range", "last 3 runs")];
    let runs = ask::<TrendRequest>(&rows, &asked).await;
    assert_eq!((runs.series[0].total.count, runs.series[0].total.mean), (3, Some(8.0)));
    assert_eq!(runs.range.since, at("2026-03-01T07:00:00Z"));
    let tests = ask::<TrendRequest>(&rows, &[&asked[..], &[("measure", "test-duration")]].concat()).await;
    assert_eq!((tests.series[0].total.count, tests.series[0].total.mean), (3, Some(8.0)));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_answered_with_what_would_be_right() {
    let rows = Arc::new(Rows::new().memory([Record::from(run(1, 1.0, 1.0, "abcdef01"))]));
    for (asked, expected) in [
        (&[("mesure", "x")][..], "measure"),
        (&[("measure", "speed")][..], "run-duration"),
        (&[("group", "planet")][..], "service"),
        (&[("group", "test")][..], "service, project"),
        (&[("measure", "sample")][..], "by its name"),
        (&[("job", "lint")][..], "does not narrow run-duration"),
        (&[("since", "soon")][..], "30d"),
        (&[("bucket", "minute")][..], "hour, day, week"),
        (&[("bucket", "hour"), ("since", "1y")][..], "longer one"),
    ] {
        let (code, message) = refused::<TrendRequest>(&rows, asked).await;
        assert!(code == "parameter" && message.contains(expected), "{asked:?}: {code} {message}");
    }
    let (code, message) = refused::<TrendRequest>(&rows, &[("service", "crat")]).await;
    assert_eq!(code, "not_found");
    assert!(message.contains("`crat`") && message.contains("cart"), "{message}");
    for (asked, expected) in [
        (&[][..], "commit, merge, date"),
        (&[("commit", "a"), ("date", "1d")][..], "only one"),
        (&[("against", "main")][..], "branch:"),
        (&[("commit", "abcd"), ("since", "2026-03-05")][..], "does not lie between"),
    ] {
        let (code, message) = refused::<CompareRequest>(&rows, asked).await;
        assert!(code == "parameter" && message.contains(expected), "{asked:?}: {code} {message}");
    }
}

/// A hundred runs an hour apart: from the 50th on, whose commit is `bbbb0000`, their tests take twice as long.
fn before_and_after() -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for number in 0..100_usize {
        let sha = if number == 50 { "bbbb0000".to_owned() } else { format!("aa{number:06}") };
        let one = run(number, number as f64, 100.0, &sha);
        let factor = if number < 50 { 1.0 } else { 2.0 };
        for step in 1..=20_usize {
            let seconds = factor * (step as f64 + (number % 5) as f64 * 0.01);
            // The tests end long after their run began: by then the next run has begun.
            let when = one.started_at.unwrap().plus_seconds(4_000.0);
            let name = format!("test_{step}");
            records.push(test_of(&one, &name, TestStatus::Passed, seconds, when).into());
        }
        records.push(one.into());
    }
    let pushed_at = at("2026-03-03T01:59:00Z");
    records.push(
        Commit {
            project: "acme/shop".into(),
            sha: "bbbb0000".into(),
            title: Some("Bring in the new validation library".into()),
            branch: Some("main".into()),
            change_id: Some("4711".into()),
            pushed_at: Some(pushed_at),
            updated_at: Some(pushed_at),
            ..Commit::default()
        }
        .into(),
    );
    records
}

#[tokio::test]
async fn a_comparison_is_drawn_where_the_first_run_of_the_commit_began() {
    let mut records = before_and_after();
    // A re-run of an early run, long after: it stands where its first attempt stood.
    let again =
        Run { attempt: 2, started_at: Some(at("2026-03-05T00:00:00Z")), ..run(10, 96.0, 100.0, "aa000010") };
    records.push(test_of(&again, "test_1", TestStatus::Passed, 1.0, at("2026-03-05T00:10:00Z")).into());
    records.push(again.into());
    let rows = Arc::new(Rows::new().memory(records));
    for line in
        [("commit", "bbbb"), ("commit", "validation library"), ("merge", "#4711"), ("merge", "bbbb0000")]
    {
        let answer = ask::<CompareRequest>(&rows, &[("measure", "test-duration"), line]).await;
        assert_eq!(answer.anchor.commit_sha.as_deref(), Some("bbbb0000"), "{line:?}");
        assert_eq!(answer.anchor.at, Some(at("2026-03-03T02:00:00Z")));
        assert_eq!(answer.anchor.title.as_deref(), Some("Bring in the new validation library"));
        assert_eq!((answer.before.rows, answer.after.rows), (1_001, 1_000), "{line:?}");
        assert_eq!((answer.before.runs, answer.after.runs), (51, 50));
        assert_eq!(answer.direction, "worse");
        let p50 = &answer.numbers[0];
        assert!(p50.is_headline && (p50.ratio.unwrap() - 2.0).abs() < 0.12, "{p50:?}");
        assert!(p50.ratio_low.unwrap() > 1.5 && p50.ratio_high.unwrap() < 2.5, "{p50:?}");
        assert!(
            answer.verdict.starts_with("p50 slower by 1") && answer.verdict.contains("95 % CI"),
            "{}",
            answer.verdict
        );
        assert!(answer.verdict.contains("1,001 vs 1,000 tests in 51 vs 50 runs"), "{}", answer.verdict);
        assert!(answer.effect.unwrap() > 0.3, "{:?}", answer.effect);
    }
}

#[tokio::test]
async fn a_verdict_can_be_about_another_quantile_and_no_change_is_said_to_be_none() {
    let rows = Arc::new(Rows::new().memory(before_and_after()));
    let asked = [("measure", "test-duration"), ("commit", "bbbb"), ("quantile", "p95")];
    assert!(ask::<CompareRequest>(&rows, &asked).await.verdict.starts_with("p95 slower by"));
    let steady = ask::<CompareRequest>(&rows, &[("measure", "test-duration"), ("date", "2026-03-02")]).await;
    assert_eq!(steady.direction, "worse", "half of the later side is slower: {}", steady.verdict);
    let runs = ask::<CompareRequest>(&rows, &[("commit", "bbbb")]).await;
    assert_eq!(runs.direction, "steady");
    assert!(
        runs.verdict.starts_with("no clear change of p50") && runs.verdict.contains("50 vs 50 runs"),
        "{}",
        runs.verdict
    );
    assert!(
        runs.notes.iter().any(|note| note.contains("too few") || note.contains("Too few")),
        "{:?}",
        runs.notes
    );
}

#[tokio::test]
async fn branches_are_compared_side_by_side_and_rates_in_points() {
    let mut records: Vec<Record> = Vec::new();
    for number in 0..200_usize {
        let is_main = number % 2 == 0;
        let fails = if is_main { number % 20 == 0 } else { number % 4 == 1 };
        let conclusion = if fails { Conclusion::Failure } else { Conclusion::Success };
        let branch = if is_main { "main" } else { "next" };
        let one = run(number, number as f64, 10.0, "a1");
        records.push(Run { branch: Some(branch.into()), conclusion: Some(conclusion), ..one }.into());
    }
    let rows = Arc::new(Rows::new().memory(records));
    let asked = [("measure", "failure-rate"), ("branch", "main"), ("against", "next")];
    let answer = ask::<CompareRequest>(&rows, &asked).await;
    let share = &answer.numbers[0];
    assert_eq!((share.before, share.after), (Some(0.1), Some(0.5)));
    assert_eq!((answer.before.rows, answer.after.rows), (100, 100));
    assert!((share.change.unwrap() - 0.4).abs() < 1e-12 && share.change_low.unwrap() > 0.2);
    assert!(answer.verdict.starts_with("failure-rate higher by 40.0 points (95 % CI"), "{}", answer.verdict);
    let (code, message) = refused::<CompareRequest>(&rows, &[("branch", "main"), ("against", "nxt")]).await;
    assert!(code == "not_found" && message.contains("next"), "{code} {message}");
}

#[tokio::test]
async fn an_unknown_commit_is_answered_with_near_ones() {
    let rows = Arc::new(Rows::new().memory(before_and_after()));
    let (code, message) = refused::<CompareRequest>(&rows, &[("commit", "bbbb1111")]).await;
    assert!(
        code == "not_found" && message.contains("begin alike") && message.contains("bbbb0000"),
        "{message}"
    );
    let (_, message) = refused::<CompareRequest>(&rows, &[("commit", "ffff0000")]).await;
    assert!(message.contains("newest commits") && message.contains("aa000099"), "{message}");
    let (_, message) = refused::<CompareRequest>(&rows, &[("merge", "12")]).await;
    assert!(message.contains("change 12"), "{message}");
    let (_, message) = refused::<CompareRequest>(&rows, &[("commit", "aa00")]).await;
    assert!(message.contains("more letters"), "{message}");
}

#[tokio::test]
async fn what_is_slowest_is_ranked_by_p95_total_and_growth() {
    let mut records: Vec<Record> = Vec::new();
    for number in 0..240_usize {
        let one = run(number, number as f64, 10.0, "a1");
        let late = number >= 108;
        let when = one.started_at.unwrap();
        records.push(test_of(&one, "steady", TestStatus::Passed, 5.0, when).into());
        records.push(test_of(&one, "grown", TestStatus::Passed, if late { 2.0 } else { 1.0 }, when).into());
        if number % 40 == 0 {
            records.push(test_of(&one, "rare", TestStatus::Passed, 100.0, when).into());
        }
        records.push(one.into());
    }
    let rows = Arc::new(Rows::new().memory(records));
    let named = async |asked: &[(&str, &str)]| {
        let until = [("until", "2026-03-10T00:00:00Z"), ("since", "2026-03-05T12:00:00Z")];
        let answer = ask::<SlowestRequest>(&rows, &[asked, &until].concat()).await;
        answer.lines.into_iter().map(|line| (line.label, line.growth)).collect::<Vec<_>>()
    };
    let by_p95 = named(&[]).await;
    assert_eq!(by_p95[0], ("cart.Test.steady".into(), Some(0.0)), "one rare execution is not enough");
    assert_eq!(named(&[("min", "1")]).await[0].0, "cart.Test.rare");
    assert_eq!(named(&[("by", "total")]).await[0].0, "cart.Test.steady");
    assert_eq!(
        named(&[("by", "growth")]).await,
        [("cart.Test.grown".into(), Some(1.0)), ("cart.Test.steady".into(), Some(0.0))]
    );
    let services = named(&[("of", "services")]).await;
    assert_eq!(services.len(), 1);
    assert_eq!(services[0].0, "cart");
}

#[tokio::test]
async fn failures_of_one_cause_stand_together_with_their_first_commit_and_new_ones_are_marked() {
    let failed = |number: usize, hours: f64, name: &str, fingerprint: Option<&str>, service: &str| {
        let one = Run { service: Some(service.into()), ..run(number, hours, 10.0, &format!("c{number}")) };
        let when = one.started_at.unwrap();
        Test {
            failure_message: fingerprint.map(|cause| format!("{cause} after {number} s")),
            failure_fingerprint: fingerprint.map(str::to_owned),
            ..test_of(&one, name, TestStatus::Failed, 1.0, when)
        }
    };
    let records: Vec<Record> = vec![
        failed(1, -480.0, "a", Some("old"), "cart").into(),
        failed(2, 100.0, "a", Some("old"), "cart").into(),
        failed(3, 120.0, "a", Some("timeout"), "web").into(),
        failed(4, 110.0, "b", Some("timeout"), "cart").into(),
        failed(5, 130.0, "b", Some("timeout"), "cart").into(),
        failed(6, 131.0, "c", None, "cart").into(),
    ];
    let rows = Arc::new(Rows::new().memory(records));
    let answer = ask::<FailuresRequest>(&rows, &[]).await;
    assert_eq!((answer.failures_total, answer.causes_total), (5, 3));
    let timeout = &answer.causes[0];
    assert_eq!((timeout.failures, timeout.tests, timeout.runs, timeout.is_new), (3, 2, 3, true));
    assert_eq!(timeout.first_commit.as_deref(), Some("c4"));
    assert_eq!(timeout.message.as_deref(), Some("timeout after 5 s"));
    let services: Vec<_> =
        timeout.services.iter().map(|place| (place.name.as_deref(), place.failures)).collect();
    assert_eq!(services, [(Some("cart"), 2), (Some("web"), 1)]);
    assert_eq!(timeout.failing_tests[0].name, "b");
    let old = answer.causes.iter().find(|cause| cause.fingerprint.as_deref() == Some("old")).unwrap();
    assert!(!old.is_new);
    let silent = answer.causes.iter().find(|cause| cause.fingerprint.is_none()).unwrap();
    assert!(!silent.is_new && silent.services.len() == 1);
    let new = ask::<FailuresRequest>(&rows, &[("new", "true")]).await;
    assert_eq!(new.causes.len(), 1);
}

#[tokio::test]
async fn a_history_is_of_one_test_by_its_name_or_id() {
    let mut records: Vec<Record> = Vec::new();
    for number in 0..6_usize {
        let branch = if number < 4 { "main" } else { "next" };
        let one = Run {
            branch: Some(branch.into()),
            ..run(number, number as f64, 10.0, &format!("c{}", number / 2))
        };
        let status = if number == 3 { TestStatus::Failed } else { TestStatus::Passed };
        records.push(test_of(&one, "adds", status, number as f64, one.started_at.unwrap()).into());
        let other = Run { service: Some("web".into()), ..one.clone() };
        records.push(test_of(&other, "removes", TestStatus::Skipped, 0.0, one.started_at.unwrap()).into());
        records.push(test_of(&one, "removes", TestStatus::Passed, 1.0, one.started_at.unwrap()).into());
        records.push(one.into());
    }
    let rows = Arc::new(Rows::new().memory(records));
    let id = TestId::new("unit", "cart.Test", "adds", "", 0).to_string();
    for test in ["adds", id.as_str()] {
        let answer = ask::<HistoryRequest>(&rows, &[("test", test)]).await;
        assert_eq!((answer.total.passed, answer.total.failed), (5, 1));
        assert_eq!(answer.test_id, id);
        let branches: Vec<_> =
            answer.branches.iter().map(|line| (line.branch.as_deref(), line.outcomes.failed)).collect();
        assert_eq!(branches, [(Some("main"), 1), (Some("next"), 0)]);
        let commits: Vec<_> = answer.commits.iter().map(|line| line.commit_sha.as_deref().unwrap()).collect();
        assert_eq!(commits, ["c2", "c1", "c0"]);
        assert_eq!(answer.executions[0].run_id, "5");
    }
    let (_, message) = refused::<HistoryRequest>(&rows, &[("test", "removes")]).await;
    assert!(message.contains("several") && message.contains("web"), "{message}");
    let skipped = ask::<HistoryRequest>(&rows, &[("test", "removes"), ("service", "web")]).await;
    assert_eq!((skipped.total.skipped, skipped.total.failure_rate), (6, None));
    let (code, message) = refused::<HistoryRequest>(&rows, &[("test", "add")]).await;
    assert!(code == "not_found" && message.contains("adds"), "{message}");
}

#[tokio::test]
async fn nothing_of_other_projects_is_seen_or_named() {
    let mut records = before_and_after();
    records.push(
        Run {
            project: "secret/vault".into(),
            service: Some("vault".into()),
            ..run(500, 5.0, 9.0, "dddd0000")
        }
        .into(),
    );
    let rows = Arc::new(Rows::new().memory(records));
    let ours = || Access::projects(["secret/vault"]);
    let answer = ask_as::<TrendRequest>(&rows, ours(), &[]).await.unwrap();
    assert_eq!(answer.series[0].total.count, 1);
    for asked in [&[("commit", "bbbb0000")], &[("commit", "validation")], &[("merge", "4711")]] {
        let message = ask_as::<CompareRequest>(&rows, ours(), asked).await.unwrap_err().to_string();
        assert!(!message.contains("bbbb0000,") && !message.contains("Bring in"), "{message}");
    }
    let message =
        ask_as::<TrendRequest>(&rows, ours(), &[("service", "cart")]).await.unwrap_err().to_string();
    assert!(message.contains("vault") && !message.contains("acme"), "{message}");
}
