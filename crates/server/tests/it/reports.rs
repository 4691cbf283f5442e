//! `POST /api/v1/reports`.

use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::harness::{Harness, REPORTS, gzip, junit, send};

#[tokio::test]
async fn a_report_is_answered_with_a_receipt_of_its_rows() {
    let harness = Harness::start().await;
    let answer = send(harness.post(REPORTS, junit(&["a", "b"]))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let receipt = answer.json();
    assert_eq!(receipt["status"], "committed");
    assert_eq!(receipt["rows"], json!({"runs": 1, "tests": 2}));
    assert_eq!(receipt["files"][0]["kind"], "junit");
    assert_eq!(receipt["problems"], json!([]));
    let rows = harness.rows("SELECT name, status, service FROM tests ORDER BY name").await;
    assert_eq!(rows, [json!(["a", "passed", "shop"]), json!(["b", "passed", "shop"])]);
}

#[tokio::test]
async fn the_same_delivery_twice_is_known_and_gets_the_first_receipt() {
    let harness = Harness::start().await;
    let first = send(harness.post(REPORTS, junit(&["a"]))).await.json();
    let again = send(harness.post(REPORTS, junit(&["a"]))).await;
    assert_eq!(again.status, 208);
    assert_eq!(again.json()["id"], first["id"]);
    assert_eq!(again.json()["status"], "known");
    assert_eq!(harness.count("SELECT count(*) FROM tests").await, 1);
}

#[tokio::test]
async fn one_key_for_another_body_is_a_conflict() {
    let harness = Harness::start().await;
    let with_key = |body: String| harness.post(REPORTS, body).header("Idempotency-Key", "build-7");
    assert_eq!(send(with_key(junit(&["a"]))).await.status, 201);
    assert_eq!(send(with_key(junit(&["a"]))).await.status, 208);
    let other = send(with_key(junit(&["b"]))).await;
    assert_eq!((other.status, other.code().as_str()), (409, "key_reused"));
    let other_context =
        harness.post(&format!("{REPORTS}&branch=x"), junit(&["a"])).header("Idempotency-Key", "build-7");
    assert_eq!(send(other_context).await.status, 409);
    assert_eq!(harness.count("SELECT count(*) FROM tests").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_clients_racing_with_one_key_exactly_one_has_an_effect() {
    let harness = Harness::start().await;
    for round in 0..10 {
        let requests = (0..8).map(|racer| {
            // Half of the racers send one body, half another.
            let body = junit(&[&format!("round_{round}_{}", racer % 2)]);
            send(harness.post(REPORTS, body).header("Idempotency-Key", format!("race-{round}")))
        });
        let mut statuses: Vec<u16> =
            futures::future::join_all(requests).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 208, 208, 208, 409, 409, 409, 409]);
    }
    assert_eq!(harness.count("SELECT count(*) FROM tests").await, 10);
}

#[tokio::test]
async fn context_comes_from_headers_the_query_and_the_form_and_the_later_one_wins() {
    let harness = Harness::start().await;
    let form = Form::new()
        .text("commit_sha", "from-form")
        .text("label.pool", "large")
        .part("file", Part::bytes(junit(&["a"]).into_bytes()).file_name("a.xml"))
        .part("file", Part::bytes(gzip(junit(&["b"]).as_bytes())).file_name("b.xml.gz"));
    let request = harness
        .client
        .post(harness.url("/api/v1/reports?project=p&branch=from-query&commit_sha=from-query"))
        .header("X-Manometer-Run-Id", "7")
        .header("X-Manometer-Branch", "from-header")
        .header("X-Manometer-Commit-Sha", "from-header")
        .header("X-Manometer-Label-Team", "cart")
        .multipart(form);
    let answer = send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let receipt = answer.json();
    let names: Vec<&str> =
        receipt["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.xml", "b.xml.gz"]);
    let rows = harness.rows("SELECT run_id, branch, commit_sha, labels FROM runs").await;
    assert_eq!(rows, [json!(["7", "from-query", "from-form", r#"{"pool":"large","team":"cart"}"#])]);
    assert_eq!(harness.count("SELECT count(*) FROM tests WHERE commit_sha = 'from-form'").await, 2);
}

#[tokio::test]
async fn wrong_context_is_refused_with_the_field_and_what_is_known() {
    let harness = Harness::start().await;
    for (path, what) in [
        ("/api/v1/reports", "project: is missing"),
        ("/api/v1/reports?projct=p", "`projct` is not a field of the context: known are provider, project"),
        ("/api/v1/reports?project=p&attempt=zero", "attempt: `zero`"),
        ("/api/v1/reports?project=p&url=javascript:alert(1)", "url: "),
        ("/api/v1/reports?project=%0A", "project: "),
    ] {
        let answer = send(harness.post(path, junit(&["a"]))).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "context"), "{path}");
        assert!(answer.message().contains(what), "{path}: {}", answer.text);
    }
    let header = send(harness.post(REPORTS, junit(&["a"])).header("X-Manometer-Colour", "red")).await;
    assert_eq!((header.status, header.code().as_str()), (400, "context"));
    assert_eq!(harness.count("SELECT count(*) FROM tests").await, 0);
}

#[tokio::test]
async fn files_that_cannot_be_read_are_listed_and_the_rest_is_kept() {
    let harness = Harness::start().await;
    let form = Form::new()
        .part("file", Part::bytes(b"\x89PNG\r\n".to_vec()).file_name("shot.png"))
        .part("file", Part::bytes(junit(&["a"]).into_bytes()).file_name("a.xml"));
    let answer = send(harness.client.post(harness.url(REPORTS)).multipart(form)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["problem_count"], 1);
    assert_eq!(answer.json()["problems"][0]["file"], "shot.png");

    let nothing = send(harness.post(REPORTS, "just words")).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (422, "unreadable"));
    assert_eq!(nothing.json()["error"]["files"][0]["taken"], false);
}
