//! The engine over the real store: the same answers before, between and after flushes.

use std::sync::Arc;

use manometer_model::records::{Run, Test};
use manometer_model::{Conclusion, Problems, Record, Status, TestId, TestStatus, Timestamp};
use manometer_query::{Access, QueryRequest, Source, format};
use manometer_store::{DeliveryInfo, DeliveryKey, FlushPolicy, Store, StoreOptions};

use crate::fixture::{at, engine};

fn open(folder: &std::path::Path) -> Store {
    let mut options = StoreOptions::new(folder);
    options.flush = FlushPolicy { background: false, ..FlushPolicy::default() };
    Store::open(options).unwrap()
}

fn deliver(store: &Store, key: &str, records: &[Record]) {
    let mut writer = store.writer();
    for record in records {
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

fn test(project: &str, number: i64, when: Timestamp) -> Record {
    let name = format!("test_{number}");
    Test {
        provider: "ci".into(),
        project: project.into(),
        service: Some("cart".into()),
        run_id: "1".into(),
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
    .into()
}

fn tests(day: &str) -> Vec<Record> {
    (0..100).map(|number| test(if number < 50 { "shop" } else { "blog" }, number, at(day))).collect()
}

async fn csv(store: &Store, sql: &str, access: Access) -> String {
    let source: Arc<dyn Source> = store.snapshot();
    let result = engine().query(source, QueryRequest::new(sql, access)).await.unwrap();
    let mut bytes = Vec::new();
    format::write(result, format::Format::Csv, &mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap().split_once('\n').unwrap().1.trim_end().to_owned()
}

const QUESTIONS: &[(&str, &str, &str)] = &[
    ("SELECT count(*) FROM tests", "200", "100"),
    (
        "SELECT count(*), sum(duration_seconds), max(at) FROM tests",
        "200,9900.0,2026-03-02T00:00:00Z",
        "100,2450.0,2026-03-02T00:00:00Z",
    ),
    (
        "SELECT project, count(*) FROM tests WHERE status = 'failed' GROUP BY 1 ORDER BY 1",
        "blog,10\nshop,10",
        "shop,10",
    ),
    ("SELECT count(*) FROM tests WHERE at >= '2026-03-02' AND name LIKE 'test_1%'", "11", "11"),
    (
        "SELECT status, conclusion, duration_seconds FROM runs",
        "completed,success,5.0",
        "completed,success,5.0",
    ),
    (
        "SELECT t.name FROM tests t JOIN runs r USING (provider, project, run_id) WHERE t.name = 'test_7' GROUP BY 1",
        "test_7",
        "test_7",
    ),
    ("SELECT count(*), min(source), min(row_count) FROM deliveries", "3,records,1", "3,records,1"),
];

#[tokio::test]
async fn answers_are_the_same_before_between_and_after_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = Run {
        provider: "ci".into(),
        project: "shop".into(),
        run_id: "1".into(),
        attempt: 1,
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        started_at: Some(at("2026-03-01T00:00:00Z")),
        finished_at: Some(at("2026-03-01T00:00:05Z")),
        ..Run::default()
    };
    deliver(&store, "run", &[run.into()]);
    deliver(&store, "first", &tests("2026-03-01T00:00:00Z"));
    store.flush().unwrap();
    deliver(&store, "second", &tests("2026-03-02T00:00:00Z"));
    for stage in ["half flushed", "flushed", "compacted"] {
        for (sql, all, own) in QUESTIONS {
            assert_eq!(csv(&store, sql, Access::All).await, *all, "{stage}: {sql}");
            assert_eq!(csv(&store, sql, Access::projects(["shop"])).await, *own, "{stage}: {sql}");
        }
        if stage == "half flushed" {
            store.flush().unwrap();
        } else {
            store.compact().unwrap();
        }
    }
    store.close();
}

#[tokio::test]
async fn a_query_reads_on_over_segments_that_compaction_replaced_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for (number, hour) in (0..6).enumerate() {
        deliver(&store, &format!("d{number}"), &tests(&format!("2026-03-01T{hour:02}:00:00Z")));
        store.flush().unwrap();
    }
    let before: Arc<dyn Source> = store.snapshot();
    store.compact().unwrap();
    let result = engine()
        .query(before, QueryRequest::new("SELECT name FROM tests ORDER BY name", Access::All))
        .await
        .unwrap();
    let (_, summary) = result.collect().await.unwrap();
    assert_eq!(summary.row_count, 600);
    store.close();
}
