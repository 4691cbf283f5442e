//! Receivers that are away, slow, busy or wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use manometer_exporters::{Batch, Deadline};
use manometer_model::Record;

use crate::records::{build_of, run, sample};
use crate::scripted::{Reply, Scripted};
use crate::world::{Pauses, exporter, now, plenty, settings};
use manometer_testkit::programs::free_port;

fn influx(server: &Scripted) -> String {
    format!("[influxdb]\nurl = '{}'\nbucket = 'ci'\norg = 'acme'\ntoken = 'sesame'", server.url("/base"))
}

#[test]
fn a_busy_server_is_asked_again_with_growing_pauses() {
    let server =
        Scripted::start(vec![Reply::status(503), Reply::HangUp, Reply::status(500), Reply::status(204)]);
    let pauses = Arc::new(Pauses::default());
    let report = exporter(&settings(&influx(&server)))
        .export(&Batch::new(&build_of("a", now())), &pauses.deadline(Duration::from_secs(300)));
    assert_eq!((report.sent, report.is_complete()), (6, true), "{report:?}");
    let taken = pauses.taken();
    assert_eq!(taken.len(), 3);
    for (pause, longest_seconds) in taken.iter().zip([5, 10, 20]) {
        let longest = Duration::from_secs(longest_seconds);
        assert!(*pause <= longest && *pause >= longest / 2, "{taken:?}");
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[0].target, "/base/api/v2/write?bucket=ci&org=acme&precision=ns");
    assert_eq!(seen[0].headers["authorization"], "Token sesame");
    assert!(seen.iter().all(|request| request.body == seen[0].body));
}

#[test]
fn it_is_given_up_after_the_agreed_repetitions() {
    let server = Scripted::start(vec![Reply::text(503, "overloaded")]);
    let pauses = Arc::new(Pauses::default());
    let report = exporter(&settings(&influx(&server)))
        .export(&Batch::new(&build_of("a", now())), &pauses.deadline(Duration::from_secs(300)));
    assert_eq!((report.sent, report.dropped, report.undelivered), (0, 0, 6));
    assert_eq!(server.seen().len(), 4);
    let told = report.problems.first[0].to_string();
    assert!(told.contains("HTTP 503: overloaded (sent 4 times)"), "{told}");
}

#[test]
fn the_time_a_server_asks_for_is_honoured() {
    let server = Scripted::start(vec![Reply::later(429, "17"), Reply::status(204)]);
    let pauses = Arc::new(Pauses::default());
    let report = exporter(&settings(&influx(&server)))
        .export(&Batch::new(&build_of("a", now())), &pauses.deadline(Duration::from_secs(300)));
    assert!(report.is_complete());
    assert_eq!(pauses.taken(), [Duration::from_secs(17)]);
}

#[test]
fn a_server_that_asks_for_more_time_than_there_is_is_not_waited_for() {
    let server = Scripted::start(vec![Reply::later(429, "30")]);
    let pauses = Arc::new(Pauses::default());
    let report = exporter(&settings(&influx(&server)))
        .export(&Batch::new(&build_of("a", now())), &pauses.deadline(Duration::from_secs(2)));
    assert_eq!((report.undelivered, pauses.taken().len(), server.seen().len()), (6, 0, 1));
    assert!(report.problems.first[0].message.contains("in 30.0 s"), "{report:?}");
}

#[test]
fn no_receiver_holds_a_build_up_past_its_deadline() {
    for reply in [Reply::Silence, Reply::Trickle] {
        let server = Scripted::start(vec![reply.clone()]);
        let base = server.url("");
        for section in [
            influx(&server),
            format!("[pushgateway]\nurl = '{base}'"),
            format!("[remote_write]\nurl = '{base}'"),
            format!("[otlp]\nendpoint = '{base}'"),
            format!(
                "[bucket]\nbucket = 'b'\nendpoint = '{base}'\naccess_key_id = 'i'\nsecret_access_key = 's'"
            ),
        ] {
            let began = Instant::now();
            let deadline = Deadline::after(Duration::from_millis(200));
            let report = exporter(&settings(&section)).export(&Batch::new(&build_of("a", now())), &deadline);
            assert!(report.undelivered > 0 && report.sent == 0, "{reply:?} {section}: {report:?}");
            assert!(began.elapsed() < Duration::from_secs(5), "{reply:?} {section}: {:?}", began.elapsed());
        }
    }
}

