//! `/write` and `/api/v2/write`.

use manometer_server::access::Scope;
use manometer_testkit::programs::python;
use serde_json::{Value, json};

use crate::harness::{Harness, send};

const BUILD: &str = "ci_build,service=payments,branch=main,event=push duration_seconds=12.5,commit_sha=\"9f3c\" 1700000000000000000\n";

#[tokio::test]
async fn lines_are_rows_and_both_versions_answer_204() {
    let harness = Harness::start().await;
    assert_eq!(send(harness.post("/write?db=github.com/acme/shop", BUILD)).await, (204, String::new()));
    let later = "ci_test_results,service=payments,branch=main,test_name=adds,test_class=cart,status=passed duration_seconds=0.5,commit_sha=\"9f3c\" 1700000000\ncpu load=0.5";
    let second = harness.post("/api/v2/write?bucket=github.com/acme/shop&org=acme&precision=s", later);
    assert_eq!(send(second).await, (204, String::new()));
    let columns = ["project", "service", "branch", "commit_sha", "run_id"];
    let run = "github.com/acme/shop|payments|main|9f3c|payments/main/9f3c";
    assert_eq!(harness.rows("runs", &columns), [run]);
    assert_eq!(harness.rows("builds", &columns), [run]);
    assert_eq!(harness.rows("tests", &columns), [run]);
    assert_eq!(harness.rows("samples", &["name", "value"]), ["cpu.load|0.5"]);
}

#[tokio::test]
async fn the_same_lines_again_are_204_and_change_nothing() {
    let harness = Harness::start().await;
    for _ in 0..3 {
        assert_eq!(send(harness.post("/write?db=ci", BUILD)).await.0, 204);
    }
    assert_eq!(harness.rows("builds", &["name"]).len(), 1);
}

#[tokio::test]
async fn a_partial_write_is_told_in_each_versions_shape() {
    let harness = Harness::start().await;
    let lines = "cpu load=1\nbroken\ncpu load=x\ncpu load=2\n";
    let (status, body) = send(harness.post("/write?db=ci", lines)).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 400);
    let message = body["error"].as_str().unwrap();
    assert!(
        message.starts_with("partial write: line 2: unable to parse 'broken': missing fields\n"),
        "{message}"
    );
    assert!(
        message.contains("line 3: unable to parse 'cpu load=x'") && message.ends_with("dropped=2"),
        "{message}"
    );
    let (status, body) = send(harness.post("/api/v2/write?bucket=ci", lines)).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["code"]), (400, &json!("invalid")));
    assert!(body["message"].as_str().unwrap().starts_with("partial write: line 2"), "{body}");
    assert_eq!(harness.rows("samples", &["value"]), ["1.0", "1.0", "2.0", "2.0"]);
    let (status, body) = send(harness.post("/write?db=ci", "broken")).await;
    assert_eq!(status, 400);
    assert!(!body.contains("partial write"), "{body}");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let harness = Harness::start().await;
    for (path, words) in [
        ("/write", "database is required"),
        ("/write?db=", "database is required"),
        ("/write?db=ci&precision=days", "invalid precision"),
        ("/api/v2/write?org=acme", "bucket is required"),
    ] {
        let (status, body) = send(harness.post(path, BUILD)).await;
        assert!(status == 400 && body.contains(words), "{path}: {status} {body}");
    }
    assert_eq!(harness.rows("builds", &["name"]).len(), 0);
}

#[tokio::test]
async fn a_token_comes_in_any_of_the_ways_clients_have() {
    let harness = Harness::start().await;
    let token = harness.token(Scope::Ingest, Some(&["ci"]));
    let password = |request: reqwest::RequestBuilder| request.basic_auth("anyone", Some(&token));
    let with_header = |text: String| harness.post("/write?db=ci", BUILD).header("Authorization", text);
    for request in [
        with_header(format!("Token {token}")),
        with_header(format!("Bearer {token}")),
        password(harness.post("/write?db=ci", BUILD)),
        harness.post(&format!("/write?db=ci&u=anyone&p={token}"), BUILD),
    ] {
        assert_eq!(send(request).await.0, 204);
    }
    let refused = [
        (harness.post("/write?db=ci", BUILD), 401, "error"),
        (harness.post("/write?db=ci&p=wrong", BUILD), 401, "error"),
        (harness.post("/api/v2/write?bucket=ci", BUILD), 401, "message"),
        (harness.post(&format!("/write?db=other&p={token}"), BUILD), 403, "error"),
    ];
    for (request, status, field) in refused {
        let (answered, body) = send(request).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answered, status, "{body}");
        assert!(body[field].is_string(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn influxdb_client_for_python_writes_here_as_it_would_there() {
    let harness = Harness::start().await;
    let token = harness.token(Scope::Ingest, None);
    let script = r#"
import sys
from datetime import datetime, timezone
from influxdb_client import InfluxDBClient, Point, WriteOptions
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
url, token = sys.argv[1:3]
at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
tests = [Point("ci_test_results").tag("service", "payments").tag("branch", "main").tag("test_name", f"test {n}")
    .tag("test_class", "cart").tag("status", "passed").field("duration_seconds", 0.5).field("commit_sha", "9f3c").time(at)
    for n in range(1000)]
with InfluxDBClient(url=url, token=token, org="acme", enable_gzip=True) as client:
    errors = []
    with client.write_api(write_options=WriteOptions(batch_size=300, flush_interval=10_000), error_callback=lambda *e: errors.append(e)) as api:
        api.write(bucket="ci", record=tests)
    assert not errors, errors
    api = client.write_api(write_options=SYNCHRONOUS)
    try:
        api.write(bucket="ci", record="fine v=1\nbroken")
        print("not refused")
    except ApiException as error:
        print(error.status, error.message)
with InfluxDBClient(url=url, token="wrong", org="acme") as client:
    try:
        client.write_api(write_options=SYNCHRONOUS).write(bucket="ci", record="v v=1")
        print("not refused")
    except ApiException as error:
        print(error.status, error.message)
"#;
    let arguments = [harness.url(""), token];
    let told = python(script, &["influxdb_client"], &[&arguments[0], &arguments[1]], b"");
    let Some(told) = told else { return };
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("400 partial write: line 2: unable to parse 'broken'"), "{told}");
    assert!(lines[1].starts_with("401 "), "{told}");
    assert_eq!(harness.rows("tests", &["name"]).len(), 1_000);
    assert_eq!(harness.rows("samples", &["name"]), ["fine.v"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_1x_client_for_python_writes_here_as_it_would_there() {
    let harness = Harness::start().await;
    let script = r#"
import sys
from influxdb import InfluxDBClient
host, port = sys.argv[1].split(":")
client = InfluxDBClient(host, int(port), username="root", password="", database="ci", gzip=True)
assert client.write_points([{"measurement": "cpu", "tags": {"service": "payments"}, "fields": {"load": 0.5}, "time": 1700000000}], time_precision="s")
"#;
    let address = harness.server.address().to_string();
    if python(script, &["influxdb"], &[&address], b"").is_none() {
        return;
    }
    assert_eq!(harness.rows("samples", &["name", "value", "service"]), ["cpu.load|0.5|payments"]);
}
