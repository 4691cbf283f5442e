//! Every query ends: at its limits, or when nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use manometer_model::Limits;
use manometer_query::{Access, Engine, EngineOptions, LimitOverrides, QueryError, QueryRequest, Source};

use crate::fixture::{Rows, Standing, engine_with, noon};

/// Work for hours: ten million million pairs, no row of an answer before the end.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 10000000) a(x) CROSS JOIN generate_series(1, 1000000) b(y) WHERE (x * y) % 7 = 3";

fn nothing() -> Arc<dyn Source> {
    Arc::new(Rows::new())
}

fn limited(limits: LimitOverrides, sql: &str) -> QueryRequest {
    QueryRequest::new(sql, Access::All).with_limits(limits)
}

#[tokio::test]
async fn a_query_past_its_time_is_stopped_and_told_the_limit() {
    let engine = engine_with(Limits::default());
    let limits = LimitOverrides { seconds: Some(0.2), ..LimitOverrides::default() };
    let outcome = match engine.query(nothing(), limited(limits, ENDLESS)).await {
        Ok(result) => result.collect().await.map(|_| ()),
        Err(error) => Err(error),
    };
    let error = outcome.unwrap_err();
    assert_eq!(error, QueryError::TimeLimit { seconds: 0.2 });
    assert!(error.to_string().contains("query_seconds"), "{error}");
    until_idle(&engine).await;
}

#[tokio::test]
async fn a_query_past_its_memory_is_stopped_and_told_the_limit() {
    let engine = engine_with(Limits::default());
    let limits = LimitOverrides { memory_bytes: Some(1_000_000), ..LimitOverrides::default() };
    for sql in [
        "SELECT value, count(*) FROM generate_series(1, 3000000) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        "SELECT value FROM generate_series(1, 3000000) ORDER BY value % 1000 LIMIT 2000000",
        "SELECT count(*) FROM generate_series(1, 3000000) a JOIN generate_series(1, 3000000) b ON a.value = b.value + 1",
    ] {
        let outcome = match engine.query(nothing(), limited(limits, sql)).await {
            Ok(result) => result.collect().await.map(|_| ()),
            Err(error) => Err(error),
        };
        let error = outcome.unwrap_err();
        assert!(matches!(error, QueryError::MemoryLimit { bytes: 1_000_000, .. }), "{sql}: {error}");
        assert!(error.to_string().contains("query_memory_bytes"), "{error}");
    }
}

#[tokio::test]
async fn rows_past_the_limit_are_cut_and_said_to_be() {
    let engine = engine_with(Limits { query_rows: 10_000, ..Limits::default() });
    for (wanted, rows, truncated) in
        [(Some(10), 10, true), (Some(20_000), 10_000, true), (None, 10_000, true), (Some(0), 0, true)]
    {
        let limits = LimitOverrides { rows: wanted, ..LimitOverrides::default() };
        let result = engine
            .query(nothing(), limited(limits, "SELECT * FROM generate_series(1, 50000)"))
            .await
            .unwrap();
        let (_, summary) = result.collect().await.unwrap();
        assert_eq!((summary.row_count, summary.truncated), (rows, truncated), "{wanted:?}");
    }
    let exactly = engine
        .query(nothing(), QueryRequest::new("SELECT * FROM generate_series(1, 10000)", Access::All))
        .await;
    let (_, summary) = exactly.unwrap().collect().await.unwrap();
    assert_eq!((summary.row_count, summary.truncated), (10_000, false));
}

#[tokio::test]
async fn dropping_an_answer_stops_its_work() {
    let engine = engine_with(Limits::default());
    let endless_rows =
        "SELECT a.value FROM generate_series(1, 100000000) a CROSS JOIN generate_series(1, 1000) b";
    let mut result = engine.query(nothing(), QueryRequest::new(endless_rows, Access::All)).await.unwrap();
    assert!(result.next_batch().await.unwrap().is_some());
    assert_eq!(engine.running(), 1);
    drop(result);
    until_idle(&engine).await;
}

#[tokio::test]
async fn dropping_a_question_before_its_answer_stops_its_work() {
    let engine = engine_with(Limits::default());
    {
        let asked = engine.query(nothing(), QueryRequest::new(ENDLESS, Access::All));
        tokio::pin!(asked);
        assert!(tokio::time::timeout(Duration::ZERO, &mut asked).await.is_err() || engine.running() > 0);
    }
    until_idle(&engine).await;
}

#[tokio::test]
async fn past_the_line_queries_are_refused_at_once() {
    let options = EngineOptions {
        limits: Limits::default(),
        threads: 1,
        running: 1,
        waiting: 0,
        clock: Arc::new(Standing(noon())),
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).unwrap();
    let endless_rows =
        "SELECT a.value FROM generate_series(1, 100000000) a CROSS JOIN generate_series(1, 1000) b";
    let running = engine.query(nothing(), QueryRequest::new(endless_rows, Access::All)).await.unwrap();
    let refused = engine.query(nothing(), QueryRequest::new("SELECT 1", Access::All)).await.unwrap_err();
    assert_eq!(refused, QueryError::Overloaded { running: 1, waiting: 0, retry_after_seconds: 1 });
    drop(running);
    until_idle(&engine).await;
    assert!(engine.query(nothing(), QueryRequest::new("SELECT 1", Access::All)).await.is_ok());
}

/// Waits until no query runs; the harness's own limit ends a test that waits for ever.
async fn until_idle(engine: &Engine) {
    while engine.running() > 0 {
        tokio::task::yield_now().await;
    }
}
