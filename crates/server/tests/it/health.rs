//! `GET /healthz`, `/ready` and `/metrics`, and what every answer carries.

use crate::harness::{Harness, REPORTS, junit, send};

#[tokio::test]
async fn a_started_server_is_alive_and_ready() {
    let harness = Harness::start().await;
    assert_eq!(send(harness.get("/healthz")).await.json()["status"], "ok");
    assert_eq!(send(harness.get("/ready")).await.json()["status"], "ready");
}

#[tokio::test]
async fn metrics_count_what_was_taken_and_every_refusal() {
    let harness = Harness::start().await;
    assert_eq!(send(harness.post(REPORTS, junit(&["a", "b"]))).await.status, 201);
    assert_eq!(send(harness.post(REPORTS, "words")).await.status, 422);
    assert_eq!(send(harness.post("/api/v1/reports", junit(&["a"]))).await.status, 400);
    harness.rows("select 1").await;
    let metrics = send(harness.get("/metrics")).await;
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        r#"manometer_ingest_requests_total{route="/api/v1/reports",status="201"} 1"#,
        r#"manometer_ingest_refused_total{reason="unreadable"} 1"#,
        r#"manometer_ingest_refused_total{reason="context"} 1"#,
        r#"manometer_ingest_rows_total{table="tests"} 2"#,
        r#"manometer_table_rows{table="tests"} 2"#,
        "manometer_store_ready 1",
        "manometer_deliveries_committed_total 1",
        "manometer_query_seconds_count 1",
    ] {
        assert!(metrics.text.lines().any(|found| found == line), "{line}\n{}", metrics.text);
    }
    assert!(metrics.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn unknown_paths_do_not_make_new_series() {
    let harness = Harness::start().await;
    for number in 0..5 {
        assert_eq!(send(harness.get(&format!("/nothing/{number}"))).await.status, 404);
    }
    let metrics = send(harness.get("/metrics")).await.text;
    assert!(
        metrics.contains(r#"manometer_http_requests_total{route="unknown",method="GET",status="404"} 5"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_a_request_id() {
    let harness = Harness::start().await;
    for path in ["/", "/healthz", "/nothing", "/api/openapi.json", "/login"] {
        let answer = send(harness.get(path)).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    let named = send(harness.get("/healthz").header("X-Request-Id", "build-7.retry_1")).await;
    assert_eq!(named.header("x-request-id"), "build-7.retry_1");
    let hostile = send(harness.get("/healthz").header("X-Request-Id", "a b\"c")).await;
    assert_ne!(hostile.header("x-request-id"), "a b\"c");
}
