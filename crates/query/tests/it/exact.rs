//! Exact percentiles: those of PostgreSQL to the last bit, of more values than are held as of few.

use std::sync::Arc;

use manometer_model::Limits;
use manometer_model::records::Sample;
use manometer_query::{Access, LimitOverrides, QueryError, QueryRequest, Source};

use crate::fixture::{Rows, at, csv, csv_as, engine_with};
use crate::postgres::Peer;
use crate::{duckdb, fixture};

/// A prime: what `(value * 7919) % PRIME` makes of 1 to `PRIME - 1` is the same numbers in another order.
const PRIME: u64 = 3_000_017;

/// More values than the first pass holds: 1 to `PRIME - 1`, mixed, as `x`, and the parity of each as `odd`.
fn mixed(value: &str) -> String {
    format!(
        "(SELECT {value} AS x, y % 2 = 1 AS odd, y FROM (SELECT (value * 7919) % {PRIME} AS y FROM generate_series(1, {})))",
        PRIME - 1
    )
}

/// What PostgreSQL computes over sorted values.
fn continuous(sorted: impl Fn(u64) -> f64, count: u64, probability: f64) -> f64 {
    let position = probability * (count - 1) as f64;
    let (first, second) = (sorted(position.floor() as u64), sorted(position.ceil() as u64));
    if position.floor() == position.ceil() {
        first
    } else {
        first + (position - position.floor()) * (second - first)
    }
}

async fn numbers(sql: &str) -> Vec<f64> {
    let rows = Arc::new(Rows::new());
    let text = csv(&rows, sql).await;
    let cells = text.split(['\n', ',', '[', ']', '"', ' ']).filter(|cell| !cell.is_empty());
    cells.map(|cell| cell.parse().unwrap()).collect()
}

