//! The spool by itself: bounds, order, what others left behind.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use manometer_agent::shipping::{Patience, Server, Shipment, Spool, SpoolError, deliver};
use manometer_model::{SystemClock, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(1_795_219_200);

fn shipment(key: &str) -> Shipment {
    Shipment::new(
        "http://127.0.0.1:9",
        "/api/v1/records",
        key.to_owned(),
        "application/x-ndjson",
        format!("run {key}"),
    )
}

#[test]
fn what_finds_no_room_is_refused_aloud_and_pushes_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::at(folder.path()).holding(1_500);
    let body = [7_u8; 400];
    spool.put(&shipment("first"), &body, NOW).unwrap();
    spool.put(&shipment("second"), &body, NOW.plus_seconds(1.0)).unwrap();
    let error = spool.put(&shipment("third"), &body, NOW.plus_seconds(2.0)).unwrap_err();
    assert!(matches!(error, SpoolError::Full { .. }), "{error}");
    assert!(error.to_string().contains("run third was not kept"), "{error}");
    let kept: Vec<String> =
        spool.waiting().unwrap().iter().map(|waiting| spool.describe(waiting).unwrap()).collect();
    assert_eq!(kept, ["run first for http://127.0.0.1:9", "run second for http://127.0.0.1:9"]);
    assert_eq!(spool.refused().len(), 1, "also for those who ask later");
    // What was refused for good takes room too, until somebody has looked at it.
    let first = spool.waiting().unwrap().remove(0);
    spool.reject(&first, "422: no").unwrap();
    assert!(spool.put(&shipment("fourth"), &body, NOW).is_err());
    let rejected = spool.rejected().unwrap().remove(0);
    assert_eq!(spool.describe(&rejected).unwrap(), "run first for http://127.0.0.1:9 (422: no)");
}

#[test]
fn what_a_killed_writer_left_is_never_sent_and_swept_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::at(folder.path());
    let name = format!("{:020}-left.unfinished", NOW.as_micros());
    fs::write(folder.path().join(&name), b"{\"version\":1").unwrap();
    spool.put(&shipment("next"), b"x", NOW.plus_seconds(60.0)).unwrap();
    assert!(folder.path().join(&name).exists(), "its writer may still be at it");
    assert_eq!(spool.waiting().unwrap().len(), 1);
    spool.put(&shipment("a day later"), b"x", NOW.plus_seconds(90_000.0)).unwrap();
    assert!(!folder.path().join(&name).exists());
}

#[test]
fn garbage_in_the_spool_is_moved_aside_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::at(folder.path());
    for (number, content) in
        [&b""[..], b"\xff\xfe\n", b"{}\n", b"{\"version\":1,\"server\":", b"[[[[["].iter().enumerate()
    {
        fs::write(folder.path().join(format!("{number:020}-x.shipment")), content).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let newer = format!(
        "{}\nbody",
        r#"{"version":99,"server":"http://127.0.0.1:9","path":"/","key":"k","content_type":"a","content_encoding":null,"holds":"h"}"#
    );
    fs::write(folder.path().join("00000000000000000009-new.shipment"), newer).unwrap();
    let server = Server::new("http://127.0.0.1:9/", None).unwrap();
    let patience = Patience { time: std::time::Duration::ZERO, ignores_pauses: true };
    let delivery = deliver(&spool, &server, None, patience, &SystemClock);
    assert_eq!((delivery.rejected.len(), delivery.delivered), (5, 0), "{delivery:?}");
    assert!(delivery.unreadable[0].contains("newer version"), "{delivery:?}");
    assert_eq!(spool.waiting().unwrap().len(), 1, "what a newer version wrote waits for it");
    assert!(folder.path().join("notes.txt").exists());
}

#[test]
fn a_folder_that_others_can_write_is_not_used() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let place = tempfile::tempdir().unwrap();
    let [open, link, own] = ["open", "link", "own"].map(|name| place.path().join(name));
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(place.path(), &link).unwrap();
    let spool = Spool::in_first_usable(&[open.clone(), link, own.clone()]).unwrap();
    assert_eq!(spool.folder(), own);
    assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
    let error = Spool::in_first_usable(std::slice::from_ref(&open)).unwrap_err();
    assert!(error.contains("/open"), "{error}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    for address in ["", "manometer.example.com", "http://", "https:///x", "ftp://x", "http://a b"] {
        assert!(Server::new(address, None).is_err(), "{address}");
    }
    assert_eq!(
        Server::new("https://m.example.com/base/", None).unwrap().address,
        "https://m.example.com/base"
    );
}
