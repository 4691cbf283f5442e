//! System calls that fail, at every place of a commit, a flush and a compaction, SQLite's own included.

use std::path::Path;
use std::time::{Duration, Instant};

use manometer_testkit::faults::{Calls, Errno, Faults, Plan};
use manometer_testkit::{HttpClient, ServerProcess};

use crate::crash::{restless_server, segment_files, store_check};
use crate::oracle;
use crate::workload::{Mix, Sent};

/// More calls than one group of commits, one flush or one compaction makes; a loop that gets here never ended.
const FAR_TOO_MANY: u64 = 400;

fn prepared(data: &Path) -> Option<Faults> {
    std::fs::create_dir_all(data).unwrap();
    match Faults::prepare(data) {
        Ok(faults) => Some(faults),
        Err(reason) => {
            println!("skipped: {reason}");
            None
        }
    }
}

/// Sends deliveries; a refusal must be one that says to come again.
fn send_some(client: &mut HttpClient, mix: &mut Mix, count: usize, sent: &mut Vec<Sent>) -> usize {
    let mut refused = 0;
    for _ in 0..count {
        let mut delivery = mix.next();
        let response = delivery.send(client).unwrap();
        if !delivery.is_acknowledged() {
            assert!(matches!(response.status, 503 | 507), "{} {}", response.status, response.text());
            assert!(response.json().is_ok(), "a refusal says why: {}", response.text());
            refused += 1;
        }
        sent.push(delivery);
    }
    refused
}

/// Sends one delivery until it is taken: the server has to come back by itself.
fn wait_until_taken(client: &mut HttpClient, mix: &mut Mix, sent: &mut Vec<Sent>) {
    let mut delivery = mix.next();
    let began = Instant::now();
    while !delivery.is_acknowledged() {
        let response = delivery.send(client).unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "space is back and it still refuses: {} {}",
            response.status,
            response.text()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    sent.push(delivery);
}

#[test]
fn a_full_disk_at_any_call_of_a_commit_is_refused_and_passes_by_itself() {
    // The store tries a full disk again after a second: several servers wait for that side by side.
    const LANES: u64 = 8;
    let refused: usize = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| scope.spawn(move || full_disk_at_calls((lane..FAR_TOO_MANY).step_by(LANES as usize))))
            .collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).sum()
    });
    println!("{refused} deliveries were refused for want of space");
}

/// Fails each of these calls on one server, which is never restarted; gives how many deliveries it refused.
fn full_disk_at_calls(skips: impl Iterator<Item = u64>) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(faults) = prepared(&data) else { return 0 };
    let server = ServerProcess::start(faults.install(restless_server(&data))).unwrap();
    let mut client = server.client();
    let mut mix = Mix::new("full".into(), 0, 1);
    let mut sent = Vec::new();
    let mut refused = 0;
    for skip in skips {
        assert!(skip + 10 < FAR_TOO_MANY, "the calls of four commits have no end");
        wait_until_taken(&mut client, &mut mix, &mut sent);
        faults.begin("/meta.db", Plan::once(Calls::SPACE, Errno::NoSpace, skip)).unwrap();
        refused += send_some(&mut client, &mut mix, 4, &mut sent);
        faults.end().unwrap();
        if faults.injected().unwrap() == 0 {
            break;
        }
    }
    assert!(refused > 0, "no fault ever hit a commit");
    wait_until_taken(&mut client, &mut mix, &mut sent);
    oracle::check(&mut client, &sent, "before the restart");
    oracle::resend(&mut client, &mut sent, "space is back");
    let server = server.start_again().unwrap();
    oracle::check(&mut server.client(), &sent, "after the restart");
    drop(server);
    store_check(&data);
    refused
}

