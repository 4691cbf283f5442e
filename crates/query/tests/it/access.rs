//! No SQL shows a row of a project the asker may not see.

use std::sync::Arc;

use manometer_model::records::{Run, Runner, Test};
use manometer_model::{Labels, Record, TestId};
use manometer_query::Access;

use crate::fixture::{Rows, at, csv, csv_as};

const SECRET: &str = "classified";

fn run(project: &str, id: &str, branch: &str, seconds: f64) -> Record {
    let labels: Labels = [("note".to_owned(), branch.to_owned())].into();
    Run {
        provider: "save_metrics".into(),
        project: project.into(),
        run_id: id.into(),
        attempt: 1,
        branch: Some(branch.into()),
        is_default_branch: Some(true),
        started_at: Some(at("2026-03-01T00:00:00Z")),
        duration_seconds: Some(seconds),
        labels,
        ..Run::default()
    }
    .into()
}

fn test(project: &str, run_id: &str, name: &str, day: u32) -> Record {
    Test {
        provider: "ci".into(),
        project: project.into(),
        run_id: run_id.into(),
        run_attempt: 1,
        test_id: TestId::new("", "", name, "", 0),
        name: name.into(),
        duration_seconds: Some(f64::from(day)),
        attempt: 1,
        is_final: true,
        at: at(&format!("2026-03-{day:02}T00:00:00Z")),
        ..Test::default()
    }
    .into()
}

/// Two projects, in memory, in a segment of both and in a segment of each; and a runner of nobody.
fn rows() -> Arc<Rows> {
    let runner = Runner { provider: "ci".into(), runner_id: SECRET.into(), ..Runner::default() };
    Arc::new(
        Rows::new()
            .memory([
                run("mine", "1", "main", 10.0),
                run("theirs", "2", SECRET, 20.0),
                run("theirs", "3", SECRET, 30.0),
                runner.into(),
                test("mine", "1", "fresh", 9),
                test("theirs", "2", SECRET, 9),
            ])
            .segment([test("mine", "1", "a", 1), test("theirs", "2", SECRET, 1), test("mine", "1", "b", 2)])
            .segment([test("mine", "1", "c", 3), test("mine", "1", "d", 4)])
            .segment([test("theirs", "2", SECRET, 5), test("theirs", "3", SECRET, 6)]),
    )
}

fn mine() -> Access {
    Access::projects(["mine"])
}

#[tokio::test]
async fn counts_are_of_visible_rows_even_where_statistics_know_better() {
    let rows = rows();
    for (sql, all, own) in [
        ("SELECT count(*) FROM tests", "9", "5"),
        ("SELECT count(1) FROM tests", "9", "5"),
        ("SELECT count(project) FROM tests", "9", "5"),
        ("SELECT count(*) FROM runs", "3", "1"),
        ("SELECT count(*) FROM runners", "1", "0"),
        ("SELECT count(*) FROM deliveries", "0", "0"),
        ("SELECT max(at) FROM tests", "2026-03-09T00:00:00Z", "2026-03-09T00:00:00Z"),
        ("SELECT max(at) FROM tests WHERE at < '2026-03-09'", "2026-03-06T00:00:00Z", "2026-03-04T00:00:00Z"),
        ("SELECT count(*) FROM (SELECT 1 FROM tests)", "9", "5"),
        ("SELECT count(*) FROM (SELECT * FROM tests LIMIT 100)", "9", "5"),
        ("SELECT count(*) FROM metrics_pipeline", "3", "1"),
    ] {
        assert_eq!(csv(&rows, sql).await, all, "{sql}");
        assert_eq!(csv_as(&rows, sql, mine()).await.unwrap(), own, "{sql}");
    }
}

/// Each would show the secret, or a number it is part of, if anything leaked.
const EVASIONS: &[&str] = &[
    "SELECT * FROM runs",
    "SELECT * FROM runs WHERE project = 'theirs'",
    "SELECT * FROM runs WHERE project = 'theirs' OR true",
    "SELECT branch FROM runs WHERE branch = 'classified'",
    "SELECT branch FROM runs WHERE branch LIKE 'class%' OR project IN ('theirs', 'mine')",
    "SELECT branch FROM manometer.public.runs",
    "SELECT branch FROM \"manometer\".\"public\".\"runs\"",
    "SELECT name FROM tests",
    "SELECT DISTINCT name FROM tests ORDER BY 1",
    "SELECT max(name), min(name) FROM tests WHERE name > 'c'",
    "SELECT name FROM tests ORDER BY at DESC LIMIT 3",
    "SELECT name FROM tests ORDER BY duration_seconds DESC LIMIT 1",
    "WITH t AS (SELECT * FROM tests) SELECT name FROM t",
    "WITH RECURSIVE t AS (SELECT name, 1 AS n FROM tests UNION ALL SELECT name, n + 1 FROM t WHERE n < 2) SELECT name FROM t",
    "SELECT * FROM (SELECT name FROM tests UNION SELECT branch FROM runs)",
    "SELECT (SELECT max(branch) FROM runs)",
    "SELECT (SELECT max(branch) FROM runs WHERE project <> 'mine')",
    "SELECT name FROM tests WHERE EXISTS (SELECT 1 FROM runs WHERE project = 'theirs')",
    "SELECT name FROM tests WHERE run_id IN (SELECT run_id FROM runs WHERE project = 'theirs')",
    "SELECT r.branch FROM runs r JOIN tests t ON r.run_id = t.run_id",
    "SELECT t.name FROM runs r RIGHT JOIN tests t ON r.run_id = t.run_id",
    "SELECT t.name FROM runs r FULL JOIN tests t ON r.project = t.project",
    "SELECT t.name FROM runs r CROSS JOIN tests t",
    "SELECT first_value(name) OVER (ORDER BY at DESC), lag(name) OVER (ORDER BY at) FROM tests",
    "SELECT string_agg(name, ',') FROM tests",
    "SELECT array_agg(branch) FROM runs",
    "SELECT label(labels, 'note') FROM runs",
    "SELECT labels FROM runs",
    "SELECT ref FROM metrics_pipeline",
    "SELECT runner_id FROM runners",
    "SELECT runner_id FROM runners WHERE project IS NULL",
    "SELECT * FROM information_schema.tables WHERE table_name = 'classified'",
    "SELECT name FROM tests EXCEPT SELECT 'a'",
    "SELECT name FROM tests TABLESAMPLE SYSTEM (100)",
    "SELECT CASE WHEN project = 'theirs' THEN name ELSE 'none' END FROM tests",
    "SELECT name FROM tests WHERE coalesce(project, '') || 'x' <> 'minex'",
    "SELECT sum(duration_seconds) AS classified_sum FROM runs HAVING sum(duration_seconds) > 10",
];

