//! When roll-ups are used, that access holds for them, and what they answer where rows are gone.

use std::sync::Arc;

use manometer_model::records::Test;
use manometer_model::{Problems, Record, TestId, TestStatus, Timestamp};
use manometer_query::{
    Access, Engine, EngineOptions, QueryRequest, RelationData, RollupUse, Source, SourceError, format,
};
use manometer_store::{DeliveryInfo, DeliveryKey, FlushPolicy, Snapshot, Store, StoreOptions};

use crate::fixture::{Standing, at, noon};

pub(crate) fn open(folder: &std::path::Path) -> Store {
    let mut options = StoreOptions::new(folder);
    options.flush = FlushPolicy { background: false, ..FlushPolicy::default() };
    Store::open(options).unwrap()
}

pub(crate) fn deliver(store: &Store, key: &str, tests: &[Test]) {
    let mut writer = store.writer();
    for test in tests {
        let record = Record::from(test.clone());
        writer.append(record.row().table_of(), &record.row().cells()).unwrap();
    }
    let info = DeliveryInfo {
        key: DeliveryKey { scope: "content".into(), key: key.into() },
        body_hash: 1,
        source: "records".into(),
        kind: "ndjson".into(),
        project: Some("shop".into()),
        received_at: at("2026-03-09T00:00:00Z"),
        size_bytes: 10,
        problems: Problems::new(),
        permanent: false,
    };
    store.submit(writer.finish(info).unwrap()).unwrap().wait().unwrap();
}

pub(crate) fn engine_using(rollups: RollupUse) -> Engine {
    let options =
        EngineOptions { threads: 2, clock: Arc::new(Standing(noon())), rollups, ..EngineOptions::default() };
    Engine::new(options).unwrap()
}

/// The answer as CSV without its head, or the error's text.
pub(crate) async fn csv(
    engine: &Engine,
    source: &Arc<dyn Source>,
    sql: &str,
    access: Access,
) -> Result<String, String> {
    let request = QueryRequest::new(sql, access);
    let result = engine.query(Arc::clone(source), request).await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    format::write(result, format::Format::Csv, &mut bytes).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(bytes).unwrap().split_once('\n').unwrap().1.trim_end().to_owned())
}

fn test(number: i64, when: Timestamp) -> Test {
    let name = format!("test_{number}");
    Test {
        provider: "ci".into(),
        project: if number % 2 == 0 { "shop" } else { "blog" }.into(),
        service: Some("cart".into()),
        branch: Some(if number % 4 < 2 { "main" } else { "fix" }.into()),
        run_id: number.to_string(),
        run_attempt: 1,
        test_id: TestId::new("", "", &name, "", 0),
        name,
        status: if number % 10 == 0 { TestStatus::Failed } else { TestStatus::Passed },
        duration_seconds: Some(number as f64),
        attempt: 1,
        is_final: true,
        at: when,
        ..Test::default()
    }
}

/// Three days, 200 tests on each, one every 7 minutes.
fn three_days() -> Vec<Test> {
    let minute = |number: i64| at("2026-03-01T00:00:00Z").plus_seconds((number * 420) as f64);
    (0..600).map(|number| test(number, minute(number))).collect()
}

async fn plan(engine: &Engine, source: &Arc<dyn Source>, sql: &str) -> String {
    csv(engine, source, &format!("EXPLAIN {sql}"), Access::All).await.unwrap()
}

