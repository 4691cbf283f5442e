//! What senders of other systems write becomes rows, once.

use std::collections::BTreeSet;

use manometer_formats::dialects::line_protocol::Precision;
use manometer_formats::dialects::remote_write::RequestError;
use manometer_formats::dialects::remote_write::message::{Label, Sample, TimeSeries, WriteRequest};
use manometer_ingest::dialects::{self, Datagrams, Reading};
use manometer_ingest::{ContentEncoding, IngestError, Part};
use manometer_model::Timestamp;
use manometer_store::Outcome;

use crate::support::{Bench, RECEIVED, gzip, part};

fn read(bench: &Bench, part: Part, received_at: Timestamp) -> Result<Reading, IngestError> {
    dialects::prepare_line_protocol(
        &bench.store,
        part,
        "ci",
        Precision::Nanoseconds,
        &bench.admission,
        &bench.limits,
        received_at,
    )
}

fn commit(bench: &Bench, reading: Reading) -> Outcome {
    reading.prepared.unwrap().commit_durable(&bench.store).unwrap().outcome
}

#[test]
fn good_lines_are_rows_and_bad_ones_are_told() {
    let bench = Bench::new();
    let lines = "cpu load=0.5 1700000000000000000\nbroken\ncpu load=0.7 1700000001000000000\n";
    let packed = part("body", gzip(lines.as_bytes())).encoded(ContentEncoding::Gzip);
    let reading = read(&bench, packed, RECEIVED).unwrap();
    assert_eq!((reading.taken, reading.refused), (2, 1));
    assert_eq!(reading.problems.first[0].line, Some(2));
    commit(&bench, reading);
    assert_eq!(bench.column("samples", "value"), ["0.5", "0.7"]);
    assert_eq!(bench.column("samples", "project"), ["ci", "ci"]);
}

#[test]
fn lines_with_times_count_once_however_often_they_come_and_others_each_time() {
    let bench = Bench::new();
    let timed = "cpu load=0.5 1690000000000000000\n";
    let bare = "cpu load=0.6\n";
    for seconds in [0.0, 5.0] {
        let again = RECEIVED.plus_seconds(seconds);
        let outcomes =
            [timed, bare].map(|lines| commit(&bench, read(&bench, part("body", lines), again).unwrap()));
        assert_eq!(matches!(outcomes[0], Outcome::Known(_)), seconds > 0.0);
        assert!(matches!(outcomes[1], Outcome::Committed(_)));
    }
    assert_eq!(bench.column("samples", "value"), ["0.5", "0.6", "0.6"]);
}

#[test]
fn a_body_without_a_usable_line_is_no_delivery() {
    let bench = Bench::new();
    let reading = read(&bench, part("body", "broken\n"), RECEIVED).unwrap();
    assert!(reading.prepared.is_none());
    assert_eq!((reading.taken, reading.refused), (0, 1));
    let reading = read(&bench, part("body", "# nothing\n\n"), RECEIVED).unwrap();
    assert!(reading.prepared.is_none() && reading.problems.is_empty());
}

#[test]
fn a_sender_writes_to_its_own_projects_alone() {
    let mut bench = Bench::new();
    bench.admission.projects = Some(BTreeSet::from(["ci".to_owned()]));
    assert!(read(&bench, part("body", "cpu load=1\n"), RECEIVED).is_ok());
    let foreign = read(&bench, part("body", "cpu load=1\ncpu,project=other load=1\n"), RECEIVED);
    assert!(matches!(foreign, Err(IngestError::ForbiddenProject { .. })), "{foreign:?}");
}

#[test]
fn a_bomb_is_refused() {
    let mut bench = Bench::new();
    bench.limits.unpacked_bytes = 1024 * 1024;
    let packed = gzip(&b"cpu load=1 1\n".repeat(1_000_000));
    let refused = read(&bench, part("body", packed), RECEIVED);
    assert!(matches!(refused, Err(IngestError::Exceeded(_))), "{refused:?}");
}

fn packed_request(value: f64) -> Vec<u8> {
    use prost::Message as _;
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    let series = TimeSeries {
        labels: vec![label("__name__", "up"), label("instance", "ci-7")],
        samples: vec![Sample { value, timestamp: 1_700_000_000_000 }],
        exemplars: Vec::new(),
        histograms: Vec::new(),
    };
    let request = WriteRequest { timeseries: vec![series] };
    snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()).unwrap()
}

#[test]
fn remote_write_is_rows_once_and_garbage_is_told() {
    let bench = Bench::new();
    let read = |body: &[u8]| {
        dialects::prepare_remote_write(
            &bench.store,
            body,
            "metrics",
            &bench.admission,
            &bench.limits,
            RECEIVED,
        )
        .unwrap()
    };
    let body = packed_request(1.0);
    assert!(matches!(commit(&bench, read(&body).unwrap()), Outcome::Committed(_)));
    assert!(matches!(commit(&bench, read(&body).unwrap()), Outcome::Known(_)));
    assert_eq!(bench.column("samples", "name"), ["up"]);
    assert_eq!(bench.only("samples", "provider"), "prometheus");
    let nothing = read(&packed_request(f64::NAN)).unwrap();
    assert!(nothing.prepared.is_none() && nothing.refused == 1);
    assert!(matches!(read(b"garbage").unwrap_err(), RequestError::NotSnappy(_)));
}

#[test]
fn datagrams_are_collected_into_one_delivery() {
    let bench = Bench::new();
    let mut datagrams = Datagrams::default();
    for _ in 0..3 {
        datagrams.add(b"hits:1|c\nbroken\ntook:5|ms", "metrics", &bench.limits, RECEIVED);
    }
    assert_eq!(datagrams.waiting(), 6);
    let reading = datagrams.prepare(&bench.store, RECEIVED, 1).unwrap();
    assert_eq!((reading.taken, reading.refused, datagrams.waiting()), (6, 3, 0));
    commit(&bench, reading);
    assert_eq!(bench.column("samples", "name").len(), 6);
    assert!(datagrams.prepare(&bench.store, RECEIVED, 2).unwrap().prepared.is_none());
}
