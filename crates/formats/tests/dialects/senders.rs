//! Bytes that real clients write: influxdb-client and influxdb, statsd and datadog, prometheus-client's names.

use manometer_formats::dialects::line_protocol::Precision;
use manometer_model::{Record, TestStatus, Timestamp};

use crate::{line_protocol, python, remote_write, statsd};

#[test]
fn points_of_influxdb_client_are_read_as_they_were_meant() {
    let script = r#"
import sys
from influxdb_client import Point, WritePrecision
from datetime import datetime, timezone
at = datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=timezone.utc)
points = [
    Point("ci_build").tag("service", "payments").tag("branch", "feature/a b,c=d").tag("event", "push")
        .field("duration_seconds", 12.5).field("commit_sha", "9f3c\"2a\\1").time(at)
        .field("artifact_size_bytes", 46000000),
    Point("ci_test_results").tag("service", "payments").tag("branch", "feature/a b,c=d").tag("test_name", "adds a=b, \"x\" \\d ü")
        .tag("test_class", "tests.cart").tag("status", "passed").field("duration_seconds", 1.0)
        .field("commit_sha", "9f3c\"2a\\1").time(at),
    Point("my measure,ment").tag("k e,y=1", "v").field("a b", 1).field("c", True).field("text", "two\nlines").time(at),
]
sys.stdout.buffer.write("\n".join(point.to_line_protocol() for point in points).encode())
"#;
    let Some(bytes) = python::output(script, "influxdb_client") else { return };
    let (records, summary) = line_protocol::read(&bytes, Precision::Nanoseconds);
    assert_eq!((summary.refused, summary.problems.total), (0, 0), "{summary:?}");
    let at = Timestamp::from_micros(1_700_000_000_123_456);
    let [
        Record::Run(run),
        Record::Build(build),
        Record::Artifact(_),
        Record::Run(_),
        Record::Test(test),
        rest @ ..,
    ] = records.as_slice()
    else {
        panic!("{records:?}")
    };
    assert_eq!(
        (run.branch.as_deref(), run.commit_sha.as_deref()),
        (Some("feature/a b,c=d"), Some("9f3c\"2a\\1"))
    );
    assert_eq!((build.at, build.duration_seconds), (at, Some(12.5)));
    assert_eq!((test.name.as_str(), test.status), ("adds a=b, \"x\" \\d ü", TestStatus::Passed));
    assert_eq!(test.run_id, run.run_id);
    let [Record::Sample(first), Record::Sample(second)] = rest else { panic!("{rest:?}") };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("my measure,ment.a b", "my measure,ment.c"));
    assert_eq!(first.tags.get("k e,y=1").map(String::as_str), Some("v"));
    assert_eq!(first.tags.get("text").map(String::as_str), Some("two\nlines"));
}

#[test]
fn lines_of_the_1x_client_are_read() {
    let script = r#"
import sys
from influxdb.line_protocol import make_lines
data = {"tags": {"host": "ci 7"}, "points": [
    {"measurement": "cpu load", "tags": {"core": "a=b"}, "fields": {"value": 0.5, "n": 3, "s": 'q"uo\\te', "b": False},
     "time": 1700000000}]}
sys.stdout.buffer.write(make_lines(data, "s").encode())
"#;
    let Some(bytes) = python::output(script, "influxdb") else { return };
    let (records, summary) = line_protocol::read(&bytes, Precision::Seconds);
    assert_eq!((summary.refused, records.len()), (0, 3), "{summary:?} {}", String::from_utf8_lossy(&bytes));
    let Record::Sample(sample) = records
        .iter()
        .find(|record| matches!(record, Record::Sample(sample) if sample.name == "cpu load"))
        .unwrap()
    else {
        panic!()
    };
    assert_eq!((sample.value, sample.at), (0.5, Timestamp::from_seconds(1_700_000_000)));
    assert_eq!(sample.tags.get("core").map(String::as_str), Some("a=b"));
    assert_eq!(sample.tags.get("s").map(String::as_str), Some("q\"uo\\te"));
}

