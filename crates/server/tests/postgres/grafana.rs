//! Grafana's macros, expanded as its PostgreSQL data source expands them, and the queries people bring with them.

use serde_json::json;

use crate::harness::{Harness, simple};

/// What Grafana knows when it asks.
pub(crate) struct Asking<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) interval: &'a str,
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

impl Asking<'_> {
    /// The text that goes over the wire.
    pub(crate) fn expand(&self, sql: &str) -> String {
        let mut text = sql.to_owned();
        // Variables first, as Grafana's browser side does, the longer names before the shorter.
        let mut variables: Vec<(&str, &str)> = self.variables.to_vec();
        variables.push(("__interval", self.interval));
        variables.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in variables {
            let escaped = value.replace('\'', "''");
            text = text.replace(&format!("${{{name}}}"), &escaped).replace(&format!("${name}"), &escaped);
        }
        while let Some((start, end, name, arguments)) = next_macro(&text) {
            text.replace_range(start..end, &self.expansion(&name, &arguments));
        }
        text
    }

    fn expansion(&self, name: &str, arguments: &[String]) -> String {
        let column = arguments.first().map_or("", String::as_str);
        let seconds = || seconds(arguments[1].trim_matches('\''));
        let unix =
            |time: &str| manometer_model::Timestamp::parse_rfc3339(time).unwrap().as_micros() / 1_000_000;
        match name {
            "time" => format!("{column} AS \"time\""),
            "timeEpoch" => format!("extract(epoch from {column}) as \"time\""),
            "timeFilter" => format!("{column} BETWEEN '{}' AND '{}'", self.from, self.to),
            "timeFrom" => format!("'{}'", self.from),
            "timeTo" => format!("'{}'", self.to),
            "timeGroup" => format!("floor(extract(epoch from {column})/{0})*{0}", seconds()),
            "timeGroupAlias" => format!("floor(extract(epoch from {column})/{0})*{0} AS \"time\"", seconds()),
            "unixEpochFilter" => format!("{column} >= {} AND {column} <= {}", unix(self.from), unix(self.to)),
            "unixEpochGroup" => format!("floor(({column})/{0})*{0}", seconds()),
            other => panic!("there is no macro $__{other}"),
        }
    }
}

fn seconds(interval: &str) -> u64 {
    let (number, unit) = interval.split_at(interval.len() - 1);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        other => panic!("{other}"),
    };
    number.parse::<u64>().unwrap() * factor
}

/// The first macro: where it begins and ends, its name and arguments.
fn next_macro(text: &str) -> Option<(usize, usize, String, Vec<String>)> {
    let start = text.find("$__")?;
    let rest = &text[start + 3..];
    let length = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
    let name = rest[..length].to_owned();
    let after = &rest[length..];
    if !after.starts_with('(') {
        return Some((start, start + 3 + length, name, Vec::new()));
    }
    let mut depth = 0;
    let end = after
        .char_indices()
        .find_map(|(position, letter)| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            (depth == 0).then_some(position)
        })
        .unwrap();
    let arguments = after[1..end].split(',').map(|argument| argument.trim().to_owned()).collect();
    Some((start, start + 3 + length + end + 1, name, arguments))
}

/// The queries of a Flask service that collected pipelines for Grafana, as its users have them in their dashboards.
const BROUGHT: [&str; 3] = [
    "SELECT count(*)
FROM metrics_pipeline mp
WHERE
$__timeFilter(created_at) AND
mp.project = '$project' AND mp.is_master = true",
    r#"SELECT
PERCENTILE_CONT(0.5) WITHIN GROUP(ORDER by total) as p50,
PERCENTILE_CONT(0.80) WITHIN GROUP(ORDER by total) as p80,
PERCENTILE_CONT(0.95) WITHIN GROUP(ORDER by total) as p95
FROM (SELECT
created_at AS "time",
mp.duration - mp.duration_e2e as "total"
FROM metrics_pipeline mp
LEFT JOIN metrics_build mb
ON mb.pipeline_id = mp.pipeline_id
WHERE
$__timeFilter(created_at) AND
mp.project = '$project' AND mp.is_master = true
GROUP BY time, mp.duration, mp.duration_e2e
ORDER BY 1) as data"#,
    r#"SELECT
PERCENTILE_CONT(0.5) WITHIN GROUP(ORDER by total_e2e) as p50,
PERCENTILE_CONT(0.80) WITHIN GROUP(ORDER by total_e2e) as p80,
PERCENTILE_CONT(0.95) WITHIN GROUP(ORDER by total_e2e) as p95
FROM (SELECT
created_at AS "time",
mp.duration_e2e as "total_e2e"
FROM metrics_pipeline mp
LEFT JOIN metrics_build mb
ON mb.pipeline_id = mp.pipeline_id
WHERE
$__timeFilter(created_at) AND
mp.project = '$project' AND mp.is_master = true AND mp.has_restarts = false
GROUP BY time, mp.duration, mp.duration_e2e
ORDER BY 1) as data"#,
];

