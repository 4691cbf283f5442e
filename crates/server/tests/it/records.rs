//! `POST /api/v1/records`.

use serde_json::json;

use crate::harness::{Harness, gzip, send};

const RUN: &str = r#"{"type":"run","provider":"ci","project":"p","run_id":"1","status":"completed","conclusion":"success"}"#;

#[tokio::test]
async fn records_are_rows_however_they_are_sent() {
    let harness = Harness::start().await;
    let plain = send(harness.post("/api/v1/records", RUN)).await;
    assert_eq!(plain.status, 201, "{}", plain.text);
    assert_eq!(plain.json()["rows"], json!({"runs": 1}));
    assert_eq!(send(harness.post("/api/v1/records", RUN)).await.status, 208);
    let packed = gzip(RUN.replace(r#""1""#, r#""2""#).as_bytes());
    assert_eq!(send(harness.post("/api/v1/records", packed.clone())).await.status, 201);
    let by_header = harness.post("/api/v1/records", gzip(RUN.replace(r#""1""#, r#""3""#).as_bytes()));
    assert_eq!(send(by_header.header("Content-Encoding", "gzip")).await.status, 201);
    let rows = harness.rows("SELECT run_id, conclusion FROM runs ORDER BY run_id").await;
    assert_eq!(rows, [json!(["1", "success"]), json!(["2", "success"]), json!(["3", "success"])]);
}

#[tokio::test]
async fn what_is_not_a_record_is_refused_or_listed() {
    let harness = Harness::start().await;
    for (body, status, code) in
        [("", 400, "empty"), ("nonsense", 422, "unreadable"), ("\n\n", 422, "unreadable")]
    {
        let answer = send(harness.post("/api/v1/records", body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body:?}");
    }
    let partly = send(harness.post("/api/v1/records", format!("{RUN}\nnonsense\n"))).await;
    assert_eq!(partly.status, 201);
    assert_eq!(partly.json()["problems"][0]["line"], 2);
    let form = reqwest::multipart::Form::new().text("a", "b");
    let refused = send(harness.client.post(harness.url("/api/v1/records")).multipart(form)).await;
    assert_eq!((refused.status, refused.code().as_str()), (415, "content_type"));
}

#[tokio::test]
async fn a_late_delivery_does_not_reopen_a_finished_run() {
    let harness = Harness::start().await;
    assert_eq!(send(harness.post("/api/v1/records", RUN)).await.status, 201);
    let late = r#"{"type":"run","provider":"ci","project":"p","run_id":"1","status":"running"}"#;
    assert_eq!(send(harness.post("/api/v1/records", late)).await.status, 201);
    assert_eq!(harness.rows("SELECT status, conclusion FROM runs").await, [json!(["completed", "success"])]);
}
