//! Whatever rows came, in whatever order, flushed and merged whenever, and whatever is asked: roll-ups answer as the
//! rows do.

use std::sync::{Arc, LazyLock};

use manometer_model::records::Test;
use manometer_model::{TestId, TestStatus, Timestamp};
use manometer_query::{Access, Engine, RollupUse, Source};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

use crate::fixture::at;
use crate::rollups::{csv, deliver, engine_using, open};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static FROM_ROWS: LazyLock<Engine> = LazyLock::new(|| engine_using(RollupUse::Never));
static FROM_ROLLUPS: LazyLock<Engine> = LazyLock::new(|| engine_using(RollupUse::Always));
static FROM_EITHER: LazyLock<Engine> = LazyLock::new(|| engine_using(RollupUse::WhereSmaller));

/// What happens to a store.
#[derive(Debug, Clone)]
enum Step {
    Deliver(Vec<Test>),
    /// A delivery that was sent before, again.
    Repeat(Index),
    Flush,
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(row(), 0..40).prop_map(Step::Deliver),
        1 => any::<Index>().prop_map(Step::Repeat),
        2 => Just(Step::Flush),
        1 => Just(Step::Compact),
    ]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let since = |day: &'static str, seconds: i64| {
        (0..seconds * 1_000_000).prop_map(move |micros| Timestamp::from_micros(at(day).as_micros() + micros))
    };
    prop_oneof![
        8 => since("2026-03-01T00:00:00Z", 4 * 86_400),
        // Late by months, and of the first and last moment of an hour.
        1 => since("2025-12-30T00:00:00Z", 4 * 86_400),
        1 => (0..96_i64).prop_map(|hour| at("2026-03-01T00:00:00Z").plus_seconds(hour as f64 * 3_600.0)),
        1 => (0..96_i64).prop_map(|hour| {
            Timestamp::from_micros(at("2026-03-01T00:00:00Z").as_micros() + hour * 3_600_000_000 - 1)
        }),
    ]
}

fn maybe(names: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.8, select(names)).prop_map(|name| name.map(str::to_owned))
}

fn row() -> impl Strategy<Value = Test> {
    let names = (
        select(&["shop", "blog"][..]),
        maybe(&["cart", "pay"]),
        maybe(&["ci", "nightly"]),
        maybe(&["main", "fix/a-branch-with-a-long-name", "fix/2"]),
        maybe(&["unit", "e2e"]),
        (select(&["1", "2", "30"][..]), 1..3_i64, maybe(&["a", "b"])),
    );
    let status =
        select(&[TestStatus::Passed, TestStatus::Failed, TestStatus::Error, TestStatus::Skipped][..]);
    let duration = prop::option::weighted(0.9, prop_oneof![Just(0.0), 0.0001..5_000.0]);
    (names, status, any::<bool>(), 0..4_u8, duration, moment()).prop_map(
        |(names, status, is_final, number, duration_seconds, at)| {
            let (project, service, pipeline, branch, job_name, (run_id, run_attempt, job_id)) = names;
            let name = format!("test_{number}");
            Test {
                provider: "ci".into(),
                project: project.into(),
                service,
                pipeline,
                is_default_branch: branch.as_ref().map(|branch| branch == "main"),
                branch,
                job_name,
                run_id: run_id.into(),
                run_attempt,
                job_id,
                test_id: TestId::new("", "", &name, "", 0),
                name,
                status,
                duration_seconds,
                attempt: 1,
                is_final,
                at,
                ..Test::default()
            }
        },
    )
}

const GROUPS: &[&str] = &[
    "date_trunc('day', at)",
    "date_trunc('hour', at)",
    "date_trunc('week', at)",
    "date_trunc('minute', at)",
    "date_bin(INTERVAL '6 hours', at)",
    "date_bin(INTERVAL '90 minutes', at)",
    "date_bin(INTERVAL '1 month', at)",
    "date_bin(INTERVAL '1 day', at, TIMESTAMP '2026-01-01T06:00:00')",
    "floor(extract(epoch FROM at) / 3600) * 3600",
    "floor(extract(epoch FROM at) / 86400) * 86400",
    "extract(hour FROM at)",
    "CAST(at AS DATE)",
    "date_trunc('day', at AT TIME ZONE 'Europe/Berlin')",
    "project",
    "service",
    "branch",
    "status",
    "is_final",
    "coalesce(job_name, pipeline, 'none')",
    "run_id",
    "run_attempt % 2",
    "job_id",
    "name",
];

