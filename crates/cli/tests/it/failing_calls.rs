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
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(faults) = prepared(&data) else { return };
    let server = ServerProcess::start(faults.install(restless_server(&data))).unwrap();
    let mut client = server.client();
    let mut mix = Mix::new("full".into(), 0, 1);
    let mut sent = Vec::new();
    let mut refused = 0;
    for skip in 0..FAR_TOO_MANY {
        wait_until_taken(&mut client, &mut mix, &mut sent);
        faults.begin("/meta.db", Plan::once(Calls::SPACE, Errno::NoSpace, skip)).unwrap();
        refused += send_some(&mut client, &mut mix, 4, &mut sent);
        faults.end().unwrap();
        if faults.injected().unwrap() == 0 {
            break;
        }
        assert!(skip + 1 < FAR_TOO_MANY, "the calls of four commits have no end");
    }
    assert!(refused > 0, "no fault ever hit a commit");
    wait_until_taken(&mut client, &mut mix, &mut sent);
    oracle::check(&mut client, &sent, "before the restart");
    oracle::resend(&mut client, &mut sent, "space is back");
    let server = server.start_again().unwrap();
    oracle::check(&mut server.client(), &sent, "after the restart");
    drop(server);
    store_check(&data);
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
    for error in [Errno::NoSpace, Errno::Io] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let Some(faults) = prepared(&data) else { return };
        let mut mix = Mix::new(format!("{error:?}"), 0, 4);
        let mut sent = Vec::new();
        let mut injected = 0;
        let mut server = ServerProcess::start(faults.install(restless_server(&data))).unwrap();
        for skip in 0..24 {
            let mut client = server.client();
            for part in ["/segments/", "/tmp/"] {
                faults.begin(part, Plan::once(Calls::ALL, error, skip).torn()).unwrap();
                send_some(&mut client, &mut mix, 12, &mut sent);
                wait_until_seen(&faults, &mut client, &mut mix, &mut sent, skip);
                injected += faults.injected().unwrap();
                faults.end().unwrap();
                oracle::check(&mut client, &sent, &format!("{error:?} at call {skip} on {part}"));
            }
            if client.get("/ready").unwrap().status != 200 || skip % 4 == 3 {
                server = server.start_again().unwrap();
                oracle::check(
                    &mut server.client(),
                    &sent,
                    &format!("restarted after {error:?} at call {skip}"),
                );
            }
        }
        assert!(injected > 0, "no fault ever hit a flush");
        oracle::resend(&mut server.client(), &mut sent, "the disk is whole again");
        oracle::check(&mut server.client(), &sent, "the disk is whole again");
        drop(server);
        assert!(segment_files(&data.join("segments")) > 0);
        store_check(&data);
    }
}

/// Keeps rows coming until flushes have made more than `skip` calls, or the store has given up writing.
fn wait_until_seen(faults: &Faults, client: &mut HttpClient, mix: &mut Mix, sent: &mut Vec<Sent>, skip: u64) {
    let began = Instant::now();
    while faults.seen().unwrap() <= skip && began.elapsed() < Duration::from_secs(5) {
        if send_some(client, mix, 4, sent) == 4 {
            return;
        }
    }
}
