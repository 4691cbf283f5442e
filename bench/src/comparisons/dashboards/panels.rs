//! What is asked, as each side writes it.

use manometer_model::Timestamp;

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Manometer,
    DuckDb,
}

/// The time a dashboard shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    /// From one second to another, since 1970.
    Between(i64, i64),
    /// The last 30 days and some minutes, until now.
    UntilNow,
}

impl Range {
    fn condition(self) -> String {
        match self {
            Self::Between(from, to) => format!(
                "\"at\" BETWEEN '{}' AND '{}'",
                Timestamp::from_seconds(from),
                Timestamp::from_seconds(to)
            ),
            Self::UntilNow => "\"at\" BETWEEN now() - INTERVAL '30 days 1357 seconds' AND now()".to_owned(),
        }
    }
}

impl Dialect {
    fn percentile(self, percent: u32) -> String {
        match self {
            Self::Manometer => format!("p{percent}(duration_seconds)"),
            Self::DuckDb => format!("approx_quantile(duration_seconds, 0.{percent})"),
        }
    }
}

/// A question in both.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ours: &'static str,
    pub(super) duckdb: &'static str,
}

pub(super) const fn percentiles_of_a_year() -> Question {
    Question {
        ours: "SELECT date_trunc('day', at) AS day, p95(duration_seconds) FROM tests GROUP BY day ORDER BY day",
        duckdb: "SELECT epoch_us(\"at\") // 86400000000 AS day, approx_quantile(duration_seconds, 0.95) FROM tests GROUP BY day ORDER BY day",
    }
}

/// The twelve panels of a dashboard about a service, as Grafana writes them: ranges begin at any second, its macros make
/// the buckets.
pub(super) fn panels(dialect: Dialect, range: &Range, service: u64) -> Vec<String> {
    let time = range.condition();
    let bucket = "floor(extract(epoch FROM \"at\") / 86400) * 86400 AS time";
    let [p50, p95, p99] = [50, 95, 99].map(|percent| dialect.percentile(percent));
    let service = format!("service = 'service-{service:02}'");
    let of = |columns: &str, condition: &str, groups: &str| {
        format!("SELECT {columns} FROM tests WHERE {time} AND {condition} GROUP BY {groups}")
    };
    vec![
        of(&format!("{bucket}, {p50}, {p95}"), &service, "1"),
        of(&format!("{bucket}, count(*)"), &service, "1"),
        of(&format!("{bucket}, status, count(*)"), &service, "1, 2"),
        of(&format!("{bucket}, avg(duration_seconds)"), &service, "1"),
        of(&format!("branch, count(*), {p95}"), &service, "1"),
        of(&format!("job_name, {p99}"), &service, "1"),
        of("date_trunc('hour', \"at\"), count(*) FILTER (WHERE status = 'failed')", &service, "1"),
        of("extract(dow FROM \"at\"), avg(duration_seconds)", &service, "1"),
        of(&format!("service, count(*), {p95}"), "is_default_branch", "1"),
        of(&format!("{bucket}, {p95}"), "is_default_branch", "1"),
        of("service, avg(CASE WHEN status = 'failed' THEN 1.0 ELSE 0.0 END)", "is_final", "1"),
        format!("SELECT DISTINCT service FROM tests WHERE {time}"),
    ]
}
