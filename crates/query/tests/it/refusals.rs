//! What a query may not do, and how it is told.

use std::sync::Arc;

use manometer_query::{Access, QueryError};

use crate::fixture::{Rows, ask, csv_as};

async fn error(sql: &str) -> QueryError {
    let rows = Arc::new(Rows::new());
    match ask(&rows, sql).await {
        Ok(result) => result.collect().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn no_file_and_no_address_is_a_table() {
    let rows = Arc::new(Rows::new());
    for sql in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'http://localhost/x.parquet'",
        "SELECT * FROM \"manometer-segments://local/etc/passwd\"",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        let refused = csv_as(&rows, sql, Access::All).await.unwrap_err();
        assert!(!refused.contains("root:"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn an_unknown_table_is_told_its_near_names() {
    let text = error("SELECT * FROM run").await.to_string();
    assert!(text.starts_with("table `run` does not exist"), "{text}");
    assert!(text.contains("runs"), "{text}");
    assert_eq!(
        error("SELECT * FROM metrics_pipelines").await.to_string(),
        "table `metrics_pipelines` does not exist; did you mean `metrics_pipeline`?"
    );
    let inside = error("WITH t AS (SELECT * FROM jbos) SELECT * FROM t JOIN runs ON true").await.to_string();
    assert!(inside.contains("`jbos`") && inside.contains("jobs"), "{inside}");
    assert!(
        matches!(error("SELECT * FROM zzzzzzzzzzzz").await, QueryError::UnknownTable { near, .. } if near.len() > 10)
    );
}

#[tokio::test]
async fn an_unknown_column_is_told_what_there_is() {
    let unknown = error("SELECT duraton_seconds FROM runs").await;
    assert_eq!(unknown.code(), "plan");
    assert!(unknown.to_string().contains("duration_seconds"), "{unknown}");
}

#[tokio::test]
async fn failures_name_their_cause_and_not_the_engine_underneath() {
    for (sql, code) in [
        ("SELEC 1", "syntax"),
        ("SELECT 1 / 0", "execution"),
        ("SELECT 'x'::bigint", "execution"),
        ("SELECT nofunction(1)", "plan"),
        ("DROP TABLE runs", "refused"),
        ("SELECT 1; SELECT 2", "refused"),
        ("WITH x AS (DELETE FROM runs RETURNING *) SELECT * FROM x", "plan"),
        ("SELECT $1", "plan"),
    ] {
        let found = error(sql).await;
        let text = found.to_string();
        assert!(found.is_the_querys_fault(), "{sql}: {found:?}");
        assert!(code == found.code() || sql.contains('$') || sql.contains("DELETE"), "{sql}: {found:?}");
        assert!(!text.contains("DataFusion") && !text.contains("bug"), "{text}");
    }
}

#[tokio::test]
async fn tables_and_columns_can_be_listed() {
    let rows = Arc::new(Rows::new());
    let tables = csv_as(
        &rows,
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
        Access::All,
    );
    let listed = tables.await.unwrap();
    assert!(
        listed.contains("runs,BASE TABLE")
            && listed.contains("metrics_job,VIEW")
            && listed.contains("deliveries,"),
        "{listed}"
    );
    for sql in ["SHOW TABLES", "SHOW COLUMNS FROM runs", "DESCRIBE metrics_pipeline"] {
        assert!(!csv_as(&rows, sql, Access::projects(["p"])).await.unwrap().is_empty(), "{sql}");
    }
}
