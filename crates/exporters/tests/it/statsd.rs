//! StatsD: what arrives at a socket.

use std::net::UdpSocket;
use std::time::Duration;

use manometer_exporters::Batch;
use manometer_model::Record;

use crate::records::{build_of, run, sample};
use crate::world::{exporter, now, plenty, settings};

fn listener() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

fn received(socket: &UdpSocket, lines: u64) -> Vec<String> {
    let mut found = Vec::new();
    let mut packet = [0; 65_536];
    while (found.len() as u64) < lines {
        let length = socket.recv(&mut packet).unwrap();
        assert!(length <= 1_432, "{length}");
        found.extend(std::str::from_utf8(&packet[..length]).unwrap().lines().map(str::to_owned));
    }
    found
}

#[test]
fn a_build_arrives_in_both_formats() {
    let (socket, address) = listener();
    let mut plain = exporter(&settings(&format!("[statsd]\nhost = '{address}'\nprefix = 'acme'")));
    let report = plain.export(&Batch::new(&build_of("payments", now())), &plenty());
    let lines = received(&socket, report.sent);
    for line in [
        "acme.payments.ci.build.duration.wheel:12500|ms",
        "acme.payments.ci.tests.count.failed:1|c",
        "acme.payments.ram.peak_mb:128.7|g",
        "acme.payments.temperature:0|g",
        "acme.payments.temperature:-2.5|g",
        "acme.payments.ci.artifact.size_bytes.dist_shop_whl:1000000|g",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line} is not in {lines:#?}");
    }
    let mut tagged = exporter(&settings(&format!("[statsd]\nhost = '{address}'\nformat = 'dogstatsd'")));
    let report = tagged.export(&Batch::new(&build_of("payments", now())), &plenty());
    let lines = received(&socket, report.sent);
    let build = lines.iter().find(|line| line.starts_with("ci.build.duration:12500|ms|#")).unwrap();
    assert!(build.contains("service:payments") && build.contains("branch:feature/a_b"), "{build}");
    let sample = lines.iter().find(|line| line.starts_with("ram.peak_mb:")).unwrap();
    assert!(sample.contains("stage:build_wheel") && !sample.contains("550e8400"), "{sample}");
}

#[test]
fn two_hundred_samples_lose_no_line_on_the_way_out() {
    let (socket, address) = listener();
    let at = now();
    let run = run("payments", at);
    let records: Vec<Record> = (0..200)
        .map(|number| sample(&run, &format!("metric_{number}"), f64::from(number), at).into())
        .collect();
    let mut exporter = exporter(&settings(&format!("[statsd]\nhost = '{address}'")));
    let report = exporter.export(&Batch::new(&records), &plenty());
    assert_eq!((report.sent, report.is_complete()), (200, true));
    let lines = received(&socket, 200);
    assert_eq!(lines[199], "payments.metric_199:199|g");
}

#[test]
fn a_port_nobody_listens_on_is_told() {
    let (socket, address) = listener();
    drop(socket);
    let at = now();
    let run = run("payments", at);
    let records: Vec<Record> =
        (0..200).map(|number| sample(&run, &format!("metric_{number}"), 1.0, at).into()).collect();
    let mut exporter = exporter(&settings(&format!("[statsd]\nhost = '{address}'")));
    let report = exporter.export(&Batch::new(&records), &plenty());
    assert!(report.undelivered > 0, "{report:?}");
    assert!(report.problems.first[0].message.contains("refused"), "{report:?}");
}

#[test]
fn a_host_that_does_not_exist_is_told() {
    let mut exporter = exporter(&settings("[statsd]\nhost = 'statsd.invalid'"));
    let report = exporter.export(&Batch::new(&build_of("payments", now())), &plenty());
    assert_eq!(report.sent, 0);
    assert!(report.problems.first[0].message.contains("statsd.invalid:8125"), "{report:?}");
}
