//! Percentiles from sketches: as near as promised, the same however the rows are cut, merged or grouped.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use manometer_model::records::Sample;
use manometer_model::{Limits, Record};
use manometer_query::{Access, LimitOverrides, QueryError, QueryRequest, Source};
use proptest::prelude::*;

use crate::fixture::{Rows, ask, at, csv, csv_as, engine_with};

/// What `docs/QUERY.md` promises, and some room for the last bits of interpolation.
const PROMISED: f64 = 0.008;

fn samples(values: &[(String, f64)]) -> Vec<Record> {
    let samples = values.iter().map(|(name, value)| Sample {
        provider: "ci".into(),
        project: "shop".into(),
        name: name.clone(),
        value: *value,
        at: at("2026-03-01T06:00:00Z"),
        ..Sample::default()
    });
    samples.map(Record::from).collect()
}

/// Part of the rows in two files, part in two batches of memory.
fn spread(values: &[(String, f64)]) -> Arc<Rows> {
    let mut rows = Rows::new();
    for (number, part) in values.chunks(values.len().div_ceil(4)).enumerate() {
        let records = samples(part);
        rows = if number % 2 == 0 { rows.segment(records) } else { rows.memory(records) };
    }
    Arc::new(rows)
}

async fn numbers(rows: &Arc<Rows>, sql: &str) -> Vec<Vec<f64>> {
    let result = ask(rows, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let (batches, _) = result.collect().await.unwrap();
    let mut found = Vec::new();
    for batch in batches {
        let lists = batch.column(batch.num_columns() - 1).as_list::<i32>();
        found.extend(lists.iter().map(|list| list.unwrap().as_primitive::<Float64Type>().values().to_vec()));
    }
    found
}

/// Values as builds give them, values that stand close together, and values as nobody should.
fn values() -> impl Strategy<Value = Vec<(String, f64)>> {
    let value = prop_oneof![
        6 => 1e-3..1e4_f64,
        3 => (0..50_i32).prop_map(|step| f64::from(step) / 1000.0),
        1 => prop::num::f64::NORMAL,
    ];
    let group = prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned);
    prop::collection::vec((group, value), 1..900)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn quantiles_are_as_near_to_the_exact_ranks_as_promised(values in values()) {
        let probabilities = [0.0, 0.25, 0.5, 0.9, 0.99, 1.0];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rows = spread(&values);
        let sql = "SELECT name, quantiles(value, ARRAY[0, 0.25, 0.5, 0.9, 0.99, 1]) AS q FROM samples GROUP BY name ORDER BY name";
        let found = runtime.block_on(numbers(&rows, sql));
        let mut names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(found.len(), names.len());
        for (name, found) in names.iter().zip(found) {
            let mut exact: Vec<f64> = values.iter().filter(|(of, _)| of == name).map(|(_, value)| *value).collect();
            exact.sort_unstable_by(f64::total_cmp);
            for (probability, found) in probabilities.iter().zip(found) {
                let place = probability * (exact.len() - 1) as f64;
                let (low, high) = (exact[place.floor() as usize], exact[place.ceil() as usize]);
                let weight = place - place.floor();
                let wanted = low * (1.0 - weight) + high * weight;
                let allowed = PROMISED * low.abs().max(high.abs());
                prop_assert!((found / 2.0 - wanted / 2.0).abs() * 2.0 <= allowed, "{name} {probability}: {found}, exactly {wanted}");
            }
        }
    }
}

/// Values 1 to 1000 in a well-mixed order, every third of `odd`.
fn thousand() -> Arc<Rows> {
    let values: Vec<_> = (0..1000_u32)
        .map(|number| {
            let value = f64::from(number * 387 % 1000 + 1);
            (if number % 3 == 0 { "odd" } else { "even" }.to_owned(), value)
        })
        .collect();
    spread(&values)
}

