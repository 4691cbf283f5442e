//! What is asked: one entry a question.

use super::dataset::{DAYS, Shape};

/// A question, as each side writes it.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) what: &'static str,
    pub(super) ours: String,
    pub(super) duckdb: String,
    /// Do we answer as a user would be, from roll-ups where they suffice? Otherwise both sides read the rows.
    pub(super) as_served: bool,
    /// How many times as quick as DuckDB we mean to be.
    pub(super) times_as_quick: Option<f64>,
    pub(super) at_most_milliseconds: Option<f64>,
}

/// DuckDB's quickest way to the day of a time; `at` is a word of its grammar.
const DUCKDB_DAY: &str = "epoch_us(\"at\") // 86400000000";

const DUCKDB_HOUR: &str = "epoch_us(\"at\") // 3600000000";

pub(super) fn all(rows: u64) -> Vec<Question> {
    let shape = Shape::of(rows);
    let service = shape.service(7);
    let test = shape.test(7, 3);
    let week =
        format!("\"at\" >= '{}' AND \"at\" < '{}'", Shape::midnight(DAYS - 10), Shape::midnight(DAYS - 3));
    let of_service = format!("project = '{}' AND service = '{}'", service.project, service.name);
    let service_week = format!("{of_service} AND {week}");
    let of_test = format!("{of_service} AND test_id = '{}'", test.test_id);
    vec![
        Question {
            what: "p99 by day, approximate, raw scan",
            ours: by_day("date_trunc('day', at)", "p99(duration_seconds)"),
            duckdb: by_day(DUCKDB_DAY, "approx_quantile(duration_seconds, 0.99)"),
            as_served: false,
            times_as_quick: Some(2.0),
            at_most_milliseconds: None,
        },
        Question {
            what: "p50, p95 and p99 by day, approximate, in one query",
            ours: by_day(
                "date_trunc('day', at)",
                "p50(duration_seconds), p95(duration_seconds), p99(duration_seconds)",
            ),
            duckdb: by_day(DUCKDB_DAY, "approx_quantile(duration_seconds, [0.5, 0.95, 0.99])"),
            as_served: false,
            times_as_quick: Some(3.0),
            at_most_milliseconds: None,
        },
        Question {
            what: "p99 by test, approximate, 50,000 groups",
            ours: by_test("p99(duration_seconds)"),
            duckdb: by_test("approx_quantile(duration_seconds, 0.99)"),
            as_served: false,
            times_as_quick: Some(1.5),
            at_most_milliseconds: None,
        },
        Question {
            what: "p99 by day, exact",
            ours: by_day(
                "date_trunc('day', at)",
                "percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_seconds)",
            ),
            duckdb: by_day(DUCKDB_DAY, "quantile_cont(duration_seconds, 0.99)"),
            as_served: false,
            times_as_quick: Some(1.0),
            at_most_milliseconds: None,
        },
        Question {
            what: "p99 by day, exact, as served: histogram from roll-ups, values from rows (DuckDB: rows)",
            ours: by_day(
                "date_trunc('day', at)",
                "percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_seconds)",
            ),
            duckdb: by_day(DUCKDB_DAY, "quantile_cont(duration_seconds, 0.99)"),
            as_served: true,
            times_as_quick: Some(1.0),
            at_most_milliseconds: None,
        },
        Question {
            what: "p95 by hour of one service, 7 days, as served: from roll-ups (DuckDB: rows)",
            ours: by_hour("date_trunc('hour', at)", "p95(duration_seconds)", &service_week),
            duckdb: by_hour(DUCKDB_HOUR, "approx_quantile(duration_seconds, 0.95)", &service_week),
            as_served: true,
            times_as_quick: Some(5.0),
            at_most_milliseconds: None,
        },
        Question {
            what: "p95 by hour of one service, 7 days, raw scan",
            ours: by_hour("date_trunc('hour', at)", "p95(duration_seconds)", &service_week),
            duckdb: by_hour(DUCKDB_HOUR, "approx_quantile(duration_seconds, 0.95)", &service_week),
            as_served: false,
            times_as_quick: None,
            at_most_milliseconds: None,
        },
        Question {
            what: "history of one test, 90 days",
            ours: history(&of_test),
            duckdb: history(&of_test),
            as_served: false,
            times_as_quick: None,
            at_most_milliseconds: Some(20.0),
        },
        Question {
            what: "history of one test by its identity alone, 90 days",
            ours: history(&format!("test_id = '{}'", test.test_id)),
            duckdb: history(&format!("test_id = '{}'", test.test_id)),
            as_served: false,
            times_as_quick: None,
            at_most_milliseconds: Some(20.0),
        },
        Question {
            what: "count of all",
            ours: "SELECT count(*) FROM tests".to_owned(),
            duckdb: "SELECT count(*) FROM tests".to_owned(),
            as_served: false,
            times_as_quick: None,
            at_most_milliseconds: Some(2.0),
        },
    ]
}

fn by_day(day: &str, answers: &str) -> String {
    format!("SELECT {day} AS day, {answers} FROM tests GROUP BY day ORDER BY day")
}

fn by_hour(hour: &str, answer: &str, condition: &str) -> String {
    format!("SELECT {hour} AS hour, {answer} AS p FROM tests WHERE {condition} GROUP BY hour ORDER BY hour")
}

/// The number of groups and their greatest percentile, so that neither side has to print 50,000 rows.
fn by_test(percentile: &str) -> String {
    format!(
        "SELECT count(*), max(p) FROM (SELECT test_id, {percentile} AS p FROM tests GROUP BY test_id) AS by_test"
    )
}

fn history(condition: &str) -> String {
    format!("SELECT \"at\", status, duration_seconds, branch FROM tests WHERE {condition} ORDER BY \"at\"")
}
