//! What is recorded reaches a server, at once or by the spool later. Settings are read from the environment, so each
//! flush runs in a process of its own: this test program again, with other variables.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

use manometer_client::{RunInfo, flush, record};

const OUTCOME: &str = "OUTCOME";

#[test]
fn child_that_flushes() {
    let Ok(outcome) = std::env::var(OUTCOME) else { return };
    record("custom.items", 3.0, &[]);
    let flushed = flush("sent", RunInfo { success: Some(true), ..RunInfo::default() });
    std::fs::write(outcome, format!("{} {:?}", flushed.is_delivered, flushed.problems)).unwrap();
}

fn flush_in_child(folder: &Path, address: &str) -> String {
    let outcome = folder.join("outcome");
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_flushes"])
        .current_dir(folder)
        .env_clear()
        .envs([("HOME", folder), (OUTCOME, &outcome)])
        .envs([("MANOMETER_URL", address), ("MANOMETER_TOKEN", "mano_1"), ("MANOMETER_SEND_SECONDS", "60")])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    std::fs::read_to_string(outcome).unwrap()
}

/// Takes so many requests, and gives their heads.
fn server_for(requests: usize, listener: TcpListener) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut heads = Vec::new();
        while heads.len() < requests {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).unwrap();
            }
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
            let receipt = r#"{"status":"committed","id":"1","received_at":"2026-11-21T00:00:00Z","rows":{}}"#;
            let answer = format!(
                "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{receipt}",
                receipt.len()
            );
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            heads.push(head);
        }
        heads
    })
}

#[test]
fn a_record_is_delivered_with_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server_for(1, listener);
    assert_eq!(flush_in_child(folder.path(), &address), "true []");
    let heads = server.join().unwrap();
    assert!(heads[0].starts_with("post /api/v1/records ") && heads[0].contains("bearer mano_1"), "{heads:?}");
}

#[test]
fn what_a_server_that_is_away_does_not_take_waits_in_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    // Bound and dropped: nobody listens there.
    let address = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let outcome = flush_in_child(folder.path(), &address);
    assert!(outcome.starts_with("false") && outcome.contains("waits in the spool"), "{outcome}");
    assert!(folder.path().join(".manometer").is_dir(), "the local store has it in any case");
    let spool = folder.path().join(".local/state/manometer/spool");
    assert!(std::fs::read_dir(spool).unwrap().count() > 0);
}