#[tokio::test]
async fn every_function_of_the_family_tells_the_same_quantile() {
    let rows = thousand();
    let one = csv(&rows, "SELECT quantile(value, 0.95) FROM samples").await;
    let near: f64 = one.parse().unwrap();
    assert!((near - 950.05).abs() <= PROMISED * 950.05, "{near}");
    for same in [
        "SELECT p95(value) FROM samples",
        "SELECT quantiles(value, [0.5, 0.95])[2] FROM samples",
        "SELECT sketch_quantile(s, 0.95) FROM (SELECT sketch(value) AS s FROM samples)",
        "SELECT sketch_quantile(s, 0.95) FROM (SELECT name, sketch(value) AS s FROM samples GROUP BY name)",
        "SELECT sketch_quantiles(s, [0.95])[1] FROM (SELECT value, sketch(value) AS s FROM samples GROUP BY value)",
        "SELECT quantile(value, 0.95) FROM (SELECT * FROM samples ORDER BY value DESC LIMIT 5000)",
        "SELECT p95(value) FILTER (WHERE value > 0) FROM samples",
        "SELECT p95(CASE WHEN value > 0 THEN value END) FROM (SELECT value FROM samples UNION ALL SELECT -value FROM samples)",
        "SELECT DISTINCT p95(value) OVER () FROM samples",
        "SELECT p95(value::bigint) FROM samples",
        "SELECT p95(value::decimal(12, 3)) FROM samples",
        "SELECT max(q) FROM (SELECT quantile(value, 0.95) OVER (ORDER BY value) AS q FROM samples)",
    ] {
        assert_eq!(csv(&rows, same).await, one, "{same}");
    }
}

#[tokio::test]
async fn groups_and_filters_have_quantiles_of_their_own() {
    let rows = thousand();
    let sql = "SELECT name, count(*) AS n, p50(value) FILTER (WHERE value <= 10) AS low, quantile(value, 1) AS most FROM samples GROUP BY name ORDER BY name";
    let answer = csv(&rows, sql).await;
    let alone = |name: &str| format!("SELECT p50(value) FROM samples WHERE value <= 10 AND name = '{name}'");
    let even = csv(&rows, &alone("even")).await;
    let odd = csv(&rows, &alone("odd")).await;
    let most = csv(&rows, "SELECT max(value) FROM samples GROUP BY name ORDER BY name").await;
    let most: Vec<&str> = most.lines().collect();
    assert_eq!(answer, format!("even,666,{even},{}\nodd,334,{odd},{}", most[0], most[1]));
}