const FILTERS: &[&str] = &[
    "branch = 'main'",
    "branch LIKE 'fix/%'",
    "is_default_branch",
    "status <> 'passed'",
    "status IN ('failed', 'error')",
    "service IS NULL",
    "is_final",
    "NOT is_final",
    "(service = 'cart' OR job_name = 'unit')",
    "project = 'shop'",
    "run_id IN ('1', '30')",
    "job_id IS NOT NULL AND run_attempt > 1",
    "name = 'test_1'",
    "duration_seconds > 100",
    "extract(dow FROM at) BETWEEN 1 AND 5",
    "date_trunc('day', at) <> TIMESTAMP '2026-03-02T00:00:00'",
    "extract(minute FROM at) < 30",
];

const AGGREGATES: &[&str] = &[
    "count(*)",
    "count(duration_seconds)",
    "count(service)",
    "sum(duration_seconds)",
    "avg(duration_seconds)",
    "min(duration_seconds)",
    "max(duration_seconds)",
    "min(at)",
    "max(at)",
    "max(branch)",
    "min(date_trunc('day', at))",
    "count(*) FILTER (WHERE status = 'failed')",
    "sum(duration_seconds) FILTER (WHERE is_final AND branch = 'main')",
    "sum(CASE WHEN status IN ('failed', 'error') THEN 1 ELSE 0 END)",
    "avg(CASE WHEN status = 'failed' THEN 1.0 ELSE 0.0 END)",
    "p95(duration_seconds)",
    "p50(duration_seconds) FILTER (WHERE status = 'passed')",
    "quantile(duration_seconds, 0.25)",
    "quantiles(duration_seconds, [0.5, 0.9, 0.99])",
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds)",
    "percentile_disc(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY duration_seconds DESC) FILTER (WHERE is_final)",
    "count(DISTINCT branch)",
    "count(DISTINCT run_id)",
    "sum(run_attempt)",
    "count(DISTINCT name)",
];

fn bound() -> impl Strategy<Value = String> {
    prop_oneof![
        moment().prop_map(|moment| format!("'{moment}'")),
        (0..5_i64).prop_map(|day| format!("'2026-03-0{}T00:00:00Z'", day + 1)),
        (0..24_i64).prop_map(|hour| format!("TIMESTAMP '2026-03-02T{hour:02}:00:00'")),
        (150..240_i64).prop_map(|hours| format!("now() - INTERVAL '{hours} hours'")),
    ]
}

/// A condition on `at`; its ends may be in the wrong order.
fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        (bound(), bound()).prop_map(|(from, until)| format!("at >= {from} AND at < {until}")),
        (bound(), bound()).prop_map(|(from, until)| format!("at > {from} AND at <= {until}")),
        (bound(), bound()).prop_map(|(from, until)| format!("at BETWEEN {from} AND {until}")),
        bound().prop_map(|from| format!("at >= {from}")),
        bound().prop_map(|until| format!("{until} > at")),
    ]
}

fn question() -> impl Strategy<Value = String> {
    (
        subsequence(GROUPS, 0..3),
        subsequence(FILTERS, 0..3),
        prop::option::of(time()),
        subsequence(AGGREGATES, 1..5),
        any::<bool>(),
    )
        .prop_map(|(groups, filters, time, aggregates, is_nested)| {
            let conditions: Vec<String> =
                filters.iter().map(|filter| (*filter).to_owned()).chain(time).collect();
            let condition = if conditions.is_empty() {
                String::new()
            } else {
                format!("WHERE {}", conditions.join(" AND "))
            };
            let columns: Vec<&str> = groups.iter().chain(&aggregates).copied().collect();
            let numbers: Vec<String> = (1..=groups.len()).map(|number| number.to_string()).collect();
            let grouped =
                if groups.is_empty() { String::new() } else { format!("GROUP BY {}", numbers.join(", ")) };
            let from = if is_nested { "(SELECT * FROM tests AS t) AS t" } else { "tests" };
            format!("SELECT {} FROM {from} {condition} {grouped}", columns.join(", "))
        })
}

