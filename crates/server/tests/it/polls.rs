//! Polling over HTTP: what is shown, who may see it, and history that is asked for.

use manometer_providers::poll::{ApiOptions, Auth, PollOptions, Polled, Target};
use manometer_server::access::Scope;
use manometer_server::poll::PollEntry;
use manometer_testkit::fake::{HttpServer, Reply};
use serde_json::json;

use crate::harness::{Harness, send};

/// A server that polls one repository of a GitHub that refuses everything.
async fn polling() -> (Harness, HttpServer) {
    let github = HttpServer::start(|_| Reply::status(401)).unwrap();
    let entry = PollEntry {
        api: ApiOptions::new(github.base(), Auth::Bearer("ghp_hunter2".to_owned())),
        targets: vec![Target { provider: Polled::GitHub, project: "acme/shop".to_owned(), hook_id: None }],
        options: PollOptions::default(),
        since_seconds: 86_400.0,
    };
    let harness = Harness::start_with(move |options| options.polls = vec![entry]).await;
    (harness, github)
}

#[tokio::test]
async fn a_poll_that_is_refused_says_so_and_never_shows_its_token() {
    let (harness, _github) = polling().await;
    let poll = loop {
        let answer = send(harness.get("/api/v1/polls")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.text.contains("hunter2"));
        let poll = answer.json()["polls"][0].clone();
        if poll["standing"] == "refused" {
            break poll;
        }
        assert!(matches!(poll["standing"].as_str(), Some("new" | "working")), "{poll}");
        tokio::task::yield_now().await;
    };
    assert!(poll["message"].as_str().unwrap().contains("401"), "{poll}");
    assert!(poll["next_at"].is_string() && poll["last_sweep_at"].is_null(), "{poll}");
    let metrics = send(harness.get("/metrics")).await.text;
    let name = poll["name"].as_str().unwrap();
    assert!(metrics.contains(&format!("manometer_poll_failures_total{{poll=\"{name}\"}} 1")), "{metrics}");
    assert!(metrics.contains(&format!("manometer_poll_ok{{poll=\"{name}\"}} 0")), "{metrics}");
    let page = send(harness.get("/completeness").header("Accept", "text/html")).await;
    assert!(page.text.contains("refused") && page.text.contains(name), "{}", page.text);
}

#[tokio::test]
async fn history_is_asked_for_by_name_and_from_the_past_by_an_admin_alone() {
    let (harness, _github) = polling().await;
    let polls = send(harness.get("/api/v1/polls")).await.json();
    let name = polls["polls"][0]["name"].as_str().unwrap().to_owned();
    let ask = |poll: &str, since: &str| {
        harness.post("/api/v1/polls/backfill", json!({ "poll": poll, "since": since }).to_string())
    };
    let noted = send(ask(&name, "2026-01-31T00:00:00Z")).await;
    assert_eq!(noted.status, 202, "{}", noted.text);
    assert_eq!(noted.json()["backfill"]["since"], "2026-01-31T00:00:00.000000Z");
    // One that is under way is never shortened.
    let later = send(ask(&name, "2026-02-20T00:00:00Z")).await;
    assert_eq!(later.json()["backfill"]["since"], "2026-01-31T00:00:00.000000Z");

    let unknown = send(ask("github/acme/other", "2026-01-31T00:00:00Z")).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.message().contains("[[poll]]"));
    for since in ["2999-01-01T00:00:00Z", "yesterday", ""] {
        assert_eq!(send(ask(&name, since)).await.code(), "since", "{since}");
    }
    let garbage = send(harness.post("/api/v1/polls/backfill", "{\"poll\":1}")).await;
    assert_eq!((garbage.status, garbage.code().as_str()), (400, "body"));

    let query = harness.token(&[Scope::Query], None);
    let refused = send(ask(&name, "2026-01-31T00:00:00Z").bearer_auth(&query)).await;
    assert_eq!(refused.status, 403);
    let limited = harness.token(&[Scope::Query], Some(&["github.com/acme/shop"]));
    assert_eq!(send(harness.get("/api/v1/polls").bearer_auth(&limited)).await.status, 403);
    assert_eq!(send(harness.get("/api/v1/polls").bearer_auth(&query)).await.status, 200);
}

#[tokio::test]
async fn completeness_is_answered_and_its_parameters_are_checked() {
    let harness = Harness::start().await;
    let answer = send(harness.get("/api/v1/answers/completeness?days=3")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["days"].as_array().unwrap().len(), 3);
    for wrong in ["days=0", "days=many", "days=367", "limit=0", "dayz=1"] {
        let refused = send(harness.get(&format!("/api/v1/answers/completeness?{wrong}"))).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "parameter"), "{wrong}");
    }
    let page = send(harness.get("/completeness").header("Accept", "text/html")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Nothing is polled"), "{}", page.text);
}