#[tokio::test]
async fn explain_says_which_rollup_answers_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    deliver(&store, "first", &three_days());
    store.flush().unwrap();
    let source: Arc<dyn Source> = store.snapshot();
    let engine = engine_using(RollupUse::Always);
    for (sql, expected) in [
        ("SELECT date_trunc('day', at), count(*) FROM tests GROUP BY 1", "tests_by_project_daily"),
        ("SELECT service, avg(duration_seconds) FROM tests WHERE is_final GROUP BY 1", "tests_by_service_daily"),
        ("SELECT date_trunc('day', at), count(*) FROM tests WHERE branch = 'main' GROUP BY 1", "tests_daily"),
        ("SELECT date_trunc('hour', at), count(*) FROM tests GROUP BY 1", "tests_by_service_hourly"),
        ("SELECT date_trunc('hour', at), p95(duration_seconds) FROM tests WHERE branch = 'main' GROUP BY 1", "tests_hourly"),
        ("SELECT date_trunc('day', at), p95(duration_seconds) FROM tests GROUP BY 1", "tests_by_project_daily"),
        (
            "SELECT quantiles(duration_seconds, [0.5, 0.9]), p99(duration_seconds) FROM tests WHERE job_name IS NULL",
            "tests_daily",
        ),
        ("SELECT DISTINCT branch FROM tests", "tests_daily"),
        ("SELECT DISTINCT provider, project, run_id, run_attempt, job_id FROM tests", "tests_by_run_hourly"),
        (
            "SELECT run_id, count(*) FILTER (WHERE is_final), max(duration_seconds) FROM tests WHERE run_id IN ('1', '2') GROUP BY 1",
            "tests_by_run_hourly",
        ),
        ("SELECT count(DISTINCT branch) FROM tests WHERE service = 'cart'", "tests_daily"),
        (
            "WITH recent AS (SELECT *, date_trunc('day', at) AS day FROM tests WHERE at > now() - interval '30 days')
             SELECT day, count(*) FILTER (WHERE status = 'failed') AS failed FROM recent t GROUP BY day ORDER BY day",
            "tests_by_project_daily",
        ),
        (
            "SELECT floor(extract(epoch FROM at) / 21600) * 21600 AS time, branch, max(duration_seconds)
             FROM tests WHERE at BETWEEN '2026-03-01T00:00:00Z' AND '2026-03-10T00:00:00Z' GROUP BY 1, 2 ORDER BY 1",
            "tests_hourly",
        ),
    ] {
        let shown = plan(&engine, &source, sql).await;
        assert!(shown.contains(&format!("TableScan: {expected} ")), "{sql}\n{shown}");
        assert!(!shown.contains("TableScan: tests "), "{sql}\n{shown}");
    }
    store.close();
}

#[tokio::test]
async fn what_only_rows_can_answer_is_answered_from_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    deliver(&store, "first", &three_days());
    store.flush().unwrap();
    let source: Arc<dyn Source> = store.snapshot();
    let engine = engine_using(RollupUse::Always);
    for sql in [
        "SELECT name, count(*) FROM tests GROUP BY 1",
        "SELECT count(*) FROM tests WHERE duration_seconds > 5",
        "SELECT date_trunc('minute', at), count(*) FROM tests GROUP BY 1",
        "SELECT date_trunc('day', at AT TIME ZONE 'Asia/Kolkata'), count(*) FROM tests GROUP BY 1",
        "SELECT date_bin(interval '90 minutes', at), count(*) FROM tests GROUP BY 1",
        "SELECT date_bin(interval '1 day', at, timestamp '2026-03-01T00:30:00'), count(*) FROM tests GROUP BY 1",
        "SELECT count(DISTINCT name) FROM tests GROUP BY service",
        "SELECT run_id, p95(duration_seconds) FROM tests GROUP BY 1",
        "SELECT sum(DISTINCT duration_seconds) FROM tests GROUP BY service",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FROM tests GROUP BY name",
        "SELECT service, random() < 2, count(*) FROM tests GROUP BY 1, 2",
        "SELECT service, count(*) FROM (SELECT * FROM tests LIMIT 100) GROUP BY 1",
        "SELECT service, branch, count(*) FROM tests GROUP BY ROLLUP (service, branch)",
        "SELECT service, count(*) FROM tests WHERE at > '2026-03-03' AND at < '2026-03-02' GROUP BY 1",
        "SELECT count(*) FROM tests WHERE at BETWEEN '2026-03-01T10:10:00Z' AND '2026-03-01T10:50:00Z' AND is_final",
    ] {
        let shown = plan(&engine, &source, sql).await;
        assert!(!shown.contains("_daily") && !shown.contains("_hourly"), "{sql}\n{shown}");
    }
    let as_usual = engine_using(RollupUse::WhereSmaller);
    let counted = plan(&as_usual, &source, "SELECT count(*), max(at) FROM tests").await;
    assert!(!counted.contains("_daily"), "the catalog knows:\n{counted}");
    let never = engine_using(RollupUse::Never);
    let shown = plan(&never, &source, "SELECT service, count(*) FROM tests GROUP BY 1").await;
    assert!(!shown.contains("_daily"), "{shown}");
    store.close();
}

