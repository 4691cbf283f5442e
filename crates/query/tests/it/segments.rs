//! Segments: read only where a filter leaves a chance, counted without being read.

use std::sync::Arc;

use manometer_model::records::Test;
use manometer_model::{Record, TestId};
use manometer_query::{Access, Source};

use crate::fixture::{Rows, at, csv, csv_as};

fn tests(project: &str, day: u32, count: u32) -> Vec<Record> {
    (0..count)
        .map(|number| {
            let name = format!("test_{number:04}");
            Test {
                provider: "ci".into(),
                project: project.into(),
                run_id: format!("{project}-{day}"),
                run_attempt: 1,
                test_id: TestId::new("", "", &name, "", 0),
                name,
                duration_seconds: Some(f64::from(number)),
                attempt: 1,
                is_final: true,
                at: at(&format!("2026-03-{day:02}T00:00:00Z")).plus_seconds(f64::from(number)),
                ..Test::default()
            }
            .into()
        })
        .collect()
}

/// Three days of two projects, a segment each, and the fourth day in memory.
fn rows() -> Arc<Rows> {
    let mut rows = Rows::new();
    for day in 1..=3 {
        rows = rows.segment(tests("shop", day, 200)).segment(tests("blog", day, 100));
    }
    Arc::new(rows.memory(tests("shop", 4, 50)))
}

/// Makes every file unreadable: from here on a query succeeds only where it opens none.
fn spoil(rows: &Rows, which: impl Fn(&str) -> bool) {
    for path in rows.files("tests") {
        if which(path.to_str().unwrap()) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn memory_and_segments_are_one_table() {
    let rows = rows();
    assert_eq!(
        csv(&rows, "SELECT project, count(*), sum(duration_seconds) FROM tests GROUP BY 1 ORDER BY 1").await,
        "blog,300,14850.0\nshop,650,60925.0"
    );
    assert_eq!(csv(&rows, "SELECT name, at FROM tests WHERE name = 'test_0049' AND project = 'shop' ORDER BY at DESC LIMIT 1").await, "test_0049,2026-03-04T00:00:49Z");
}

#[tokio::test]
async fn counting_rows_opens_no_file() {
    let rows = rows();
    spoil(&rows, |_| true);
    assert_eq!(csv(&rows, "SELECT count(*) FROM tests").await, "950");
    assert!(csv_as(&rows, "SELECT count(name) FROM tests WHERE name > 'a'", Access::All).await.is_err());
}

#[tokio::test]
async fn a_filter_on_time_or_project_leaves_other_segments_closed() {
    let rows = rows();
    // Files are numbered in the order they were added: 0 shop, 1 blog of day 1, 2 and 3 of day 2, 4 and 5 of day 3.
    spoil(&rows, |path| {
        path.ends_with("-0.parquet") || path.ends_with("-1.parquet") || path.ends_with("-5.parquet")
    });
    for (sql, expected) in [
        ("SELECT count(name) FROM tests WHERE at >= '2026-03-02' AND at < '2026-03-03'", "300"),
        ("SELECT count(name) FROM tests WHERE at > now() - INTERVAL '9 days' AND project = 'shop'", "450"),
        (
            "SELECT count(name) FROM tests WHERE project IN ('shop', 'other') AND at BETWEEN '2026-03-03T00:00:00Z' AND '2026-03-05T00:00:00Z'",
            "250",
        ),
        ("SELECT count(name) FROM tests WHERE project = 'nobody'", "0"),
        ("SELECT count(name) FROM tests WHERE at >= '2026-03-04'", "50"),
    ] {
        assert_eq!(csv(&rows, sql).await, expected, "{sql}");
    }
    assert!(
        csv_as(&rows, "SELECT count(name) FROM tests WHERE at < '2026-03-02'", Access::All).await.is_err()
    );
}

#[tokio::test]
async fn segments_of_other_projects_are_not_opened_for_single_projects() {
    let rows = rows();
    spoil(&rows, |path| ["-1.", "-3.", "-5."].iter().any(|number| path.contains(number)));
    let shop = Access::projects(["shop"]);
    assert_eq!(csv_as(&rows, "SELECT count(*), max(name) FROM tests", shop).await.unwrap(), "650,test_0199");
}

#[tokio::test]
async fn a_missing_file_is_a_fault_of_the_store_and_not_of_the_query() {
    let rows = rows();
    spoil(&rows, |_| true);
    let source: Arc<dyn Source> = rows.clone();
    let request = manometer_query::QueryRequest::new("SELECT name FROM tests", Access::All);
    let error = match crate::fixture::engine().query(source, request).await {
        Ok(result) => result.collect().await.map(|_| ()).unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.code(), "storage", "{error}");
    assert!(!error.is_the_querys_fault());
}