#[tokio::test]
async fn what_is_no_number_is_left_out_and_of_nothing_there_is_no_answer() {
    let rows = thousand();
    for (sql, expected) in [
        (
            "SELECT quantile(x, 0.5), quantiles(x, [0, 1]) FROM (VALUES (1.0), (NULL), ('NaN'::double precision), ('Infinity'::double precision), (1.0)) AS t(x)",
            "1.0,\"[1.0, 1.0]\"",
        ),
        ("SELECT p50(value), sketch(value), quantiles(value, [0.5]) FROM samples WHERE value < 0", ",,"),
        (
            "SELECT name, p50(value) FILTER (WHERE value < 0) FROM samples GROUP BY name ORDER BY name",
            "even,\nodd,",
        ),
        ("SELECT p50(x) FROM (VALUES ('-Infinity'::double precision)) AS t(x)", ""),
        (
            "SELECT p50(NULL), sketch_quantile(NULL, 0.5), quantile(value, NULL), quantiles(value, [0.0, NULL]) FROM samples",
            ",,,\"[1.0, ]\"",
        ),
        ("SELECT quantiles(value, ARRAY[]::double precision[]) FROM samples", "[]"),
        ("SELECT quantile(x, 0.5) FROM (VALUES (-0.0), (0.0)) AS t(x)", "0.0"),
    ] {
        assert_eq!(csv(&rows, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_group_for_each_row_is_counted_without_a_row_lost() {
    let rows = Arc::new(Rows::new());
    // So many groups of one row that the engine stops gathering them before it sends them on.
    let sql = "SELECT count(*), count(q), sum(abs(q - value) / value < 0.004) FROM (SELECT value, count(*) AS n, p50(value) FILTER (WHERE value % 10 > 0) AS q FROM (SELECT value::double precision AS value FROM generate_series(1, 300000)) GROUP BY value)";
    let sql = sql.replace(
        "sum(abs(q - value) / value < 0.004)",
        "sum(CASE WHEN abs(q - value) / value <= 0.004 THEN 1 END)",
    );
    assert_eq!(csv(&rows, &sql).await, "300000,270000,270000");
    let merged = "SELECT count(q), sketch_quantile(s, 1) FROM (SELECT value, sketch(value) AS s, p50(value) AS q FROM generate_series(1, 300000) GROUP BY value)";
    assert_eq!(csv(&rows, merged).await, "300000,300000.0");
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_what_to_do() {
    let rows = thousand();
    for (sql, told) in [
        ("SELECT quantile(name, 0.5) FROM samples", "takes numbers"),
        ("SELECT quantile(at, 0.5) FROM samples", "difference in seconds"),
        ("SELECT quantile(value, 95) FROM samples", "the 95th percentile is 0.95"),
        ("SELECT quantile(value, 'NaN'::double precision) FROM samples", "no probability"),
        ("SELECT quantiles(value, [0.5, -1]) FROM samples", "no probability"),
        ("SELECT quantile(value, value) FROM samples", "written in the query"),
        ("SELECT quantile(value, 'often') FROM samples", "between 0 and 1"),
        ("SELECT quantiles(value, 0.5) FROM samples", "a list of probabilities"),
        ("SELECT quantile(DISTINCT value, 0.5) FROM samples", "subquery"),
        (
            "SELECT p50(value) OVER (ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM samples",
            "UNBOUNDED PRECEDING",
        ),
        ("SELECT sketch_quantile(value, 0.5) FROM samples", "takes sketches"),
        ("SELECT sketch_quantile(X'0101', 0.5) FROM samples", "a sketch that ends inside"),
        (
            "SELECT sketch_quantile(arrow_cast('garbage', 'Binary'), 0.5) FROM samples GROUP BY name",
            "a sketch of version 103",
        ),
    ] {
        let error = csv_as(&rows, sql, Access::All).await.unwrap_err();
        assert!(error.contains(told), "{sql}: {error}");
    }
}

#[tokio::test]
async fn sketches_of_many_groups_keep_to_the_memory_of_a_query() {
    let engine = engine_with(Limits::default());
    let source: Arc<dyn Source> = Arc::new(Rows::new());
    let sql = "SELECT count(q) FROM (SELECT value % 100000 AS g, p50(value) AS q FROM generate_series(1, 1000000) GROUP BY 1)";
    let ask = async |bytes| {
        let limits = LimitOverrides { memory_bytes: Some(bytes), ..LimitOverrides::default() };
        let request = QueryRequest::new(sql, Access::All).with_limits(limits);
        match engine.query(Arc::clone(&source), request).await {
            Ok(result) => result.collect().await.map(|_| ()),
            Err(error) => Err(error),
        }
    };
    assert!(matches!(ask(10_000_000).await, Err(QueryError::MemoryLimit { .. })));
    ask(500_000_000).await.unwrap();
}

#[tokio::test]
async fn several_percentiles_of_the_same_values_are_counted_once() {
    let rows = thousand();
    let several = "SELECT name, p50(value), count(*) AS n, quantile(value, 0.9) AS high, p50(value) FILTER (WHERE value > 500) AS upper, p99(value), p50(value * 2) AS twice FROM samples GROUP BY name ORDER BY name";
    let mut alone = Vec::new();
    for column in [
        "p50(value)",
        "count(*)",
        "quantile(value, 0.9)",
        "p50(value) FILTER (WHERE value > 500)",
        "p99(value)",
        "p50(value * 2)",
    ] {
        let sql = format!("SELECT {column} FROM samples GROUP BY name ORDER BY name");
        alone.push(csv(&rows, &sql).await.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    let lines: Vec<String> = ["even", "odd"]
        .iter()
        .enumerate()
        .map(|(row, name)| {
            format!(
                "{name},{}",
                alone.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(",")
            )
        })
        .collect();
    assert_eq!(csv(&rows, several).await, lines.join("\n"));
    let plan = csv(&rows, &format!("EXPLAIN {several}")).await;
    assert!(plan.contains("quantiles(samples.value) AS"), "{plan}");
    let result = ask(&rows, "SELECT p50(value), p99(value) FROM samples").await.unwrap();
    let names: Vec<&str> = result.schema().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["p50(samples.value)", "p99(samples.value)"]);

    let exact = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY value), percentile_cont(0.25) WITHIN GROUP (ORDER BY value), percentile_cont(0.25) WITHIN GROUP (ORDER BY value DESC) FROM samples";
    assert_eq!(csv(&rows, exact).await, "500.5,250.75,750.25");
}
