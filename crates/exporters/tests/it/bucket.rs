//! Object storage, as moto has it.

use std::time::Duration;

use manometer_exporters::Batch;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use url::Position;

use crate::records::{build_of, run, sample};
use crate::scripted::{Reply, Scripted};
use crate::world::{exporter, now, plenty, settings};
use manometer_testkit::peers::{google_cloud_storage, keys_in_moto, moto};
use manometer_testkit::programs::{Program, python};

fn section(moto: &Program, bucket: &str) -> String {
    format!(
        "[bucket]\nbucket = '{bucket}'\nendpoint = '{}'\naccess_key_id = 'id'\nsecret_access_key = 'secret'",
        moto.url("")
    )
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
    assert_eq!(keys_in_moto(&moto), [key.as_str()]);
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
    assert_eq!(keys_in_moto(&moto).len(), 2, "{:?}", keys_in_moto(&moto));
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

#[test]
fn google_cloud_storage_takes_objects_with_an_hmac_key_and_with_a_token() {
    let Some(google) = google_cloud_storage() else { return };
    let records = build_of("payments", now());
    for access in ["access_key_id = 'GOOG1E'\nsecret_access_key = 'secret'", "token = 'ya29.token'"] {
        let section =
            format!("[bucket]\nbucket = 'gs://metrics/ci'\nendpoint = '{}'\n{access}", google.url(""));
        let report = exporter(&settings(&section)).export(&Batch::new(&records), &plenty());
        assert!(report.is_complete() && report.sent > 0, "{access}: {report:?}");
    }
    let listing = google.get_json("/storage/v1/b/metrics/o");
    let items = listing["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "the same records are the same object: {listing}");
    let name = items[0]["name"].as_str().unwrap();
    assert!(name.starts_with("ci/date="), "{name}");
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let lines = google.get(&format!("/storage/v1/b/metrics/o/{encoded}?alt=media"));
    let read: Vec<manometer_model::Record> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, records);

    let section =
        format!("[bucket]\nbucket = 'gs://nowhere'\nendpoint = '{}'\ntoken = 'ya29.token'", google.url(""));
    let report = exporter(&settings(&section)).export(&Batch::new(&records), &plenty());
    let told = report.problems.first[0].to_string();
    assert!(report.sent == 0 && told.contains("404") && !told.contains("ya29"), "{told}");
}

/// Signs the address of a request anew, at its own time, as Amazon's library for Python does.
const SIGN_AGAIN: &str = r#"
import datetime, sys, urllib.parse
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
url, region = sys.argv[1], sys.argv[2]
parts = urllib.parse.urlsplit(url)
given = dict(urllib.parse.parse_qsl(parts.query))
moment = datetime.datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
botocore.auth.get_current_datetime = lambda *ignored, **also: moment
request = AWSRequest(method="PUT", url=urllib.parse.urlunsplit(parts._replace(query="")))
signer = botocore.auth.S3SigV4QueryAuth(Credentials("GOOG1E", "secret"), "s3", region, expires=int(given["X-Amz-Expires"]))
signer.add_auth(request)
again = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query))
print(given["X-Amz-Credential"] == again["X-Amz-Credential"] and given["X-Amz-Signature"] == again["X-Amz-Signature"])
"#;

#[test]
fn a_signature_is_what_amazons_own_library_makes_for_s3_and_for_google() {
    for (bucket, region) in [("gs://metrics/ci", "auto"), ("s3://metrics/c i/ü+", "us-east-1")] {
        let server = Scripted::start(vec![Reply::status(200)]);
        let section = format!(
            "[bucket]\nbucket = '{bucket}'\nendpoint = '{}'\naccess_key_id = 'GOOG1E'\nsecret_access_key = 'secret'",
            server.url("")
        );
        let report = exporter(&settings(&section)).export(&Batch::new(&build_of("a", now())), &plenty());
        assert!(report.is_complete(), "{report:?}");
        let url = server.url(&server.seen()[0].target);
        let Some(is_same) = python(SIGN_AGAIN, &["botocore"], &[&url, region], b"") else { return };
        assert_eq!(is_same.trim(), "True", "{url}");
    }
}

#[test]
fn a_token_goes_into_the_header_and_never_into_the_address() {
    let server = Scripted::start(vec![Reply::status(200)]);
    let section =
        format!("[bucket]\nbucket = 'gs://metrics'\nendpoint = '{}'\ntoken = 'ya29.token'", server.url(""));
    exporter(&settings(&section)).export(&Batch::new(&build_of("a", now())), &plenty());
    let seen = server.seen();
    assert_eq!(seen[0].headers["authorization"], "Bearer ya29.token");
    assert!(
        seen[0].target.starts_with("/metrics/date%3D") && !seen[0].target.contains('?'),
        "{}",
        seen[0].target
    );
}
