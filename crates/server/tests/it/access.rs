//! Tokens: who may do what.

use std::net::SocketAddr;

use manometer_model::{Clock as _, SystemClock};
use manometer_server::access::{AccessDatabase, NewToken, Scope};
use manometer_server::{Server, StartError};
use serde_json::json;

use crate::harness::{Answer, Harness, exchange, is_let_in, junit, options, send};

/// Every guarded route, and the scope it needs.
const GUARDED: &[(&str, &str, Scope)] = &[
    ("POST", "/api/v1/reports?project=p", Scope::Ingest),
    ("POST", "/api/v1/records", Scope::Ingest),
    ("POST", "/save_metrics", Scope::Ingest),
    ("POST", "/api/v1/sql", Scope::Query),
    ("GET", "/api/v1/deliveries", Scope::Query),
    ("GET", "/api/v1/answers/trend", Scope::Query),
    ("GET", "/api/v1/answers/compare", Scope::Query),
    ("GET", "/api/v1/answers/slowest", Scope::Query),
    ("GET", "/api/v1/answers/failures", Scope::Query),
    ("GET", "/api/v1/answers/history", Scope::Query),
    ("GET", "/api/v1/answers/completeness", Scope::Query),
    ("GET", "/api/v1/polls", Scope::Query),
    ("POST", "/api/v1/polls/backfill", Scope::Admin),
    ("GET", "/api/v1/store", Scope::Admin),
    ("POST", "/api/v1/store/retention?dry_run=true", Scope::Admin),
    ("GET", "/metrics", Scope::Query),
    ("POST", "/api/v1/deliveries/{receipt}/replay", Scope::Admin),
];

/// Routes that take other credentials than a token: of a webhook the secret of its place, and of what was made for
/// InfluxDB or Prometheus whatever it sends. Their own tests show that.
const OTHERWISE: &[&str] = &["/webhooks/", "/write", "/api/v2/write", "/api/v1/write"];

/// Routes that are open to everyone at all times.
const OPEN: &[&str] = &["/healthz", "/ready", "/api/openapi.json", "/login"];

async fn call(harness: &Harness, method: &str, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = if method == "GET" { harness.get(path) } else { harness.post(path, "") };
    if let Some(text) = authorization {
        request = request.header("Authorization", text);
    }
    send(request).await
}

#[tokio::test]
async fn without_tokens_a_loopback_server_is_open() {
    let harness = Harness::start().await;
    for (method, path, _) in GUARDED {
        assert!(is_let_in(call(&harness, method, path, None).await.status), "{method} {path}");
    }
    assert_eq!(send(harness.get("/")).await.status, 200);
}

#[tokio::test]
async fn every_route_lets_in_exactly_the_tokens_with_its_scope() {
    let harness = Harness::start().await;
    let tokens: Vec<(Scope, String)> = Scope::ALL
        .iter()
        .map(|scope| (*scope, format!("Bearer {}", harness.token(&[*scope], None))))
        .collect();
    let (revoked_id, revoked) = harness.token_until(&[Scope::Admin], None, None);
    assert!(harness.tokens().revoke(&revoked_id, SystemClock.now()).unwrap());
    let (_, expired) = harness.token_until(&[Scope::Admin], None, Some(-1.0));
    let unknown = format!("mano_{}", "A".repeat(43));

    for (method, path, needed) in GUARDED {
        let missing = call(&harness, method, path, None).await;
        assert_eq!((missing.status, missing.code().as_str()), (401, "missing_token"), "{method} {path}");
        assert!(missing.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
        for wrong in [
            format!("Bearer {unknown}"),
            format!("Bearer {revoked}"),
            format!("Bearer {expired}"),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            "Basic bWFubzp4".to_owned(),
            unknown.clone(),
        ] {
            let answer = call(&harness, method, path, Some(&wrong)).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "wrong_token"),
                "{method} {path} {wrong}"
            );
        }
        for (scope, authorization) in &tokens {
            let answer = call(&harness, method, path, Some(authorization)).await;
            if scope.allows(*needed) {
                assert!(is_let_in(answer.status), "{method} {path} {scope}: {}", answer.text);
            } else {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (403, "missing_scope"),
                    "{method} {path} {scope}"
                );
                assert!(answer.message().contains(&format!("--scope {needed}")), "{}", answer.text);
            }
        }
    }
    for path in OPEN {
        assert_eq!(call(&harness, "GET", path, None).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_matrix_covers_every_route_that_is_described() {
    let harness = Harness::start().await;
    let document = send(harness.get("/api/openapi.json")).await.json();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scope = &operation["security"][0]["token"][0];
            let guarded = GUARDED.iter().find(|(guarded_method, guarded_path, _)| {
                guarded_method.eq_ignore_ascii_case(method) && guarded_path.split('?').next() == Some(path)
            });
            match guarded {
                Some((.., needed)) => assert_eq!(scope.as_str(), Some(needed.as_str()), "{path}"),
                None if OTHERWISE.iter().any(|start| path.starts_with(start)) => {}
                None => assert!(scope.is_null() && OPEN.contains(&path.as_str()), "{method} {path}"),
            }
        }
    }
}

