//! What exporters write, as Manometer's own readers take it.

use std::net::UdpSocket;
use std::ops::ControlFlow;

use manometer_exporters::Batch;
use manometer_formats::dialects::line_protocol::Precision;
use manometer_formats::dialects::{Sender, line_protocol, remote_write, statsd};
use manometer_model::{Limits, Record};

use crate::misbehaving::unpacked;
use crate::records::{COMMIT, HARD_NAME, build_of};
use crate::scripted::{Reply, Scripted};
use crate::world::{exporter, now, plenty, settings};

#[test]
fn influxdb_lines_come_back_as_the_records_they_were() {
    let at = now();
    let server = Scripted::start(vec![Reply::status(204)]);
    let section = format!("[influxdb]\nurl = '{}'\ndatabase = 'ci'", server.url(""));
    assert!(
        exporter(&settings(&section)).export(&Batch::new(&build_of("payments", at)), &plenty()).is_complete()
    );
    let body = unpacked(&server.seen()[0].body);
    let sender = Sender { provider: "influxdb", project: "ci", received_at: at };
    let mut records = Vec::new();
    let summary = line_protocol::read(
        &mut body.as_bytes(),
        &sender,
        Precision::Nanoseconds,
        &Limits::default(),
        &mut |record| {
            records.push(record);
            ControlFlow::Continue(())
        },
    );
    assert!(summary.unwrap().problems.is_empty());
    let test = records.iter().find_map(|record| match record {
        Record::Test(test) if test.name == HARD_NAME => Some(test),
        _ => None,
    });
    let test = test.unwrap();
    assert_eq!((test.branch.as_deref(), test.commit_sha.as_deref()), (Some("feature/a b"), Some(COMMIT)));
    assert_eq!(test.at, at);
    let sample = records.iter().find_map(|record| match record {
        Record::Sample(sample) if sample.name == "ram.peak_mb" => Some(sample),
        _ => None,
    });
    let sample = sample.unwrap();
    assert_eq!((sample.value, sample.unit.as_deref()), (128.7, Some("megabytes")));
    assert_eq!(
        sample.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        ["record=550e8400", "stage=build_wheel"]
    );
    assert_eq!(sample.service.as_deref(), Some("payments"));
}

#[test]
fn remote_write_comes_back_with_its_columns() {
    let at = now();
    let server = Scripted::start(vec![Reply::status(204)]);
    let section = format!("[remote_write]\nurl = '{}'", server.url("/api/v1/write"));
    let report = exporter(&settings(&section)).export(&Batch::new(&build_of("payments", at)), &plenty());
    let sender = Sender { provider: "prometheus", project: "metrics", received_at: at };
    let mut samples = Vec::new();
    let body = &server.seen()[0].body;
    let summary =
        remote_write::read(body, &sender, &Limits::default(), 1 << 20, &mut |sample| samples.push(sample));
    assert_eq!(summary.unwrap().samples, report.sent);
    let build = samples.iter().find(|sample| sample.name == "ci_build_duration_seconds").unwrap();
    assert_eq!((build.value, build.at, build.project.as_str()), (12.5, at, crate::records::PROJECT));
    assert_eq!((build.provider.as_str(), build.branch.as_deref()), ("github", Some("feature/a b")));
}

#[test]
fn dogstatsd_comes_back_with_its_tags() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let section = format!("[statsd]\nhost = '{}'\nformat = 'dogstatsd'", socket.local_addr().unwrap());
    let report = exporter(&settings(&section)).export(&Batch::new(&build_of("payments", now())), &plenty());
    let sender = Sender { provider: "statsd", project: "metrics", received_at: now() };
    let mut samples = Vec::new();
    let mut packet = [0; 65_536];
    while (samples.len() as u64) < report.sent {
        let length = socket.recv(&mut packet).unwrap();
        let summary =
            statsd::read(&packet[..length], &sender, &Limits::default(), &mut |sample| samples.push(sample));
        assert_eq!((summary.refused, summary.problems.total), (0, 0), "{summary:?}");
    }
    let build = samples.iter().find(|sample| sample.name == "ci.build.duration").unwrap();
    assert_eq!((build.value, build.unit.as_deref()), (12_500.0, Some("milliseconds")));
    assert_eq!(
        (build.service.as_deref(), build.project.as_str()),
        (Some("payments"), crate::records::PROJECT)
    );
}