fn asking() -> Asking<'static> {
    Asking {
        from: "2023-06-01T00:00:00Z",
        to: "2023-07-01T00:00:00Z",
        interval: "5m",
        variables: &[("project", "test/project")],
    }
}

async fn with_pipelines() -> Harness {
    let server = Harness::start().await;
    let pipelines = [
        (1, "master", "2023-06-13T14:11:24.029+07:00", 97, 27, false),
        (2, "master", "2023-06-14T07:11:24Z", 120, 20, true),
        (3, "master", "2023-06-30T23:59:59Z", 240, 40, false),
        (4, "feature", "2023-06-15T00:00:00Z", 999, 1, false),
        (5, "master", "2023-07-02T00:00:00Z", 999, 1, false),
    ];
    for (id, branch, created_at, duration, e2e, restarts) in pipelines {
        let body = json!({
            "jobs": [{ "name": "e2e", "started_at": created_at, "finished_at": created_at, "duration": 27, "up": 7, "e2e": 5 }],
            "builds": [{ "build-e2e": 64 }, { "build-web": 31 }],
            "build": 64, "created_at": created_at, "ref": branch, "duration": duration, "duration_e2e": e2e,
            "jobs_failed": [], "has_restarts": restarts, "project": "test/project", "pipeline_id": id,
        });
        server.post("/save_metrics", body.to_string()).await;
    }
    server
}

/// Numbers to the millisecond: interpolation is exact to about a millionth.
fn rounded(numbers: impl IntoIterator<Item = f64>) -> Vec<f64> {
    numbers.into_iter().map(|number| (number * 1000.0).round() / 1000.0).collect()
}

#[tokio::test]
async fn queries_people_bring_run_as_they_are_over_the_wire_and_over_http() {
    let server = with_pipelines().await;
    let client = server.connect().await;
    // Totals are 70, 100 and 200; end to end without restarts 27 and 40. Two builds each count no pipeline twice.
    let right: [&[f64]; 3] = [&[3.0], &[100.0, 160.0, 190.0], &[33.5, 37.4, 39.35]];
    for (brought, right) in BROUGHT.iter().zip(right) {
        let sql = asking().expand(brought);
        let wire = simple(&client, &sql).await;
        let numbers = wire[0].split(',').map(|number| number.parse().unwrap());
        assert_eq!(rounded(numbers), right, "{sql}");
        let http = server.http_rows(&sql).await;
        let numbers = http[0].as_array().unwrap().iter().map(|number| number.as_f64().unwrap());
        assert_eq!(rounded(numbers), right, "{sql}");
        let prepared = client.query(&sql, &[]).await.unwrap();
        assert_eq!(prepared.len(), 1);
    }
    let columns = client.query(&asking().expand(BROUGHT[0]), &[]).await.unwrap();
    assert_eq!(columns[0].columns()[0].name(), "count");
}

#[tokio::test]
async fn every_macro_of_grafana_means_what_it_means_there() {
    let server = with_pipelines().await;
    let client = server.connect().await;
    let ask = async |sql: &str| simple(&client, &asking().expand(sql)).await;
    let rows = "FROM metrics_pipeline WHERE $__timeFilter(created_at) AND project = '${project}'";
    assert_eq!(ask(&format!("SELECT $__timeGroupAlias(created_at,$__interval), count(*) AS value {rows} GROUP BY 1 ORDER BY 1 LIMIT 1")).await, ["1686640200.0,1"]);
    assert_eq!(
        ask(&format!(
            "SELECT $__timeGroup(created_at, '1d') AS time, count(*) {rows} GROUP BY 1 ORDER BY 1 LIMIT 1"
        ))
        .await,
        ["1686614400.0,1"]
    );
    assert_eq!(ask(&format!("SELECT $__timeGroupAlias(created_at, '1d', NULL), avg(duration) {rows} GROUP BY time ORDER BY time")).await.len(), 4);
    assert_eq!(
        ask(&format!("SELECT $__timeEpoch(created_at), duration {rows} ORDER BY 1 LIMIT 1")).await,
        ["1686640284.029,97.0"]
    );
    assert_eq!(
        ask(&format!("SELECT $__time(created_at), duration {rows} ORDER BY time LIMIT 1")).await,
        ["2023-06-13 07:11:24.029000+00,97.0"]
    );
    assert_eq!(ask("SELECT count(*) FROM metrics_pipeline WHERE created_at >= $__timeFrom() AND created_at < $__timeTo()").await, ["4"]);
    assert_eq!(ask("SELECT count(*) FROM (SELECT extract(epoch from created_at) AS at FROM metrics_pipeline) x WHERE $__unixEpochFilter(at)").await, ["4"]);
}