#[tokio::test]
async fn no_wording_shows_a_hidden_row() {
    let rows = rows();
    let mut seen_with_full_access = 0;
    for sql in EVASIONS {
        if let Ok(text) = csv_as(&rows, sql, Access::All).await {
            seen_with_full_access += usize::from(text.contains(SECRET));
        }
        if let Ok(text) = csv_as(&rows, sql, mine()).await {
            assert!(!text.contains(SECRET), "{sql} shows {text}");
        }
    }
    assert!(seen_with_full_access > 20, "the texts look where the secret is: {seen_with_full_access}");
    let sum = csv_as(&rows, "SELECT sum(duration_seconds) FROM runs", mine()).await.unwrap();
    assert_eq!(sum, "10.0");
}

#[tokio::test]
async fn whether_a_query_fails_tells_nothing_of_hidden_rows() {
    let rows = rows();
    for sql in [
        "SELECT name FROM tests WHERE 1 / (CASE WHEN name = 'classified' THEN 0 ELSE 1 END) = 1",
        "SELECT name FROM tests WHERE at < '2027-01-01' AND (CASE WHEN name = 'classified' THEN name ELSE '1' END)::bigint = 1",
        "SELECT branch FROM runs WHERE branch::bigint IS NOT NULL OR branch = 'main' AND 1 / (CASE WHEN project = 'theirs' THEN 0 ELSE 1 END) = 1",
    ] {
        assert!(csv_as(&rows, sql, Access::All).await.is_err(), "{sql}");
        if sql.contains("runs") {
            continue;
        }
        assert!(csv_as(&rows, sql, mine()).await.is_ok(), "{sql}: {:?}", csv_as(&rows, sql, mine()).await);
    }
    let divides = "SELECT count(*) FROM runs WHERE 1 / (CASE WHEN project = 'theirs' THEN 0 ELSE 1 END) = 1";
    assert_eq!(csv_as(&rows, divides, mine()).await.unwrap(), "1");
    assert!(csv_as(&rows, divides, Access::All).await.is_err());
}

#[tokio::test]
async fn filters_still_find_the_visible_rows() {
    let rows = rows();
    for (sql, expected) in [
        ("SELECT name FROM tests WHERE at >= '2026-03-02' ORDER BY at", "b\nc\nd\nfresh"),
        ("SELECT name FROM tests WHERE name IN ('a', 'c', 'classified') ORDER BY 1", "a\nc"),
        ("SELECT name FROM tests WHERE lower(name) = 'fresh'", "fresh"),
        ("SELECT at FROM tests WHERE name = 'd'", "2026-03-04T00:00:00Z"),
        ("SELECT project, count(*) FROM tests GROUP BY 1", "mine,5"),
    ] {
        assert_eq!(csv_as(&rows, sql, mine()).await.unwrap(), expected, "{sql}");
    }
}

#[tokio::test]
async fn access_to_no_project_sees_no_row_and_access_to_both_sees_theirs() {
    let rows = rows();
    let none = Access::projects(Vec::<String>::new());
    assert_eq!(csv_as(&rows, "SELECT count(*) FROM tests", none.clone()).await.unwrap(), "0");
    assert_eq!(csv_as(&rows, "SELECT * FROM runs", none).await.unwrap(), "");
    let both = Access::projects(["mine", "theirs"]);
    assert_eq!(csv_as(&rows, "SELECT count(*) FROM tests", both.clone()).await.unwrap(), "9");
    assert_eq!(csv_as(&rows, "SELECT count(*) FROM runners", both).await.unwrap(), "0");
}

#[tokio::test]
async fn explain_is_refused_to_single_projects() {
    let refused = csv_as(&rows(), "EXPLAIN ANALYZE SELECT * FROM tests", mine()).await.unwrap_err();
    assert!(refused.contains("EXPLAIN"), "{refused}");
}
