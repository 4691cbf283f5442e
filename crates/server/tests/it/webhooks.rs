//! Webhooks over HTTP: signed, taken once, kept as they came, read again.

use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_ingest::webhooks::Hook;
use manometer_providers::{Secrets, ServiceRules, provider};
use manometer_server::Webhooks;
use manometer_server::access::Scope;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{Answer, Harness, send};

const SECRET: &str = "it is a secret to everybody";

async fn with_github() -> Harness {
    let hook = |source: &str, secrets: &[&str]| Hook {
        provider: provider("github").unwrap(),
        source: source.to_owned(),
        secrets: Secrets::new(secrets).unwrap(),
    };
    let hooks = vec![hook("", &[SECRET]), hook("acme", &["the new one", "the former one"])];
    Harness::start_with(|options| options.webhooks = Webhooks::new(hooks, ServiceRules::default())).await
}

/// A job of a workflow, as far as these tests need it.
fn job(action: &str, status: &str, conclusion: Option<&str>) -> String {
    json!({
        "action": action,
        "workflow_job": {
            "id": 29_679_449, "run_id": 29_679_448, "run_attempt": 1, "name": "build", "workflow_name": "CI",
            "head_branch": "main", "head_sha": "a5f24f4f1c8b7b4a8f3a64f9f9b9b3a1c2d3e4f5",
            "status": status, "conclusion": conclusion,
            "created_at": "2026-11-20T10:00:00Z", "started_at": "2026-11-20T10:00:20Z",
            "completed_at": conclusion.map(|_| "2026-11-20T10:05:20Z"),
            "html_url": "https://github.com/acme/shop/actions/runs/29679448/job/29679449",
            "runner_id": 7, "runner_name": "runner-7", "runner_group_name": "large", "labels": ["ubuntu-latest"],
            "steps": [
                {"name": "Checkout", "number": 1, "status": "completed", "conclusion": "success",
                 "started_at": "2026-11-20T10:00:21Z", "completed_at": "2026-11-20T10:00:25Z"},
                {"name": "Test", "number": 2, "status": "completed", "conclusion": "success",
                 "started_at": "2026-11-20T10:00:25Z", "completed_at": "2026-11-20T10:05:19Z"},
            ],
        },
        "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop", "default_branch": "main"},
    })
    .to_string()
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn deliver(harness: &Harness, path: &str, event: &str, id: &str, secret: &str, body: &str) -> Answer {
    let request = harness
        .post(path, body.to_owned())
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", id)
        .header("x-github-hook-id", "1")
        .header("x-hub-signature-256", signature(secret, body));
    send(request).await
}

