//! Pages as a browser gets them: headers, addresses, what is not there, and what one may not see.

use manometer_model::{Clock as _, SystemClock};
use manometer_server::access::Scope;
use serde_json::{Value, json};

use crate::harness::{Answer, Harness, send};
use crate::markup::Markup;

const EVIL: &str = "\"'></title></textarea><script>alert(1)</script><img src=x onerror=alert(2)> ルビ 🦀";

async fn page(harness: &Harness, path: &str) -> (Answer, Markup) {
    let answer = send(harness.get(path).header("Accept", "text/html")).await;
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
        "{path}: {policy}"
    );
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert!(answer.header("content-type").starts_with("text/html"), "{path}: {}", answer.text);
    let markup = Markup::checked(&answer.text);
    (answer, markup)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn send_records(harness: &Harness, records: &[Value]) {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let request =
        harness.post("/api/v1/records", lines.join("\n")).header("Content-Type", "application/x-ndjson");
    let answer = send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// One run of `project` with a job, a step and a failed test, all named `name`.
fn run_named(project: &str, name: &str) -> Vec<Value> {
    let now = SystemClock.now();
    let run =
        json!({"provider": name, "project": project, "service": name, "run_id": name, "pipeline": name});
    let with = |more: Value| {
        let mut record = run.clone();
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    vec![
        with(
            json!({"type": "run", "status": "completed", "conclusion": "failure", "branch": name, "actor": name,
            "trigger": name, "url": "javascript:alert(3)", "started_at": now, "finished_at": now.plus_seconds(9.0)}),
        ),
        with(
            json!({"type": "job", "job_id": name, "name": name, "status": "completed", "conclusion": "failure",
            "failure_reason": name, "started_at": now, "finished_at": now.plus_seconds(9.0)}),
        ),
        with(json!({"type": "step", "job_id": name, "number": 1, "name": name, "at": now})),
        with(json!({"type": "test", "suite": name, "classname": name, "name": name, "parameters": name,
            "status": "failed", "failure_kind": name, "failure_message": name, "failure_details": name,
            "failure_fingerprint": "f", "duration_seconds": 1.5, "at": now})),
    ]
}

#[tokio::test]
async fn an_empty_store_says_what_to_do_and_the_line_it_shows_works() {
    let harness = Harness::start().await;
    let (answer, markup) = page(&harness, "/").await;
    assert_eq!(answer.status, 200);
    let server = harness.url("");
    assert!(
        markup
            .text
            .contains(&format!("{server}/api/v1/reports?project=github.com/acme/shop&service=payments"))
    );
    assert!(markup.text.contains(&format!("--server {server}")));

    let (_, rest) = markup.text.split_once("--data-binary '{").unwrap();
    let line = format!("{{{}", rest.split_once("}'").unwrap().0);
    let dated = line.replace("'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", &SystemClock.now().to_string()) + "}";
    send_records(&harness, &[serde_json::from_str(&dated).unwrap()]).await;
    assert!(page(&harness, "/").await.1.text.contains("payments"));
}

#[tokio::test]
async fn what_was_sent_stays_text_on_every_page_and_every_address_leads_somewhere() {
    let harness = Harness::start().await;
    send_records(&harness, &run_named(EVIL, EVIL)).await;
    let test_id = harness.rows("select test_id from tests").await[0][0].as_str().unwrap().to_owned();
    let name = encoded(EVIL);
    let mut addresses = std::collections::BTreeSet::new();
    for path in [
        "/".to_owned(),
        format!("/service?project={name}&service={name}"),
        format!("/run?provider={name}&project={name}&run_id={name}"),
        format!("/test?project={name}&service={name}&id={test_id}"),
        "/tests?q=onerror".to_owned(),
        format!("/trend?service={name}&group=service"),
        format!("/trend?measure=test-duration&name={name}&group=name"),
        format!("/compare?date=1d&branch={name}&service={name}"),
        format!("/slowest?service={name}&min=1"),
        format!("/failures?service={name}"),
        format!("/sql?q={name}"),
        "/login".to_owned(),
    ] {
        let (answer, markup) = page(&harness, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            path == "/login" || markup.text.contains("<script>alert(1)</script>"),
            "{path}: {}",
            markup.text
        );
        addresses.extend(markup.addresses);
    }
    addresses.retain(|address| !matches!(address.as_str(), "#content" | "/logout"));
    assert!(addresses.len() > 15, "{addresses:?}");
    for address in addresses {
        let answer = send(harness.get(&address).header("Accept", "text/html")).await;
        assert_eq!(answer.status, 200, "{address}");
        if address.starts_with("/assets/") {
            assert!(answer.header("cache-control").contains("immutable"), "{address}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_404_and_a_broken_address_one_with_400() {
    let harness = Harness::start().await;
    let no_test = format!("/test?project=p&id={}", "0".repeat(32));
    for path in
        ["/nothing", "/service?project=p", "/run?provider=a&project=p&run_id=1&attempt=7", no_test.as_str()]
    {
        assert_eq!(page(&harness, path).await.0.status, 404, "{path}");
    }
    for path in
        ["/service", "/run?project=p", "/?days=0", "/?days=x", "/test?project=p&id=xyz", "/tests?days=1e9"]
    {
        assert_eq!(page(&harness, path).await.0.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_run_without_jobs_and_reports_says_so() {
    let harness = Harness::start().await;
    let records = run_named("p", "n");
    send_records(&harness, &records[..1]).await;
    let text = page(&harness, "/run?provider=n&project=p&run_id=n").await.1.text;
    assert!(text.contains("No job of this run was reported"), "{text}");
    assert!(text.contains("no test report of it has arrived"), "{text}");
}

#[tokio::test]
async fn a_token_for_one_project_opens_the_pages_of_no_other() {
    let harness = Harness::start().await;
    send_records(&harness, &[run_named("ours", "storefront"), run_named("theirs", "ledger")].concat()).await;
    let token = harness.token(&[Scope::Query], Some(&["ours"]));
    let get = async |path: &str| send(harness.get(path).bearer_auth(&token)).await;
    let services = get("/").await;
    assert!(services.text.contains("storefront") && !services.text.contains("ledger"), "{}", services.text);
    assert!(!services.text.contains("kept in all"), "sizes are of all projects");
    assert_eq!(get("/run?provider=storefront&project=ours&run_id=storefront").await.status, 200);
    assert_eq!(get("/run?provider=ledger&project=theirs&run_id=ledger").await.status, 404);
    assert_eq!(get("/service?project=theirs&service=ledger").await.status, 404);
    assert!(!get("/tests?q=ledger").await.text.contains("theirs"));
}
