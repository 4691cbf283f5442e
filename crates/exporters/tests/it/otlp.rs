//! OTLP, read by OpenTelemetry's own messages for Python.

use manometer_exporters::Batch;
use serde_json::{Value, json};

use crate::records::{COMMIT, HARD_NAME, build_of, run};
use crate::scripted::{Reply, Scripted, Seen};
use crate::world::{exporter, now, plenty, settings};
use manometer_testkit::programs::python;

/// Unpacks a request and writes it as JSON; `json` ones are checked to say the same as the protobuf messages do.
const READ: &str = r#"
import base64, gzip, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
kind, form = sys.argv[1:3]
message = {"traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest}[kind]()
body = gzip.decompress(sys.stdin.buffer.read())
def with_base64(value, key=None):
    if isinstance(value, dict):
        return {k: with_base64(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [with_base64(v) for v in value]
    if key in ("traceId", "spanId", "parentSpanId"):
        return base64.b64encode(bytes.fromhex(value)).decode()
    return value
if form == "json":
    json_format.ParseDict(with_base64(json.loads(body)), message)
else:
    message.ParseFromString(body)
print(json.dumps(json_format.MessageToDict(message)))
"#;

fn read(request: &Seen, kind: &str, form: &str) -> Option<Value> {
    let text = python(READ, &["google.protobuf", "opentelemetry.proto"], &[kind, form], &request.body)?;
    Some(serde_json::from_str(&text).unwrap())
}

fn attributes(of: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_object().unwrap().values().next().unwrap().to_string();
    let pairs = of["attributes"].as_array().unwrap().iter();
    pairs.map(|pair| (pair["key"].as_str().unwrap().to_owned(), text(&pair["value"]))).collect()
}

fn has(of: &Value, key: &str, value: &str) -> bool {
    attributes(of).contains(&(key.to_owned(), value.to_owned()))
}

#[test]
fn a_run_is_one_trace_that_continues_the_one_it_was_started_in() {
    let server = Scripted::start(vec![Reply::status(200)]);
    let section =
        format!("[otlp]\nendpoint = '{}'\nheaders = {{ api-key = 'sesame' }}", server.url("/otlp/"));
    let mut records = build_of("payments", now());
    let mut started = run("payments", now());
    started
        .labels
        .insert("traceparent".into(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into());
    records[0] = started.into();
    let report = exporter(&settings(&section)).export(&Batch::new(&records), &plenty());
    assert!(report.is_complete(), "{report:?}");
    let seen = server.seen();
    assert_eq!(
        seen.iter().map(|request| request.target.as_str()).collect::<Vec<_>>(),
        ["/otlp/v1/traces", "/otlp/v1/metrics"]
    );
    assert_eq!((seen[0].method.as_str(), seen[0].headers["api-key"].as_str()), ("POST", "sesame"));
    assert_eq!(seen[0].headers["content-type"], "application/x-protobuf");

    let Some(traces) = read(&seen[0], "traces", "protobuf") else { return };
    assert_eq!(traces["resourceSpans"].as_array().unwrap().len(), 1);
    let resource = &traces["resourceSpans"][0]["resource"];
    assert!(has(resource, "service.name", "\"payments\""), "{resource}");
    assert!(has(resource, "vcs.repository.url.full", "\"https://github.com/acme/shop\""), "{resource}");
    let spans = traces["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let named =
        |name: &str| spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name}"));
    let (run, job, step, test) = (named("RUN ci"), named("unit tests"), named("pytest"), named(HARD_NAME));
    assert!(spans.iter().all(|span| span["traceId"] == run["traceId"]));
    assert_eq!(run["traceId"], json!("S/kvNXezTaajzpKdDg5HNg=="));
    assert_eq!(run["parentSpanId"], json!("APBnqgupArc="));
    for (child, parent) in [(job, run), (step, job), (test, job)] {
        assert_eq!(child["parentSpanId"], parent["spanId"]);
    }
    assert_eq!(run["kind"], "SPAN_KIND_SERVER");
    assert_eq!(job["kind"], "SPAN_KIND_INTERNAL");
    assert_eq!(run["status"]["code"], "STATUS_CODE_ERROR");
    assert!(
        has(run, "cicd.pipeline.result", "\"failure\"") && has(run, "error.type", "\"failure\""),
        "{run}"
    );
    assert!(has(run, "vcs.ref.head.revision", &format!("\"{COMMIT}\"")), "{run}");
    assert!(
        has(job, "cicd.pipeline.task.run.result", "\"failure\"")
            && has(job, "cicd.worker.name", "\"runner-3\"")
    );
    assert!(
        has(test, "test.case.result.status", "\"fail\"") && has(test, "test.suite.name", "\"shop\""),
        "{test}"
    );
    assert!(has(named("adds"), "test.case.result.status", "\"pass\""));
    let nanos = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(nanos(&run["endTimeUnixNano"]) - nanos(&run["startTimeUnixNano"]), 30_000_000_000);

    let metrics = read(&seen[1], "metrics", "protobuf").unwrap();
    let metrics = metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let durations: Vec<&Value> =
        metrics.iter().filter(|metric| metric["name"] == "cicd.pipeline.run.duration").collect();
    assert_eq!(durations.len(), 2, "pending and executing");
    let executing = durations
        .iter()
        .map(|metric| &metric["histogram"]["dataPoints"][0])
        .find(|point| has(point, "cicd.pipeline.run.state", "\"executing\""));
    assert_eq!(executing.unwrap()["sum"], 30.0);
    assert_eq!(executing.unwrap()["count"], "1");
    let ram = metrics.iter().find(|metric| metric["name"] == "ram.peak_mb").unwrap();
    assert_eq!((&ram["unit"], &ram["gauge"]["dataPoints"][0]["asDouble"]), (&json!("MBy"), &json!(128.7)));
}

#[test]
fn json_says_the_same_as_protobuf() {
    let server = Scripted::start(vec![Reply::text(200, "{}")]);
    let records = build_of("payments", now());
    for protocol in ["http/protobuf", "http/json"] {
        let section = format!("[otlp]\nendpoint = '{}'\nprotocol = '{protocol}'", server.url(""));
        assert!(exporter(&settings(&section)).export(&Batch::new(&records), &plenty()).is_complete());
    }
    let seen = server.seen();
    assert_eq!(seen[2].headers["content-type"], "application/json");
    for (kind, protobuf, json) in [("traces", &seen[0], &seen[2]), ("metrics", &seen[1], &seen[3])] {
        let Some(expected) = read(protobuf, kind, "protobuf") else { return };
        assert_eq!(read(json, kind, "json").unwrap(), expected, "{kind}");
    }
}

#[test]
fn what_a_receiver_rejects_in_part_is_reported() {
    // partial_success { rejected_spans: 2, error_message: "too old" }
    let partial = [&[0x0a, 0x0b, 0x08, 0x02, 0x12, 0x07][..], b"too old"].concat();
    let server = Scripted::start(vec![Reply::Answer(200, Vec::new(), partial)]);
    let section = format!("[otlp]\nendpoint = '{}'\nmetrics = {{ enabled = false }}", server.url(""));
    let report = exporter(&settings(&section)).export(&Batch::new(&build_of("a", now())), &plenty());
    assert_eq!((report.sent, report.dropped), (4, 2), "{report:?}");
    assert_eq!(report.problems.first[0].message, "2 of 6 spans were rejected: too old");
}

#[test]
fn spans_that_were_told_go_out_as_they_are_and_their_steps_not_twice() {
    use manometer_model::records::Span;
    let at = now();
    let told = Span {
        provider: "github".into(),
        project: "p".into(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        span_id: "00f067aa0ba902b7".into(),
        name: "pytest".into(),
        duration_seconds: Some(10.0),
        at: at.plus_seconds(-20.0),
        ..Span::default()
    };
    let mut records = build_of("payments", at);
    records.push(told.into());
    let server = Scripted::start(vec![Reply::status(200)]);
    let section = format!("[otlp]\nendpoint = '{}'\ntests = false", server.url(""));
    assert!(exporter(&settings(&section)).export(&Batch::new(&records), &plenty()).is_complete());
    let Some(traces) = read(&server.seen()[0], "traces", "protobuf") else { return };
    let groups = traces["resourceSpans"].as_array().unwrap().iter();
    let names: Vec<&str> = groups
        .flat_map(|group| group["scopeSpans"][0]["spans"].as_array().unwrap())
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.iter().filter(|name| **name == "pytest").count(), 1, "{names:?}");
    assert_eq!(names.len(), 3, "{names:?}");
}