#[tokio::test]
async fn of_more_values_than_are_held_the_answer_is_exact() {
    let count = PRIME - 1;
    let rows = mixed("y::double precision / 1000");
    let found = numbers(&format!(
        "SELECT percentile_cont(ARRAY[0, 0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY x),
                percentile_cont(0.37) WITHIN GROUP (ORDER BY x DESC),
                percentile_disc(0.5) WITHIN GROUP (ORDER BY x),
                percentile_cont(0.5) WITHIN GROUP (ORDER BY y) FILTER (WHERE y <= 2500001),
                count(*) FROM {rows}"
    ))
    .await;
    let sorted = |rank: u64| (rank + 1) as f64 / 1000.0;
    let mut expected: Vec<f64> = [0.0, 0.5, 0.95, 0.99, 1.0]
        .iter()
        .map(|probability| continuous(sorted, count, *probability))
        .collect();
    expected.push(continuous(|rank| (count - rank) as f64 / 1000.0, count, 0.37));
    expected.push(((count as f64 * 0.5).ceil()) / 1000.0);
    expected.push(1_250_001.0);
    expected.push(count as f64);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn groups_of_more_values_than_are_held_are_answered_beside_small_ones() {
    let rows = mixed("y::double precision");
    let found = numbers(&format!(
        "SELECT CASE WHEN y < 10 THEN 2 WHEN odd THEN 1 ELSE 0 END AS g, percentile_cont(0.9) WITHIN GROUP (ORDER BY x), max(x) FROM {rows} GROUP BY g ORDER BY g"
    ))
    .await;
    // Even: 10, 12, … 3000016; odd: 11, 13, … 3000015; below ten: 1 to 9.
    let even = continuous(|rank| (10 + 2 * rank) as f64, 1_500_004, 0.9);
    let odd = continuous(|rank| (11 + 2 * rank) as f64, 1_500_003, 0.9);
    let small = continuous(|rank| (1 + rank) as f64, 9, 0.9);
    assert_eq!(found, [0.0, even, 3_000_016.0, 1.0, odd, 3_000_015.0, 2.0, small, 9.0]);
}

#[tokio::test]
async fn values_that_stand_close_together_equal_ones_and_infinite_ones_are_told_apart() {
    let close = mixed("1 + y::double precision / 1e12");
    let sorted = |rank: u64| 1.0 + (rank + 1) as f64 / 1e12;
    let sql = format!("SELECT percentile_cont(0.123) WITHIN GROUP (ORDER BY x) FROM {close}");
    assert_eq!(numbers(&sql).await, [continuous(sorted, PRIME - 1, 0.123)]);

    let odd = mixed(
        "CASE WHEN y <= 1000000 THEN '-Infinity'::double precision WHEN y <= 2000000 THEN 5 WHEN y <= 2000001 THEN 6 ELSE 'NaN'::double precision END",
    );
    let sql = format!(
        "SELECT percentile_disc(ARRAY[0.1, 0.5, 0.6]) WITHIN GROUP (ORDER BY x), percentile_disc(0.9) WITHIN GROUP (ORDER BY x) FROM {odd}"
    );
    let found = numbers(&sql).await;
    assert_eq!(found[..3], [f64::NEG_INFINITY, 5.0, 5.0]);
    assert!(found[3].is_nan());

    // One bucket begins with zero, which is written in two ways.
    let zeros = mixed(
        "CASE WHEN y <= 1000000 THEN -('0'::double precision) WHEN y <= 1500000 THEN 0 WHEN y <= 2000000 THEN y * 1e-318 ELSE 1 END",
    );
    let sql =
        format!("SELECT percentile_disc(ARRAY[0.25, 0.49, 0.6, 0.7]) WITHIN GROUP (ORDER BY x) FROM {zeros}");
    let smallest = (0.6 * (PRIME - 1) as f64).ceil() * 1e-318;
    assert_eq!(numbers(&sql).await, [0.0, 0.0, smallest, 1.0]);
}

#[tokio::test]
async fn memory_is_bounded_where_rows_can_be_read_again_and_ends_with_a_word_where_not() {
    let engine = engine_with(Limits::default());
    let ask = async |rows: String| {
        let source: Arc<dyn Source> = Arc::new(Rows::new());
        let sql = format!("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM {rows}");
        let limits = LimitOverrides { memory_bytes: Some(48 << 20), ..LimitOverrides::default() };
        match engine.query(source, QueryRequest::new(sql, Access::All).with_limits(limits)).await {
            Ok(result) => result.collect().await.map(|_| ()),
            Err(error) => Err(error),
        }
    };
    ask("(SELECT value AS x FROM generate_series(1, 7000000))".to_owned()).await.unwrap();
    let first_rows = "(SELECT value AS x FROM generate_series(1, 7000000) LIMIT 7000000)".to_owned();
    assert!(matches!(ask(first_rows).await, Err(QueryError::MemoryLimit { .. })));
}

#[tokio::test]
async fn only_rows_that_come_again_are_read_again() {
    let rows = Arc::new(Rows::new());
    for (input, again) in [
        ("tests", true),
        (
            "(SELECT duration_seconds FROM tests WHERE status = 'passed' UNION ALL SELECT duration_seconds FROM runs) AS t",
            true,
        ),
        ("tests JOIN runs USING (run_id, duration_seconds)", true),
        ("(SELECT * FROM tests LIMIT 5) AS t", false),
        ("(SELECT random() AS duration_seconds FROM tests) AS t", false),
        ("(SELECT sum(duration_seconds) AS duration_seconds FROM tests GROUP BY name) AS t", false),
        (
            "(SELECT duration_seconds FROM tests WHERE duration_seconds > (SELECT avg(duration_seconds) FROM runs)) AS t",
            false,
        ),
    ] {
        let sql = format!(
            "EXPLAIN SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FROM {input}"
        );
        let plan = csv(&rows, &sql).await;
        assert_eq!(plan.contains("ExactPercentilesExec"), again, "{input}: {plan}");
    }
    let sets = "EXPLAIN SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FROM tests GROUP BY GROUPING SETS ((name), ())";
    assert!(!csv(&rows, sets).await.contains("ExactPercentilesExec"));
}

#[tokio::test]
async fn rows_of_other_projects_count_in_no_pass() {
    let samples =
        ["shop", "blog", "shop", "blog", "shop"].into_iter().enumerate().map(|(number, project)| Sample {
            provider: "ci".into(),
            project: project.into(),
            name: "ram".into(),
            value: number as f64,
            at: at("2026-03-01T06:00:00Z"),
            ..Sample::default()
        });
    let rows = Arc::new(Rows::new().segment(samples.map(Into::into)));
    let sql = "SELECT percentile_cont(ARRAY[0, 0.5, 1]) WITHIN GROUP (ORDER BY value) FROM samples";
    let access = Access::Projects(["blog".to_owned()].into());
    assert_eq!(csv_as(&rows, sql, access).await.unwrap(), "\"[1.0, 2.0, 3.0]\"");
}

#[tokio::test]
async fn a_frame_that_moves_forgets_what_left_it() {
    let rows = Arc::new(Rows::new());
    let sql = "SELECT percentile_cont(x, 0.5) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (1, 4.0), (2, NULL), (3, 8.0), (4, 2.0)) AS t(n, x) ORDER BY n";
    assert_eq!(csv(&rows, sql).await, "4.0\n4.0\n8.0\n5.0");
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_what_to_do() {
    let rows = Arc::new(Rows::new());
    for (call, told) in [
        ("percentile_cont(95) WITHIN GROUP (ORDER BY value)", "the 95th percentile is 0.95"),
        ("percentile_cont(ARRAY[0.5, 2]) WITHIN GROUP (ORDER BY value)", "no probability"),
        ("percentile_cont(value) WITHIN GROUP (ORDER BY value)", "written in the query"),
        ("percentile_cont(0.5) WITHIN GROUP (ORDER BY name)", "takes numbers"),
        ("percentile_disc(0.5) WITHIN GROUP (ORDER BY run_attempt)", "cast to double precision"),
        ("percentile_cont(DISTINCT 0.5) WITHIN GROUP (ORDER BY value)", "DISTINCT"),
    ] {
        let error = csv_as(&rows, &format!("SELECT {call} FROM samples"), Access::All).await.unwrap_err();
        assert!(error.contains(told), "{call}: {error}");
    }
}

/// Numbers in which the peers may differ: with ties, of very different sizes, none of them rounded.
fn awkward() -> Vec<(String, f64)> {
    let mut random = 17_u64;
    (0..1_003_u64)
        .map(|number| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
            let value = match number % 5 {
                0 => (share * 9.0).floor() / 1000.0,
                1 => -share * 1e9,
                2 => share.powi(40),
                _ => share * 200.0,
            };
            (format!("group{}", number % 7), value)
        })
        .collect()
}

const ASKED: [f64; 8] = [0.0, 0.001, 0.25, 0.333_333, 0.5, 0.95, 0.99, 1.0];

async fn ours(numbers: &[(String, f64)], sql: &str) -> Vec<f64> {
    let samples = numbers.iter().map(|(name, value)| Sample {
        provider: "ci".into(),
        project: "shop".into(),
        name: name.clone(),
        value: *value,
        at: at("2026-03-01T06:00:00Z"),
        ..Sample::default()
    });
    let rows = Arc::new(Rows::new().segment(samples.map(Into::into)));
    let result = fixture::csv(&rows, &sql.replace("numbers", "samples")).await;
    result.split(['\n', ',']).map(|cell| cell.parse().unwrap()).collect()
}

/// One query of all of [`ASKED`], with these functions around each probability.
fn query(calls: &[(&str, &str)]) -> String {
    let columns: Vec<String> = calls
        .iter()
        .flat_map(|(before, after)| {
            ASKED.iter().map(move |probability| format!("{before}{probability}{after}"))
        })
        .collect();
    format!("SELECT {} FROM numbers GROUP BY name ORDER BY name", columns.join(", "))
}

#[tokio::test]
async fn percentiles_are_those_of_postgresql_to_the_last_bit() {
    let Some(peer) = Peer::found("exact") else { return };
    let numbers = awkward();
    peer.run("CREATE TABLE numbers (name text, value double precision)").unwrap();
    let lines: String = numbers.iter().map(|(name, value)| format!("{name},{value:?}\n")).collect();
    peer.psql("\\copy numbers FROM STDIN CSV", lines.as_bytes()).unwrap();
    let sql = query(&[
        ("percentile_cont(", ") WITHIN GROUP (ORDER BY value)"),
        ("percentile_cont(", ") WITHIN GROUP (ORDER BY value DESC)"),
        ("percentile_disc(", ") WITHIN GROUP (ORDER BY value)"),
        ("percentile_disc(", ") WITHIN GROUP (ORDER BY value DESC) FILTER (WHERE value > 0)"),
    ]);
    let theirs = peer.run(&sql).unwrap();
    let theirs: Vec<f64> = theirs.split(['\n', ',']).map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(ours(&numbers, &sql).await, theirs);
}

#[tokio::test]
async fn percentiles_are_those_of_duckdb() {
    let numbers = awkward();
    let Some(theirs) = duckdb::ask(&numbers, &query(&[("quantile_cont(value, ", ")")])) else { return };
    let exact = ours(&numbers, &query(&[("percentile_cont(", ") WITHIN GROUP (ORDER BY value)")])).await;
    let near = ours(&numbers, &query(&[("quantile(value, ", ")")])).await;
    for ((theirs, exact), near) in theirs.iter().zip(&exact).zip(&near) {
        assert!((theirs - exact).abs() <= 1e-12 * theirs.abs(), "{exact}, DuckDB says {theirs}");
        assert!((theirs - near).abs() <= 0.008 * theirs.abs() + 1e-9, "{near}, DuckDB says {theirs}");
    }
    assert_eq!(theirs.len(), 7 * ASKED.len());
}
