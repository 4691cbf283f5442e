//! `GET /api/v1/answers/…` and the pages that ask the same.

use manometer_model::{Clock as _, SystemClock};
use manometer_server::access::Scope;
use serde_json::{Value, json};

use crate::harness::{Answer, Harness, send};
use crate::markup::Markup;

const QUESTIONS: [&str; 5] = ["trend", "compare", "slowest", "failures", "history"];

async fn store(harness: &Harness, project: &str) {
    let now = SystemClock.now();
    let mut lines = Vec::new();
    for number in 0..24 {
        let began = now.plus_seconds(-3_600.0 * f64::from(30 - number));
        let sha = format!("{number:02}abcdef00");
        let of_run = json!({"provider": "ci", "project": project, "service": "cart", "pipeline": "build",
            "run_id": number.to_string(), "branch": "main", "is_default_branch": true, "commit_sha": sha});
        let with = |more: Value| {
            let mut record = of_run.clone();
            record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            record.to_string()
        };
        let seconds = if number < 12 { 10.0 } else { 20.0 } + f64::from(number % 3);
        lines.push(with(json!({"type": "run", "status": "completed", "conclusion": "success",
            "started_at": began, "finished_at": began.plus_seconds(seconds), "duration_seconds": seconds})));
        let failed = number == 20;
        lines.push(with(json!({"type": "test", "suite": "unit", "classname": "cart.Test", "name": "adds",
            "status": if failed { "failed" } else { "passed" }, "failure_message": if failed { Some("no sum") } else { None },
            "failure_fingerprint": if failed { Some("f1") } else { None }, "duration_seconds": seconds / 10.0, "at": began})));
    }
    let request =
        harness.post("/api/v1/records", lines.join("\n")).header("Content-Type", "application/x-ndjson");
    let answer = send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

async fn get(harness: &Harness, path: &str) -> Answer {
    send(harness.get(path)).await
}

#[tokio::test]
async fn every_question_is_answered_as_json_and_as_csv() {
    let harness = Harness::start().await;
    store(&harness, "acme/shop").await;
    for (path, pointer, expected) in [
        ("trend?service=cart&since=3d", "/series/0/total/count", json!(24)),
        ("compare?commit=12abcdef&measure=run-duration", "/direction", json!("worse")),
        ("slowest?of=tests", "/lines/0/count", json!(24)),
        ("failures?since=3d", "/causes/0/message", json!("no sum")),
        ("history?test=adds", "/total/failed", json!(1)),
    ] {
        let answer = get(&harness, &format!("/api/v1/answers/{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json().pointer(pointer), Some(&expected), "{path}: {}", answer.text);
        let csv = get(&harness, &format!("/api/v1/answers/{path}&format=csv")).await;
        assert!(
            csv.status == 200 && csv.header("content-type").starts_with("text/csv"),
            "{path}: {}",
            csv.text
        );
        let mut lines = csv.text.lines();
        let columns = lines.next().unwrap().split(',').count();
        assert!(lines.next().unwrap().split(',').count() >= columns, "{path}: {}", csv.text);
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_or_is_not_known_is_refused_in_the_one_shape() {
    let harness = Harness::start().await;
    store(&harness, "acme/shop").await;
    for (path, status, code, part) in [
        ("trend?measure=speed", 400, "parameter", "run-duration"),
        ("trend?colour=red", 400, "parameter", "`colour`"),
        ("trend?since=soon", 400, "parameter", "30d"),
        ("trend?format=xml", 400, "parameter", "json or csv"),
        ("trend?service=crat", 404, "not_found", "cart"),
        ("compare?measure=run-duration", 400, "parameter", "commit, merge, date"),
        ("compare?commit=ffffffff", 404, "not_found", "newest commits"),
        ("history", 400, "parameter", "which one"),
        ("history?test=ads", 404, "not_found", "ads"),
    ] {
        let answer = get(&harness, &format!("/api/v1/answers/{path}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}: {}", answer.text);
        assert!(answer.message().contains(part), "{path}: {}", answer.message());
    }
}

#[tokio::test]
async fn answers_are_of_the_projects_a_token_may_see() {
    let harness = Harness::start().await;
    store(&harness, "acme/shop").await;
    let (ours, blind) =
        (harness.token(&[Scope::Query], Some(&["acme/other"])), harness.token(&[Scope::Ingest], None));
    for question in QUESTIONS {
        let path = format!("/api/v1/answers/{question}?test=adds");
        assert_eq!(get(&harness, &path).await.status, 401, "{question}");
        assert_eq!(send(harness.get(&path).bearer_auth(&blind)).await.status, 403, "{question}");
    }
    let trend = send(harness.get("/api/v1/answers/trend").bearer_auth(&ours)).await;
    assert_eq!(trend.json()["series"], json!([]));
    let compare = send(harness.get("/api/v1/answers/compare?commit=12abcdef").bearer_auth(&ours)).await;
    assert!(compare.status == 404 && !compare.text.contains("12abcdef00"), "{}", compare.text);
    for page in ["/trend?service=cart", "/compare?commit=12abcdef", "/slowest", "/failures"] {
        let shown = send(harness.get(page).bearer_auth(&ours)).await.text;
        assert!(!shown.contains("acme/shop") && !shown.contains("no sum"), "{page}");
    }
}

#[tokio::test]
async fn the_document_describes_every_parameter_a_question_takes() {
    let harness = Harness::start().await;
    let document = get(&harness, "/api/openapi.json").await.json();
    for question in QUESTIONS {
        let pointer = format!("/paths/~1api~1v1~1answers~1{question}/get/parameters");
        let parameters = document.pointer(&pointer).unwrap().as_array().unwrap();
        assert!(parameters.len() > 8, "{question}");
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            assert_eq!(parameter["in"], "query", "{question} {name}");
            assert!(!parameter["description"].as_str().unwrap().is_empty(), "{question} {name}");
            // A value that no parameter takes is refused by the parameter, or taken as a name; never as unknown.
            let answer = get(&harness, &format!("/api/v1/answers/{question}?{name}=~")).await;
            assert!(!answer.text.contains("is no parameter"), "{question} {name}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_pages_show_the_answer_and_keep_what_was_asked_in_the_form() {
    let harness = Harness::start().await;
    store(&harness, "acme/shop").await;
    for (path, status, parts) in [
        ("/trend?service=cart&since=3d", 200, &["p95", "Numbers"][..]),
        ("/trend?group=service&bucket=day", 200, &["cart"][..]),
        ("/compare", 200, &["where the line is drawn"][..]),
        (
            "/compare?commit=12abcdef&measure=run-duration",
            200,
            &["p50 slower by", "95 % CI", "12 vs 12 runs"][..],
        ),
        ("/compare?commit=ffffffff", 404, &["newest commits"][..]),
        ("/compare?commit=12abcdef&measure=speed", 400, &["run-duration"][..]),
        ("/slowest?min=2", 200, &["cart.Test.adds"][..]),
        ("/failures", 200, &["no sum", "new", "20abcdef00"][..]),
    ] {
        let answer = send(harness.get(path).header("Accept", "text/html")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let markup = Markup::checked(&answer.text);
        for part in parts {
            assert!(markup.text.contains(part), "{path}: no {part} in {}", markup.text);
        }
        for address in markup.addresses.iter().filter(|address| address.starts_with("/api/v1/answers/")) {
            assert_eq!(get(&harness, address).await.status, 200, "{address}");
        }
    }
    let page = send(harness.get("/trend?service=cart&since=3d")).await.text;
    assert!(
        page.contains(r#"name="service" value="cart""#) && page.contains(r#"name="since" value="3d""#),
        "{page}"
    );
}