#[tokio::test]
async fn rows_in_memory_and_ends_that_cut_an_hour_are_added_from_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    deliver(&store, "first", &three_days());
    store.flush().unwrap();
    deliver(&store, "late", &[test(1, at("2026-03-01T12:00:01Z"))]);
    let source: Arc<dyn Source> = store.snapshot();
    let sql = "SELECT date_trunc('day', at) AS day, count(*), sum(duration_seconds) FROM tests
               WHERE at >= '2026-03-01T05:30:00Z' AND at < '2026-03-03T21:40:00Z' GROUP BY 1 ORDER BY 1";
    let engine = engine_using(RollupUse::Always);
    let shown = plan(&engine, &source, sql).await;
    assert!(
        shown.contains("TableScan: tests_by_project_daily + tests_by_service_hourly + tests "),
        "{shown}"
    );
    let from_rollups = csv(&engine, &source, sql, Access::All).await.unwrap();
    assert_eq!(from_rollups, csv(&engine_using(RollupUse::Never), &source, sql, Access::All).await.unwrap());
    assert!(from_rollups.starts_with("2026-03-01T00:00:00Z,159,"), "{from_rollups}");
    store.close();
}

#[tokio::test]
async fn rollups_show_the_rows_of_visible_projects_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    deliver(&store, "first", &three_days());
    store.flush().unwrap();
    let source: Arc<dyn Source> = store.snapshot();
    let engine = engine_using(RollupUse::Always);
    let own = || Access::projects(["shop"]);
    for (sql, expected) in [
        ("SELECT count(*) FROM tests WHERE service = 'cart'", "300"),
        ("SELECT DISTINCT project FROM tests", "shop"),
        ("SELECT project, sum(row_count) FROM tests_daily GROUP BY 1", "shop,300"),
        ("SELECT sum(row_count) FROM tests_hourly WHERE project = 'blog'", ""),
        ("SELECT count(*) FILTER (WHERE project = 'blog') FROM tests GROUP BY service", "0"),
    ] {
        assert_eq!(csv(&engine, &source, sql, own()).await.unwrap(), expected, "{sql}");
    }
    // A condition that fails on a row of another project must not tell that there is one.
    let careful = "SELECT count(*) FROM tests WHERE 1 / (CASE WHEN project = 'blog' THEN 0 ELSE 1 END) = 1";
    assert_eq!(csv(&engine, &source, careful, own()).await.unwrap(), "300");
    assert_eq!(csv(&engine, &source, careful, Access::projects(["else"])).await.unwrap(), "0");
    store.close();
}

/// A moment of a store whose segments of `tests` were forgotten.
#[derive(Debug)]
struct Forgotten(Arc<Snapshot>);

impl Source for Forgotten {
    fn read(&self, relation: &str) -> Result<RelationData, SourceError> {
        let mut data = self.0.read(relation)?;
        if relation == "tests" {
            data.segments.clear();
        }
        Ok(data)
    }
}

