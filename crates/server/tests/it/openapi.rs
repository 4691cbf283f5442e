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
        "get /api/v1/deliveries",
        "get /healthz",
        "get /metrics",
        "get /ready",
        "post /api/v1/records",
        "post /api/v1/reports",
        "post /api/v1/sql",
        "post /api/v1/write",
        "post /api/v2/write",
        "post /save_metrics",
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
            let guarded = operation.get("security").is_some();
            for status in ["401", "403"] {
                assert_eq!(responses.contains_key(status), guarded, "{method} {path} {status}");
            }
            if method == "post" {
                for status in ["408", "413", "503"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
            }
        }
    }
}