#[tokio::test]
async fn a_job_arrives_with_its_steps_once_however_often_it_is_told() {
    let harness = with_github().await;
    let done = job("completed", "completed", Some("success"));
    let first = deliver(&harness, "/webhooks/github", "workflow_job", "id-1", SECRET, &done).await;
    assert_eq!((first.status, &first.json()["status"]), (201, &json!("stored")), "{}", first.text);
    let again = deliver(&harness, "/webhooks/github", "workflow_job", "id-1", SECRET, &done).await;
    assert_eq!((again.status, again.json()["id"].clone()), (208, first.json()["id"].clone()));
    // Another hook tells of the same job, and what came before comes late.
    deliver(&harness, "/webhooks/github/acme", "workflow_job", "id-9", "the former one", &done).await;
    let late = job("in_progress", "in_progress", None);
    deliver(&harness, "/webhooks/github", "workflow_job", "id-0", SECRET, &late).await;
    let rows = harness.rows("SELECT name, status, conclusion, runner_pool, duration_seconds FROM jobs").await;
    assert_eq!(rows, [json!(["build", "completed", "success", "large", 300.0])]);
    assert_eq!(
        harness.rows("SELECT number, name FROM steps ORDER BY 1").await,
        [json!([1, "Checkout"]), json!([2, "Test"])]
    );
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_counted() {
    let harness = with_github().await;
    let body = job("queued", "queued", None);
    for refused in [
        deliver(&harness, "/webhooks/github", "workflow_job", "a", "another secret", &body).await,
        deliver(&harness, "/webhooks/github/acme", "workflow_job", "b", SECRET, &body).await,
        send(harness.post("/webhooks/github", body.clone()).header("x-github-event", "workflow_job")).await,
    ] {
        assert_eq!((refused.status, refused.code().as_str()), (401, "not_verified"), "{}", refused.text);
    }
    assert_eq!(harness.count("SELECT count(*) FROM deliveries").await, 0);
    let metrics = send(harness.get("/metrics")).await.text;
    assert!(
        metrics.contains("manometer_webhooks_total{provider=\"github\",outcome=\"not_verified\"} 3"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_place_nobody_configured_says_what_to_do() {
    let harness = with_github().await;
    let unknown = send(harness.post("/webhooks/githup", "{}")).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.message().contains("known are github"), "{}", unknown.text);
    let unset = send(harness.post("/webhooks/jenkins", "{}")).await;
    assert_eq!(unset.status, 404);
    assert!(unset.message().contains("[[webhooks]]"), "{}", unset.text);
    assert_eq!(send(harness.post("/webhooks/github/nobody", "{}")).await.status, 404);
}

#[tokio::test]
async fn what_means_nothing_or_cannot_be_read_is_taken_and_can_be_read_again() {
    let harness = with_github().await;
    let ignored = deliver(&harness, "/webhooks/github", "star", "a", SECRET, r#"{"action":"created"}"#).await;
    assert_eq!((ignored.status, &ignored.json()["status"]), (202, &json!("ignored")), "{}", ignored.text);
    let failed = deliver(&harness, "/webhooks/github", "workflow_job", "b", SECRET, "{\"action\":").await;
    assert_eq!((failed.status, &failed.json()["status"]), (202, &json!("failed")), "{}", failed.text);
    assert_eq!(failed.json()["problem_count"], json!(1));
    let told =
        harness.rows("SELECT source, treatment, problem_count FROM deliveries ORDER BY treatment").await;
    assert_eq!(told, [json!(["github", "failed", 1]), json!(["github", "ignored", 0])].map(Value::from));

    let done = job("completed", "completed", Some("failure"));
    let stored = deliver(&harness, "/webhooks/github", "workflow_job", "c", SECRET, &done).await;
    let id = stored.json()["id"].as_str().unwrap().to_owned();
    let replayed = send(harness.post(&format!("/api/v1/deliveries/{id}/replay"), "")).await;
    assert_eq!((replayed.status, &replayed.json()["status"]), (201, &json!("stored")), "{}", replayed.text);
    assert_ne!(replayed.json()["id"], json!(id));
    assert_eq!(harness.count("SELECT count(*) FROM steps").await, 2, "facts are not stored again");
    assert_eq!(harness.count("SELECT count(*) FROM jobs").await, 1);

    let none = send(harness.post("/api/v1/deliveries/00000000000000000000000000/replay", "")).await;
    assert_eq!((none.status, none.code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn with_tokens_a_webhook_needs_its_secret_alone_and_a_replay_needs_an_admin() {
    let harness = with_github().await;
    let query = harness.token(&[Scope::Query], None);
    let admin = harness.token(&[Scope::Admin], None);
    let body = job("queued", "queued", None);
    let stored = deliver(&harness, "/webhooks/github", "workflow_job", "a", SECRET, &body).await;
    assert_eq!(stored.status, 201);
    let id = stored.json()["id"].as_str().unwrap().to_owned();
    let replay = || harness.post(&format!("/api/v1/deliveries/{id}/replay"), "");
    assert_eq!(send(replay()).await.status, 401);
    assert_eq!(send(replay().bearer_auth(query)).await.status, 403);
    assert_eq!(send(replay().bearer_auth(admin)).await.status, 201);
}

#[tokio::test]
async fn a_body_larger_than_any_webhook_is_refused_before_it_is_read() {
    let harness = with_github().await;
    let large = harness.post("/webhooks/github", vec![b' '; manometer_providers::MOST_BODY_BYTES + 1]);
    assert_eq!(send(large).await.status, 413);
}

#[tokio::test]
async fn a_service_that_an_upload_tells_wins_over_an_assumed_one_in_any_order() {
    // `aaa` is before `shop` and `zzz` behind it: neither wins by its letters.
    for told in ["aaa", "zzz"] {
        for upload_is_first in [true, false] {
            let harness = with_github().await;
            let webhook = async || {
                let body = job("completed", "completed", Some("success"));
                let answer = deliver(&harness, "/webhooks/github", "workflow_job", "id", SECRET, &body).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
            };
            let upload = async || {
                let run = "provider=github&project=github.com/acme/shop&run_id=29679448";
                let report = "<testsuite name='s'><testcase name='t' classname='c' time='1'/></testsuite>";
                for (service, number) in [(format!("&service={told}"), 1), (String::new(), 2)] {
                    let path = format!("/api/v1/reports?{run}{service}&job_id={number}");
                    let answer = send(harness.post(&path, report)).await;
                    assert_eq!(answer.status, 201, "{}", answer.text);
                }
            };
            if upload_is_first {
                upload().await;
                webhook().await;
            } else {
                webhook().await;
                upload().await;
            }
            let rows = harness.rows("SELECT service FROM runs").await;
            assert_eq!(rows, [json!([told])], "upload first: {upload_is_first}");
        }
    }
}
