//! One data folder, one process; and only folders this version understands.

use std::net::TcpListener;

use manometer_testkit::{ServerOptions, ServerProcess};

use crate::crash::restless_server;

fn refused(options: &ServerOptions) -> String {
    let output = options.command().output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it was not refused: {message}");
    message
}

#[test]
fn a_second_process_is_refused_with_the_pid_and_address_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut options = restless_server(&data);
    // An address that is told to others has to be known before the start: port 0 is not.
    options.listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let first = ServerProcess::start(options).unwrap();
    let message = refused(&restless_server(&data));
    assert!(message.contains(&first.id().to_string()), "no pid in: {message}");
    assert!(message.contains(&format!("http://{}", first.address())), "no address in: {message}");
    assert!(message.contains(&data.display().to_string()), "no folder in: {message}");
    assert_eq!(first.client().get("/ready").unwrap().status, 200, "the first is not disturbed");
}

#[test]
fn a_lock_left_behind_by_a_killed_process_does_not_refuse_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut first = ServerProcess::start(restless_server(&data)).unwrap();
    first.kill().unwrap();
    assert!(data.join("LOCK").exists());
    first.start_again().unwrap();
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(ServerProcess::start(restless_server(&data)).unwrap());
    let database = rusqlite::Connection::open(data.join("meta.db")).unwrap();
    let changed = database.execute("UPDATE meta SET value = 9999 WHERE name = 'layout_version'", []).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    let before = std::fs::read(data.join("meta.db")).unwrap();
    let message = refused(&restless_server(&data));
    assert!(message.contains("9999") && message.contains("newer"), "{message}");
    assert_eq!(std::fs::read(data.join("meta.db")).unwrap(), before, "the folder was touched");
}