#[tokio::test]
async fn where_rows_are_gone_rollups_go_on_answering() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    deliver(&store, "first", &three_days());
    store.flush().unwrap();
    deliver(&store, "second", &[test(1, at("2026-03-02T12:00:01Z"))]);
    let source: Arc<dyn Source> = Arc::new(Forgotten(store.snapshot()));
    for rollups in [RollupUse::Always, RollupUse::WhereSmaller] {
        let engine = engine_using(rollups);
        for (sql, expected) in [
            ("SELECT count(*) FROM tests", "1"),
            ("SELECT count(*) FROM tests WHERE service = 'cart'", "601"),
            ("SELECT count(*) FROM tests WHERE at >= '2026-03-02'", "395"),
            // Of the day that the range cuts, whole hours.
            ("SELECT count(*) FROM tests WHERE at >= '2026-03-02T22:30:00Z' AND is_final", "197"),
            ("SELECT name, count(*) FROM tests GROUP BY 1", "test_1,1"),
        ] {
            assert_eq!(csv(&engine, &source, sql, Access::All).await.unwrap(), expected, "{sql}");
        }
    }
    store.close();
}

#[tokio::test]
async fn exact_percentiles_find_the_bucket_in_rollups_and_the_value_in_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut rows = three_days();
    deliver(&store, "first", &rows);
    store.flush().unwrap();
    // Of a branch with numbers that no sketch holds, of one more test that is in memory.
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 7.0, 9.0];
    rows = odd.iter().map(|value| Test { duration_seconds: Some(*value), ..rows[0].clone() }).collect();
    for (number, row) in rows.iter_mut().enumerate() {
        row.run_id = format!("odd-{number}");
        row.branch = Some("odd".into());
    }
    deliver(&store, "odd", &rows);
    store.flush().unwrap();
    deliver(&store, "second", &[test(1, at("2026-03-02T12:00:01Z"))]);
    let source: Arc<dyn Source> = store.snapshot();
    let engines = [RollupUse::Always, RollupUse::Never].map(engine_using);
    for (sql, expected) in [
        (
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FROM tests WHERE branch = 'main'",
            "297.0",
        ),
        (
            "SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY duration_seconds DESC) FROM tests WHERE branch = 'fix'",
            "451.0",
        ),
        (
            "SELECT percentile_cont(ARRAY[0, 0.25, 0.5, 0.75, 1]) WITHIN GROUP (ORDER BY duration_seconds) FROM tests WHERE branch = 'odd'",
            "\"[-inf, 7.0, 9.0, inf, NaN]\"",
        ),
        // One of the columns that are read again is a part of the other.
        (
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds), percentile_disc(0.9) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE is_final) FROM tests WHERE branch = 'fix'",
            "300.5,539.0",
        ),
        (
            "SELECT branch, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE status = 'passed') FROM tests GROUP BY 1 ORDER BY 1",
            "fix,300,300.5\nmain,301,297.0\nodd,5,",
        ),
    ] {
        let [from_rollups, from_rows] = &engines;
        let shown = plan(from_rollups, &source, sql).await;
        assert!(shown.contains("tests_daily + tests"), "{sql}\n{shown}");
        let found = csv(from_rollups, &source, sql, Access::All).await.unwrap();
        assert_eq!(found, csv(from_rows, &source, sql, Access::All).await.unwrap(), "{sql}");
        assert_eq!(found, expected, "{sql}");
    }
    // Of rows that are gone there are no values to find.
    let gone: Arc<dyn Source> = Arc::new(Forgotten(store.snapshot()));
    let sql = "SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FROM tests";
    for engine in &engines {
        assert_eq!(csv(engine, &gone, sql, Access::All).await.unwrap(), "1,1.0");
    }
    store.close();
}

