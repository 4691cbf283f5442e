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

/// The engine can skip what cannot raise the greatest value so far; then it must not be asked for the least of another.
#[tokio::test]
async fn the_greatest_of_one_column_does_not_hide_the_least_of_another() {
    // In any order: the greatest duration is that of the day in the middle.
    let mut rows = Rows::new();
    for day in (1..=28).chain((1..=27).rev()) {
        rows = rows.segment(tests("shop", day, if day == 14 { 2_000 } else { 1_000 }));
    }
    let sql = "SELECT max(duration_seconds), min(date_trunc('day', at)), max(date_trunc('hour', at)) FROM tests WHERE project = 'shop'";
    assert_eq!(csv(&Arc::new(rows), sql).await, "1999.0,2026-03-01T00:00:00Z,2026-03-28T00:00:00Z");
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

fn id(number: u32) -> String {
    TestId::new("", "", &format!("test_{number:04}"), "", 0).to_string()
}

/// What `EXPLAIN ANALYZE` counts under a name, added up over the files that were opened; a unit is left away.
async fn counted(rows: &Arc<Rows>, sql: &str, name: &str) -> f64 {
    let text = csv(rows, &format!("EXPLAIN ANALYZE {sql}")).await;
    assert!(text.contains(name), "nothing counts {name}: {text}");
    let head = format!("{name}=");
    let figures = text.split(&head).skip(1).filter_map(|rest| {
        let figure: String = rest.chars().take_while(|next| next.is_ascii_digit() || *next == '.').collect();
        figure.parse::<f64>().ok()
    });
    figures.sum()
}

#[tokio::test]
async fn a_test_is_looked_up_where_its_identity_may_be() {
    // Three files of sixteen row groups; test 70 is in the second row group of one of them alone.
    let days = [1, 2, 3].map(|day| tests("shop", day, 1_024));
    let without_it = |day: &[Record]| -> Vec<Record> {
        let is_it = |record: &Record| matches!(record, Record::Test(test) if test.name == "test_0070");
        day.iter().filter(|record| !is_it(record)).cloned().collect()
    };
    let rows =
        Rows::new().segment(without_it(&days[0])).segment(days[1].clone()).segment(without_it(&days[2]));
    let rows = Arc::new(rows);
    let sql = format!("SELECT name, run_id FROM tests WHERE test_id = '{}'", id(70));
    assert_eq!(csv(&rows, &sql).await, "test_0070,shop-2");
    let read = counted(&rows, &sql, "pushdown_rows_matched").await
        + counted(&rows, &sql, "pushdown_rows_pruned").await;
    // A filter mistakes one row group in a thousand.
    assert!((64.0..=192.0).contains(&read), "{read} rows were looked at");
    let nowhere = format!("SELECT name FROM tests WHERE test_id = '{}'", id(5_000));
    assert_eq!(csv(&rows, &nowhere).await, "");
    let plan = csv(&rows, &format!("EXPLAIN {nowhere}")).await;
    assert!(!plan.contains("tests-1.parquet") || plan.contains("EmptyExec"), "{plan}");
}

#[tokio::test]
async fn all_threads_share_the_part_of_a_file_that_a_filter_leaves() {
    let rows = Arc::new(Rows::new().segment(tests("shop", 1, 1_024)).segment(tests("blog", 2, 64)));
    let condition = "FROM tests WHERE name BETWEEN 'test_0100' AND 'test_0399'";
    let sql = format!("SELECT count(*), sum(duration_seconds), min(project) {condition}");
    assert_eq!(csv(&rows, &sql).await, "300,74850.0,shop");
    let read = counted(&rows, &sql, "pushdown_rows_matched").await
        + counted(&rows, &sql, "pushdown_rows_pruned").await;
    assert!((300.0..=384.0).contains(&read), "{read} rows were looked at");
    let plan = csv(&rows, &format!("EXPLAIN {sql}")).await;
    let scan = plan.lines().find(|line| line.contains("file_groups")).unwrap();
    // Six row groups of 64; the other file has none of those names.
    assert!(scan.contains("2 groups"), "{scan}");
    assert_eq!(scan.matches("tests-0.parquet").count(), 6, "{scan}");
    assert!(!scan.contains("tests-1.parquet"), "{scan}");
    let first = format!("SELECT name {condition} ORDER BY name LIMIT 2");
    assert_eq!(csv(&rows, &first).await, "test_0100\ntest_0101");
}

#[tokio::test]
async fn looking_up_finds_what_reading_everything_finds() {
    let old = Rows::new()
        .segment_without_filters(tests("shop", 1, 300))
        .segment_without_filters(tests("blog", 2, 300))
        .memory(tests("shop", 4, 50));
    let new = Rows::new()
        .segment(tests("shop", 1, 300))
        .segment(tests("blog", 2, 300))
        .memory(tests("shop", 4, 50));
    let mixed = Rows::new()
        .segment(tests("shop", 1, 300))
        .segment_without_filters(tests("blog", 2, 300))
        .memory(tests("shop", 4, 50));
    let (first, last) = (id(0), id(299));
    let conditions = [
        format!("test_id = '{first}'"),
        format!("'{last}' = test_id AND project = 'blog'"),
        format!("test_id IN ('{first}', '{last}', 'no such test')"),
        format!("test_id NOT IN ('{first}', '{last}')"),
        format!("test_id = '{first}' OR name = 'test_0200'"),
        format!("test_id = '{first}' OR test_id = '{last}'"),
        format!("test_id = '{first}' AND test_id = '{last}'"),
        format!("test_id <> '{first}'"),
        format!("NOT (test_id = '{first}')"),
        format!("upper(test_id) = upper('{first}')"),
        format!("test_id = '{first}' IS NOT TRUE"),
        format!("test_id LIKE '{}%'", &first[..8]),
        format!("test_id > '{first}' AND duration_seconds < 100"),
        "test_id = (SELECT max(test_id) FROM tests WHERE name = 'test_0299')".to_owned(),
        "test_id IN (SELECT test_id FROM tests WHERE at > '2026-03-03' AND duration_seconds < 3)".to_owned(),
        "test_id IS NULL".to_owned(),
        "test_id = ''".to_owned(),
    ];
    let (old, new, mixed) = (Arc::new(old), Arc::new(new), Arc::new(mixed));
    for condition in conditions {
        for access in [Access::All, Access::projects(["shop"])] {
            let sql = format!(
                "SELECT project, name, at FROM tests WHERE {condition} ORDER BY project, name, at LIMIT 400"
            );
            let expected = csv_as(&old, &sql, access.clone()).await.unwrap();
            assert_eq!(csv_as(&new, &sql, access.clone()).await.unwrap(), expected, "{condition}");
            assert_eq!(csv_as(&mixed, &sql, access.clone()).await.unwrap(), expected, "{condition}");
            let counted = format!("SELECT count(*), min(at), max(at) FROM tests WHERE {condition}");
            let expected = csv_as(&old, &counted, access.clone()).await.unwrap();
            assert_eq!(csv_as(&new, &counted, access.clone()).await.unwrap(), expected, "{condition}");
        }
    }
}

#[tokio::test]
async fn a_large_file_is_read_in_parts_and_each_row_once() {
    // Texts that do not compress, so that some thousand rows make a large file.
    let mut state = 1_u64;
    let mut noise = || {
        let mut text = String::new();
        while text.len() < 1_200 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:016x}", state ^ (state >> 29)));
        }
        text
    };
    let large: Vec<Record> = tests("shop", 1, 9_000)
        .into_iter()
        .map(|record| match record {
            Record::Test(mut test) => {
                test.failure_details = Some(noise());
                Record::Test(test)
            }
            other => other,
        })
        .collect();
    let rows = Arc::new(Rows::new().segment(large).segment(tests("blog", 2, 100)));
    let size = rows.files("tests")[0].metadata().unwrap().len();
    assert!(size > 9 << 20, "{size} bytes are not large");
    let sql = "SELECT count(failure_details), count(name), sum(duration_seconds), count(distinct test_id) FROM tests";
    assert_eq!(csv(&rows, sql).await, "9000,9100,40500450.0,9000");
    let plan = csv(&rows, &format!("EXPLAIN {sql}")).await;
    assert!(plan.contains("tests-0.parquet:0.."), "the file is not read in parts: {plan}");
    let some = "SELECT name FROM tests WHERE project = 'shop' LIMIT 3";
    assert_eq!(csv(&rows, some).await.lines().count(), 3);
    let alone = format!("SELECT count(*) FROM tests WHERE test_id = '{}'", id(8_999));
    assert_eq!(csv(&rows, &alone).await, "1");
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