#[test]
fn a_server_that_is_away_is_told_by_every_exporter_without_its_secrets() {
    let base = format!("http://user:hunter2@127.0.0.1:{}", free_port());
    for section in [
        format!("[influxdb]\nurl = '{base}'\ndatabase = 'ci'"),
        format!("[pushgateway]\nurl = '{base}'"),
        format!("[remote_write]\nurl = '{base}/api/v1/write'"),
        format!("[otlp]\nendpoint = '{base}'"),
    ] {
        let mut exporter = exporter(&settings(&section));
        let report =
            exporter.export(&Batch::new(&build_of("a", now())), &Deadline::after(Duration::from_secs(2)));
        assert!(report.undelivered > 0 && report.dropped == 0, "{section}: {report:?}");
        let shown = format!("{report:?} {} {exporter:?}", exporter.destination());
        assert!(shown.contains("refused"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn one_line_that_spoils_a_batch_costs_itself_alone() {
    // As InfluxDB 2.0 did: the whole request is refused for one line.
    let server = Scripted::deciding(|request| {
        let text = unpacked(&request.body);
        match text.contains("metric_77 ") || text.contains("name=metric_77,") {
            true => Reply::text(400, r#"{"code":"invalid","message":"unable to parse 'metric_77': bad"}"#),
            false => Reply::status(204),
        }
    });
    let at = now();
    let run = run("payments", at);
    let records: Vec<Record> =
        (0..500).map(|number| sample(&run, &format!("metric_{number}"), 1.0, at).into()).collect();
    let report = exporter(&settings(&influx(&server))).export(&Batch::new(&records), &plenty());
    assert_eq!((report.sent, report.dropped, report.undelivered), (499, 1, 0));
    assert!(report.problems.first[0].message.contains("unable to parse"), "{report:?}");
    assert!(server.seen().len() < 30, "{}", server.seen().len());
}

#[expect(clippy::disallowed_methods, reason = "the bodies of these tests are their own and small")]
pub(crate) fn unpacked(body: &[u8]) -> String {
    use std::io::Read as _;
    let mut text = String::new();
    flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn credentials_that_are_refused_are_not_tried_again() {
    let server =
        Scripted::start(vec![Reply::text(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#)]);
    let report = exporter(&settings(&influx(&server))).export(&Batch::new(&build_of("a", now())), &plenty());
    assert_eq!((report.dropped, server.seen().len()), (6, 1));
    let told = report.problems.first[0].to_string();
    assert!(
        told.contains("401") && told.contains("unauthorized access") && !told.contains("sesame"),
        "{told}"
    );
}

#[test]
fn remote_write_asks_again_after_5xx_and_429_and_not_after_other_refusals() {
    for (status, requests) in [(500, 2), (503, 2), (429, 2), (401, 1), (404, 1), (422, 1)] {
        let server = Scripted::start(vec![Reply::status(status), Reply::status(204)]);
        let pauses = Arc::new(Pauses::default());
        let mut exporter =
            exporter(&settings(&format!("[remote_write]\nurl = '{}'", server.url("/api/v1/write"))));
        exporter.export(&Batch::new(&build_of("a", now())), &pauses.deadline(Duration::from_secs(300)));
        let seen = server.seen();
        assert_eq!(seen.len(), requests, "{status}");
        assert_eq!(seen[0].headers["content-encoding"], "snappy");
        assert_eq!(seen[0].headers["x-prometheus-remote-write-version"], "0.1.0");
    }
}

#[test]
fn a_redirect_is_a_refusal_and_not_followed() {
    let other = Scripted::start(vec![Reply::status(204)]);
    let server = Scripted::start(vec![Reply::Answer(302, vec![("Location", other.url("/"))], Vec::new())]);
    let report = exporter(&settings(&influx(&server))).export(&Batch::new(&build_of("a", now())), &plenty());
    assert_eq!((report.sent, report.dropped, other.seen().len()), (0, 6, 0));
}