#[tokio::test]
async fn what_one_access_has_decoded_shows_another_no_more_than_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    deliver(&store, "first", &three_days());
    store.flush().unwrap();
    let source: Arc<dyn Source> = store.snapshot();
    let range = "at >= '2026-03-01T05:30:00Z' AND at < '2026-03-03T21:40:00Z'";
    let questions = [
        format!(
            "SELECT branch, count(*), sum(duration_seconds) FROM tests WHERE {range} GROUP BY 1 ORDER BY 1"
        ),
        format!(
            "SELECT date_trunc('day', at), p95(duration_seconds) FROM tests WHERE {range} GROUP BY 1 ORDER BY 1"
        ),
        format!(
            "SELECT count(*) FROM tests WHERE {range} AND 1 / (CASE WHEN project = 'blog' THEN 0 ELSE 1 END) = 1"
        ),
        "SELECT project, sum(row_count) FROM tests_daily GROUP BY 1 ORDER BY 1".to_owned(),
        "SELECT count(*), min(at) FROM tests_by_service_daily".to_owned(),
    ];
    let accesses = [Access::All, Access::projects(["shop"]), Access::projects(["blog", "shop"])];
    let engine = engine_using(RollupUse::Always);
    // What the first round decodes the second one finds; accesses take turns in it.
    for round in 0..2 {
        for sql in &questions {
            for access in &accesses {
                let fresh = engine_using(RollupUse::Always);
                let expected = csv(&fresh, &source, sql, access.clone()).await;
                let from_rows = engine_using(RollupUse::Never);
                let plain = csv(&from_rows, &source, sql, access.clone()).await;
                let kept = csv(&engine, &source, sql, access.clone()).await;
                assert_eq!(kept, expected, "{round} {access:?}: {sql}");
                assert_eq!(kept.is_ok(), plain.is_ok(), "{access:?}: {sql}");
                if !sql.contains("_daily") {
                    assert_eq!(kept.ok(), plain.ok(), "{access:?}: {sql}");
                }
            }
        }
    }
    let shown = plan(&engine, &source, &questions[0]).await;
    assert!(shown.contains("KeptExec: "), "{shown}");
    store.close();
}

#[tokio::test]
async fn of_a_long_companion_the_row_groups_of_a_service_are_kept_and_answer_as_rows_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // Every hour of 28 days, in each of 8 services passed and failed tests.
    let tests: Vec<Test> = (0..28 * 24 * 8 * 4)
        .map(|number| {
            let when = at("2026-03-01T00:00:00Z").plus_seconds((number * 900 / 8) as f64);
            let service = Some(format!("service-{}", number % 8));
            let status = if number / 8 % 2 == 0 { TestStatus::Failed } else { TestStatus::Passed };
            Test { service, status, ..test(number, when) }
        })
        .collect();
    deliver(&store, "month", &tests);
    store.flush().unwrap();
    store.compact().unwrap();
    let source: Arc<dyn Source> = store.snapshot();
    let engine = engine_using(RollupUse::Always);
    let of_service = "project = 'shop' AND service = 'service-0'";
    let hourly = format!(
        "SELECT date_trunc('hour', at), count(*), p95(duration_seconds), max(at) FROM tests
         WHERE {of_service} AND at >= '2026-03-04T00:00:00Z' AND at < '2026-03-20T06:00:00Z' GROUP BY 1 ORDER BY 1"
    );
    let shown = plan(&engine, &source, &hourly).await;
    assert!(shown.contains("KeptExec: parts=1, rows about 4096"), "{shown}");
    assert!(!shown.contains("DataSourceExec"), "{shown}");
    let questions = [
        hourly,
        // Of one project, across two row groups, and of all.
        "SELECT date_trunc('hour', at), count(*), p50(duration_seconds) FROM tests WHERE project = 'blog' GROUP BY 1 ORDER BY 1"
            .to_owned(),
        "SELECT date_trunc('hour', at), service, count(*), sum(duration_seconds) FROM tests GROUP BY 1, 2 ORDER BY 1, 2"
            .to_owned(),
        "SELECT service, status, count(*) FROM tests
         WHERE at >= '2026-03-04T05:00:00Z' AND at < '2026-03-05T07:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2"
            .to_owned(),
        "SELECT date_trunc('hour', at), count(*) FROM tests WHERE service = 'no-such' GROUP BY 1".to_owned(),
    ];
    let from_rows = engine_using(RollupUse::Never);
    for round in 0..2 {
        for sql in &questions {
            for access in [Access::All, Access::projects(["shop"]), Access::projects(["blog", "shop"])] {
                let expected = csv(&from_rows, &source, sql, access.clone()).await.unwrap();
                let kept = csv(&engine, &source, sql, access.clone()).await.unwrap();
                assert_eq!(kept, expected, "{round} {access:?}: {sql}");
            }
        }
    }
    store.close();
}