#[test]
fn an_io_error_at_any_call_of_a_commit_loses_nothing_acknowledged() {
    for torn in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let Some(faults) = prepared(&data) else { return };
        let mut mix = Mix::new("io".into(), 0, 2);
        let mut sent = Vec::new();
        let mut refused = 0;
        let mut server = ServerProcess::start(faults.install(restless_server(&data))).unwrap();
        for skip in 0..FAR_TOO_MANY {
            let mut client = server.client();
            let plan = Plan::once(Calls::ALL, Errno::Io, skip);
            faults.begin("/meta.db", if torn { plan.torn() } else { plan }).unwrap();
            refused += send_some(&mut client, &mut mix, 3, &mut sent);
            faults.end().unwrap();
            if faults.injected().unwrap() == 0 {
                break;
            }
            assert!(skip + 1 < FAR_TOO_MANY, "the calls of three commits have no end");
            server = server.start_again().unwrap();
            oracle::check(&mut server.client(), &sent, &format!("torn: {torn}, after failing call {skip}"));
        }
        println!("{refused} of {} deliveries were refused for a broken disk (torn: {torn})", sent.len());
        assert!(refused > 0, "no fault ever hit a commit");
        oracle::resend(&mut server.client(), &mut sent, "the disk is whole again");
        oracle::check(&mut server.client(), &sent, "the disk is whole again");
        drop(server);
        store_check(&data);
    }
}

#[test]
fn after_a_failed_fsync_nothing_is_taken_until_a_restart_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(faults) = prepared(&data) else { return };
    let server = ServerProcess::start(faults.install(restless_server(&data))).unwrap();
    let mut client = server.client();
    let mut mix = Mix::new("fsync".into(), 0, 3);
    let mut sent = Vec::new();
    assert_eq!(send_some(&mut client, &mut mix, 10, &mut sent), 0);

    faults.begin("/meta.db-wal", Plan::once(Calls::SYNC, Errno::Io, 0)).unwrap();
    assert_eq!(send_some(&mut client, &mut mix, 1, &mut sent), 1, "a commit the disk did not confirm");
    assert_eq!(faults.injected().unwrap(), 1);
    faults.end().unwrap();

    // The kernel may have dropped the pages of the failed fsync: a later one that works proves nothing.
    assert_eq!(send_some(&mut client, &mut mix, 3, &mut sent), 3, "a poisoned store takes nothing");
    let ready = client.get("/ready").unwrap();
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert_eq!(client.get("/healthz").unwrap().status, 200, "it still answers questions");
    oracle::check(&mut client, &sent, "while poisoned");

    let server = server.start_again().unwrap();
    let mut client = server.client();
    oracle::check(&mut client, &sent, "after the restart");
    oracle::resend(&mut client, &mut sent, "after the restart");
    oracle::check(&mut client, &sent, "all sent again");
}

#[test]
fn failing_calls_of_flush_and_compaction_lose_nothing() {
    std::thread::scope(|scope| {
        for (part, error) in [
            ("/segments/", Errno::NoSpace),
            ("/segments/", Errno::Io),
            ("/tmp/", Errno::NoSpace),
            ("/tmp/", Errno::Io),
        ] {
            scope.spawn(move || fail_maintenance(part, error));
        }
    });
}

fn fail_maintenance(part: &str, error: Errno) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(faults) = prepared(&data) else { return };
    let mut mix = Mix::new(format!("{error:?}"), 0, 4);
    let mut sent = Vec::new();
    let mut server = ServerProcess::start(faults.install(restless_server(&data))).unwrap();
    // The first calls are those of one flush; further on, merges come in between.
    for skip in (0..6).chain((6..30).step_by(6)) {
        let mut client = server.client();
        faults.begin(part, Plan::once(Calls::ALL, error, skip).torn()).unwrap();
        send_until_injected(&faults, &mut client, &mut mix, &mut sent);
        faults.end().unwrap();
        oracle::check(&mut client, &sent, &format!("{error:?} at call {skip} on {part}"));
        // Maintenance pauses after a failure; a kill and a start are quicker, and have to go well too.
        server = server.start_again().unwrap();
        oracle::check(
            &mut server.client(),
            &sent,
            &format!("restarted after {error:?} at call {skip} on {part}"),
        );
    }
    oracle::resend(&mut server.client(), &mut sent, "the disk is whole again");
    oracle::check(&mut server.client(), &sent, "the disk is whole again");
    drop(server);
    assert!(segment_files(&data.join("segments")) > 0);
    store_check(&data);
}

/// Keeps rows coming until flushes and merges have met the failure.
fn send_until_injected(faults: &Faults, client: &mut HttpClient, mix: &mut Mix, sent: &mut Vec<Sent>) {
    let began = Instant::now();
    while faults.injected().unwrap() == 0 {
        send_some(client, mix, 4, sent);
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "flushes made only {} calls",
            faults.seen().unwrap()
        );
    }
}
