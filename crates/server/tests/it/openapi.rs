//! `GET /api/openapi.json` describes the routes that are there.

use std::collections::BTreeSet;

use crate::harness::{Harness, send};

#[tokio::test]
async fn the_document_lists_exactly_the_routes_for_programs() {
    let harness = Harness::start().await;
    let document = send(harness.get("/api/openapi.json")).await.json();
    let mut listed = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        listed.extend(item.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    let expected = [
        "get /api/openapi.json",
        "get /api/v1/answers/compare",
        "get /api/v1/answers/completeness",
        "get /api/v1/answers/failures",
        "get /api/v1/answers/history",
        "get /api/v1/answers/slowest",
        "get /api/v1/answers/trend",
        "get /api/v1/deliveries",
        "get /api/v1/polls",
        "get /api/v1/store",
        "get /healthz",
        "get /metrics",
        "get /ready",
        "post /api/v1/deliveries/{receipt}/replay",
        "post /api/v1/polls/backfill",
        "post /api/v1/records",
        "post /api/v1/reports",
        "post /api/v1/sql",
        "post /api/v1/store/retention",
        "post /api/v1/write",
        "post /api/v2/write",
        "post /save_metrics",
        "post /webhooks/{provider}",
        "post /webhooks/{provider}/{source}",
        "post /write",
    ];
    assert_eq!(listed, expected.iter().map(|line| (*line).to_owned()).collect());
    for entry in &listed {
        let (method, path) = entry.split_once(' ').unwrap();
        let other = if method == "get" { harness.post(path, "") } else { harness.get(path) };
        let answer = send(other).await;
        assert_eq!((answer.status, answer.code().as_str()), (405, "method"), "{entry}");
        assert!(answer.header("allow").to_lowercase().contains(method), "{entry}");
    }
}

#[tokio::test]
async fn every_refusal_a_guarded_route_can_give_is_described() {
    let harness = Harness::start().await;
    let document = send(harness.get("/api/openapi.json")).await.json();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            // A webhook is believed by its signature: no token, no scope.
            let is_webhook = path.starts_with("/webhooks/");
            let guarded = operation.get("security").is_some();
            assert!(!(guarded && is_webhook), "{path}");
            assert_eq!(responses.contains_key("401"), guarded || is_webhook, "{method} {path} 401");
            assert_eq!(responses.contains_key("403"), guarded, "{method} {path} 403");
            if method == "post" && operation.get("requestBody").is_some() {
                for status in ["408", "413", "503"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_shape_the_document_refers_to_is_in_it() {
    let harness = Harness::start().await;
    let text = send(harness.get("/api/openapi.json")).await.text;
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut count = 0;
    for reference in text.split("\"$ref\": \"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is missing");
        count += 1;
    }
    assert!(count > 20, "only {count} references");
}