/// Receives what a script sends to a UDP port on standard output, each datagram on a line of hexadecimal digits.
const LISTEN: &str = r#"
import socket, sys
box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
box.bind(("127.0.0.1", 0))
box.settimeout(10)
port = box.getsockname()[1]
def received(count):
    for _ in range(count):
        print(box.recv(65536).hex())
"#;

fn datagrams(output: &[u8]) -> Vec<Vec<u8>> {
    let text = std::str::from_utf8(output).unwrap();
    let byte = |line: &str, at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    text.lines().map(|line| (0..line.len()).step_by(2).map(|at| byte(line, at)).collect()).collect()
}

#[test]
fn datagrams_of_the_statsd_client_are_read() {
    let script = format!(
        "{LISTEN}{}",
        r#"
import statsd
client = statsd.StatsClient("127.0.0.1", port, prefix="ci")
with client.pipeline() as pipe:
    pipe.incr("builds", 3)
    pipe.timing("took", 320)
    pipe.gauge("depth", 7)
    pipe.gauge("depth", -2)
    pipe.gauge("depth", 4, delta=True)
    pipe.set("users", "ada")
received(1)
"#
    );
    let Some(output) = python::output(&script, "statsd") else { return };
    let (samples, summary) = statsd::read(&datagrams(&output)[0]);
    assert_eq!(summary.refused, 0, "{summary:?}");
    let told: Vec<(&str, f64, &str)> = samples
        .iter()
        .map(|sample| (sample.name.as_str(), sample.value, sample.tags["statsd.type"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("ci.builds", 3.0, "counter"),
            ("ci.took", 320.0, "timer"),
            ("ci.depth", 7.0, "gauge"),
            ("ci.depth", 0.0, "gauge"),
            ("ci.depth", -2.0, "gauge_change"),
            ("ci.depth", 4.0, "gauge_change"),
            ("ci.users", 1.0, "set"),
        ]
    );
}

#[test]
fn datagrams_of_the_datadog_client_are_read() {
    let script = format!(
        "{LISTEN}{}",
        r#"
from datadog.dogstatsd import DogStatsd
client = DogStatsd(host="127.0.0.1", port=port, disable_telemetry=True, disable_buffering=True, origin_detection_enabled=False)
client.increment("builds", 2, tags=["service:payments", "branch:main", "hot"])
client.histogram("took", 1.5, tags=["service:payments"])
client.distribution("size", 10)
client.event("title", "text")
client.service_check("web", 0)
received(5)
"#
    );
    let Some(output) = python::output(&script, "datadog") else { return };
    let read: Vec<_> = datagrams(&output).iter().map(|datagram| statsd::read(datagram)).collect();
    assert!(read.iter().all(|(_, summary)| summary.refused == 0 && summary.problems.is_empty()), "{read:?}");
    assert_eq!(read.iter().map(|(_, summary)| summary.events + summary.service_checks).sum::<u64>(), 2);
    let first = &read[0].0[0];
    assert_eq!(
        (first.name.as_str(), first.value, first.service.as_deref()),
        ("builds", 2.0, Some("payments"))
    );
    assert_eq!(first.tags.get("hot").map(String::as_str), Some("true"));
}

#[test]
fn blocks_of_pythons_snappy_are_read() {
    let script = r#"
import snappy, sys
def field(number, kind, payload):
    head = bytes([number << 3 | kind])
    return head + (bytes([len(payload)]) + payload if kind == 2 else payload)
import struct
label = lambda n, v: field(1, 2, field(1, 2, n) + field(2, 2, v))
sample = field(2, 2, field(1, 1, struct.pack("<d", 0.5)) + field(2, 0, bytes([0xe8, 0x07])))
series = field(1, 2, label(b"__name__", b"load") + label(b"host", b"ci") + sample)
sys.stdout.buffer.write(snappy.compress(series))
"#;
    let Some(bytes) = python::output(script, "snappy") else { return };
    let (samples, _) = remote_write::read(&bytes).unwrap();
    assert_eq!(
        (samples[0].name.as_str(), samples[0].value, samples[0].at),
        ("load", 0.5, Timestamp::from_seconds(1))
    );
}