/// The rows of an answer, in one order.
fn lines(answer: &str) -> Vec<Vec<&str>> {
    let mut lines: Vec<Vec<&str>> = answer.lines().map(|line| line.split(',').collect()).collect();
    lines.sort_unstable();
    lines
}

/// Sums of floats depend on the order in which they are added, in the last digits.
fn is_same(left: &str, right: &str) -> bool {
    let near = |left: f64, right: f64| (left - right).abs() <= 1e-9 * left.abs().max(right.abs());
    left == right || matches!((left.parse(), right.parse()), (Ok(left), Ok(right)) if near(left, right))
}

fn compare(source: &Arc<dyn Source>, sql: &str, access: &Access) -> Result<(), TestCaseError> {
    let answer = |engine: &Engine| RUNTIME.block_on(csv(engine, source, sql, access.clone()));
    let expected = answer(&FROM_ROWS);
    for engine in [&*FROM_ROLLUPS, &*FROM_EITHER] {
        let found = answer(engine);
        let (Ok(expected), Ok(found)) = (&expected, &found) else {
            prop_assert_eq!(&found, &expected, "{}", sql);
            continue;
        };
        let (wanted, given) = (lines(expected), lines(found));
        let is_equal = wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(wanted, given)| {
                wanted.len() == given.len()
                    && wanted.iter().zip(given).all(|(wanted, given)| is_same(wanted, given))
            });
        prop_assert!(is_equal, "{sql}\nfrom rows:\n{expected}\nfrom roll-ups:\n{found}");
    }
    Ok(())
}

/// Were all of them answered from rows, comparing answers would prove nothing.
#[test]
fn many_questions_of_the_kind_asked_here_are_answered_from_rollups() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut runner = TestRunner::deterministic();
    let rows = prop::collection::vec(row(), 200).new_tree(&mut runner).unwrap().current();
    deliver(&store, "rows", &rows);
    store.flush().unwrap();
    let source: Arc<dyn Source> = store.snapshot();
    let mut from_rollups = 0;
    for _ in 0..100 {
        let sql = question().new_tree(&mut runner).unwrap().current();
        let sql = format!("EXPLAIN {sql}");
        let explained = |engine: &Engine| RUNTIME.block_on(csv(engine, &source, &sql, Access::All));
        let plan = match explained(&FROM_ROLLUPS) {
            Ok(plan) => plan,
            // Two groups that the engine gives one name; of rows they are refused as well.
            Err(refused) => {
                assert!(refused.contains("require unique expression names"), "{sql}: {refused}");
                assert_eq!(explained(&FROM_ROWS), Err(refused), "{sql}");
                continue;
            }
        };
        from_rollups += usize::from(plan.contains("_hourly") || plan.contains("_daily"));
    }
    assert!((20..100).contains(&from_rollups), "{from_rollups} of 100");
    store.close();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn rollups_answer_as_the_rows_do(
        steps in prop::collection::vec(step(), 1..12),
        questions in prop::collection::vec(question(), 12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut sent: Vec<Vec<Test>> = Vec::new();
        for step in &steps {
            match step {
                Step::Deliver(rows) => {
                    deliver(&store, &format!("delivery {}", sent.len()), rows);
                    sent.push(rows.clone());
                }
                Step::Repeat(which) if !sent.is_empty() => {
                    let number = which.index(sent.len());
                    deliver(&store, &format!("delivery {number}"), &sent[number]);
                }
                Step::Repeat(_) => {}
                Step::Flush => drop(store.flush().unwrap()),
                Step::Compact => drop(store.compact().unwrap()),
            }
        }
        let source: Arc<dyn Source> = store.snapshot();
        for sql in &questions {
            compare(&source, sql, &Access::All)?;
            compare(&source, sql, &Access::projects(["shop"]))?;
        }
        store.close();
        let report = manometer_store::check(folder.path(), &mut |_| {}).unwrap();
        prop_assert!(report.problems.is_empty(), "{:?}", report.problems);
    }
}
