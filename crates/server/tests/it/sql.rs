//! `POST /api/v1/sql` and `GET /api/v1/deliveries`.

use serde_json::json;

use crate::harness::{Harness, REPORTS, junit, send};

#[tokio::test]
async fn a_question_is_taken_as_json_or_text_and_answered_in_the_wanted_format() {
    let harness = Harness::start().await;
    let ask = |content_type: &str, accept: &str, body: &str| {
        let request = harness.post("/api/v1/sql", body.to_owned());
        request.header("Content-Type", content_type).header("Accept", accept)
    };
    let json_answer = send(ask("application/json", "*/*", r#"{"sql":"select 1 as one"}"#)).await;
    assert_eq!(json_answer.header("content-type"), "application/json");
    assert_eq!(json_answer.json()["columns"], json!([{"name": "one", "type": "integer"}]));
    assert_eq!(json_answer.json()["rows"], json!([[1]]));
    let csv = send(ask("text/plain", "text/csv", "select 1 as one")).await;
    assert_eq!((csv.status, csv.text.as_str()), (200, "one\n1\n"));
    let by_word =
        send(ask("application/json", "application/json", r#"{"sql":"select 1 as one","format":"csv"}"#))
            .await;
    assert_eq!(by_word.text, "one\n1\n");
    let by_curl =
        send(ask("application/x-www-form-urlencoded", "text/csv", r#"{"sql":"select 1 as one"}"#)).await;
    assert_eq!(by_curl.text, "one\n1\n");
    let parquet =
        ask("text/plain", "application/vnd.apache.parquet", "select 1 as one").send().await.unwrap();
    assert!(parquet.bytes().await.unwrap().starts_with(b"PAR1"));
    let arrow = ask("text/plain", "application/vnd.apache.arrow.stream", "select 1").send().await.unwrap();
    assert_eq!(arrow.headers()["content-type"], "application/vnd.apache.arrow.stream");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_reason() {
    let harness = Harness::start().await;
    for (content_type, body, status, what) in [
        ("application/json", r#"{"sql":"selec 1"}"#, 400, "SQL"),
        ("application/json", r#"{"sql":"drop table runs"}"#, 400, "only read"),
        ("application/json", r#"{"sql":"select * from testz"}"#, 400, "tests"),
        ("application/json", r#"{"sql":"select 1","colour":"red"}"#, 400, "colour"),
        ("application/json", r#"{"sql":"select 1","format":"xlsx"}"#, 400, "format"),
        ("application/json", "", 400, "not a question"),
        ("application/xml", "<sql/>", 415, "text/plain"),
    ] {
        let answer = send(harness.post("/api/v1/sql", body).header("Content-Type", content_type)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.message().contains(what), "{body}: {}", answer.text);
        assert!(!answer.message().contains("DataFusion"), "{body}: {}", answer.text);
        answer.code();
    }
    let accept = harness.post("/api/v1/sql", r#"{"sql":"select 1"}"#).header("Accept", "image/png");
    assert_eq!(send(accept).await.status, 406);
}

#[tokio::test]
async fn a_tighter_limit_cuts_the_answer_and_says_so() {
    let harness = Harness::start().await;
    let body = r#"{"sql":"select * from generate_series(1, 100)","limits":{"rows":3}}"#;
    let answer = send(harness.post("/api/v1/sql", body)).await.json();
    assert_eq!((answer["row_count"].as_i64(), answer["truncated"].as_bool()), (Some(3), Some(true)));
}

#[tokio::test]
async fn what_arrived_is_listed_newest_first() {
    let harness = Harness::start().await;
    for name in ["a", "b"] {
        assert_eq!(send(harness.post(REPORTS, junit(&[name]))).await.status, 201);
    }
    let all = send(harness.get("/api/v1/deliveries")).await;
    assert_eq!(all.status, 200, "{}", all.text);
    assert_eq!(all.json()["rows"].as_array().unwrap().len(), 2);
    let one = send(harness.get("/api/v1/deliveries?limit=1")).await.json();
    assert_eq!(one["rows"].as_array().unwrap().len(), 1);
    for wrong in ["limit=0", "limit=x", "colour=red"] {
        assert_eq!(send(harness.get(&format!("/api/v1/deliveries?{wrong}"))).await.status, 400, "{wrong}");
    }
}
