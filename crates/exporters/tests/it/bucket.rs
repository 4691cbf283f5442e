//! Object storage, as moto has it.

use std::time::Duration;

use manometer_exporters::Batch;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use url::Position;

use crate::programs::{Program, python_with};
use crate::records::{build_of, run, sample};
use crate::world::{exporter, now, plenty, settings};

fn moto() -> Option<Program> {
    let python = python_with(&["moto.server"])?;
    Program::start(&python, "moto[s3,server] from PyPI", "/moto-api/data.json", |port, _| {
        ["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec()
    })
}

fn section(moto: &Program, bucket: &str) -> String {
    format!(
        "[bucket]\nbucket = '{bucket}'\nendpoint = '{}'\naccess_key_id = 'id'\nsecret_access_key = 'secret'",
        moto.url("")
    )
}

fn keys(moto: &Program) -> Vec<String> {
    let listing = moto.get("/metrics?list-type=2");
    let keys = listing.split("<Key>").skip(1);
    keys.map(|rest| rest.split_once("</Key>").unwrap().0.to_owned()).collect()
}

#[test]
fn a_run_is_an_object_of_lines_that_can_be_read_again() {
    let Some(moto) = moto() else { return };
    assert_eq!(moto.send("PUT", "/metrics", "").status, 200);
    let at = now();
    let mut local = run("payments", at);
    local.provider = "local".into();
    local.run_id = "550e8400-e29b-41d4-a716-446655440000".into();
    let records = vec![local.clone().into(), sample(&local, "ram.peak_mb", 128.7, at).into()];
    let mut exporter = exporter(&settings(&section(&moto, "s3://metrics/ci/shop")));
    let report = exporter.export(&Batch::new(&records), &plenty());
    assert_eq!((report.sent, report.is_complete()), (2, true), "{report:?}");

    let day = &at.plus_seconds(-30.0).to_string()[..10];
    let key = format!("ci/shop/date={day}/550e8400-e29b-41d4-a716-446655440000.jsonl");
    assert_eq!(keys(&moto), [key.as_str()]);
    let signer = Bucket::new(moto.url("").parse().unwrap(), UrlStyle::Path, "metrics", "us-east-1").unwrap();
    let credentials = Credentials::new("id", "secret");
    let signed = signer.get_object(Some(&credentials), &key).sign(Duration::from_secs(60));
    let lines = moto.get(&signed[Position::BeforePath..]);
    let read: Vec<manometer_model::Record> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, records);
}

#[test]
fn parts_of_a_run_lie_side_by_side_and_a_part_sent_twice_lies_there_once() {
    let Some(moto) = moto() else { return };
    assert_eq!(moto.send("PUT", "/metrics", "").status, 200);
    let mut exporter = exporter(&settings(&section(&moto, "metrics")));
    let records = build_of("payments", now());
    for part in [&records[..4], &records[4..], &records[..4]] {
        assert!(exporter.export(&Batch::new(part), &plenty()).is_complete());
    }
    assert_eq!(keys(&moto).len(), 2, "{:?}", keys(&moto));
}

#[test]
fn a_bucket_that_does_not_exist_is_told_without_what_was_signed() {
    let Some(moto) = moto() else { return };
    let mut exporter = exporter(&settings(&section(&moto, "nowhere")));
    let report = exporter.export(&Batch::new(&build_of("payments", now())), &plenty());
    assert_eq!(report.sent, 0);
    let told = report.problems.first[0].to_string();
    assert!(
        told.contains("NoSuchBucket") && !told.contains("Signature") && !told.contains("secret"),
        "{told}"
    );
}