#[tokio::test]
async fn the_door_shuts_with_the_first_token_and_stays_shut_after_the_last() {
    let harness = Harness::start().await;
    assert!(is_let_in(call(&harness, "GET", "/metrics", None).await.status));
    let (id, secret) = harness.token_until(&[Scope::Query], None, None);
    assert_eq!(call(&harness, "GET", "/metrics", None).await.status, 401);
    let bearer = format!("Bearer {secret}");
    assert_eq!(call(&harness, "GET", "/metrics", Some(&bearer)).await.status, 200);
    harness.tokens().revoke(&id, SystemClock.now()).unwrap();
    assert_eq!(call(&harness, "GET", "/metrics", Some(&bearer)).await.status, 401);
    assert_eq!(call(&harness, "GET", "/metrics", None).await.status, 401);
}

#[tokio::test]
async fn a_token_limited_to_projects_writes_and_sees_only_them() {
    let harness = Harness::start().await;
    let everything = harness.token(&[Scope::Admin], None);
    let limited = harness.token(&[Scope::Ingest, Scope::Query], Some(&["mine"]));
    let upload = |token: &str, project: &str| {
        let path = format!("/api/v1/reports?project={project}");
        send(harness.post(&path, junit(&[&format!("test_of_{project}")])).bearer_auth(token))
    };
    assert_eq!(upload(&everything, "theirs").await.status, 201);
    assert_eq!(upload(&limited, "mine").await.status, 201);
    let refused = upload(&limited, "theirs").await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden_project"));

    let record = r#"{"type":"build","provider":"ci","project":"theirs","run_id":"1","name":"x"}"#;
    let refused = send(harness.post("/api/v1/records", record).bearer_auth(&limited)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden_project"));

    let document = r#"{"project":"theirs","pipeline_id":1,"ref":"main","created_at":"2026-01-01T00:00:00Z","duration":1}"#;
    let refused = send(harness.post("/save_metrics", document).bearer_auth(&limited)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden_project"));

    for sql in [
        "SELECT project FROM tests",
        "SELECT project FROM runs",
        "SELECT project FROM (SELECT * FROM tests UNION ALL SELECT * FROM tests WHERE project = 'theirs')",
        "SELECT project FROM deliveries",
    ] {
        assert_eq!(harness.rows_as(Some(&limited), sql).await, [json!(["mine"])], "{sql}");
        assert!(harness.rows_as(Some(&everything), sql).await.len() >= 2, "{sql}");
    }
}

#[tokio::test]
async fn an_address_others_reach_is_refused_without_a_token_and_served_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused =
        Server::start(options(folder.path(), |options| options.listen = anywhere)).await.unwrap_err();
    let StartError::NeedsToken { command, .. } = &refused else { panic!("{refused}") };
    assert!(command.starts_with("manometer token create") && command.contains("--data"), "{command}");

    let folder = tempfile::tempdir().unwrap();
    let new = NewToken {
        name: "first".to_owned(),
        scopes: [Scope::Admin].into(),
        projects: None,
        expires_at: None,
    };
    let (_, secret) = AccessDatabase::open(folder.path()).unwrap().create(new, SystemClock.now()).unwrap();
    let server = Server::start(options(folder.path(), |options| options.listen = anywhere)).await.unwrap();
    let mut answers = Vec::new();
    for authorization in ["", &format!("Authorization: Bearer {}\r\n", secret.reveal())] {
        let address = SocketAddr::from(([127, 0, 0, 1], server.address().port()));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: m\r\nConnection: close\r\n{authorization}\r\n");
        answers.push(exchange(&mut stream, request.as_bytes()).await);
    }
    assert!(answers[0].starts_with("HTTP/1.1 401"), "{}", answers[0]);
    assert!(answers[1].starts_with("HTTP/1.1 200"), "{}", answers[1]);
}
