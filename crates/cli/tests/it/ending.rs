//! SIGTERM: what is under way is answered, then the process ends well.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use manometer_testkit::{ServerProcess, sql};

use crate::crash::restless_server;

#[test]
fn a_request_under_way_at_sigterm_is_answered_and_durable_and_the_process_ends_with_zero() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = ServerProcess::start(restless_server(&data)).unwrap();
    let body = r#"{"type":"run","provider":"ci","project":"github.com/acme/progress","run_id":"last"}"#;

    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = BufReader::new(stream);
    write!(
        reader.get_mut(),
        "POST /api/v1/records HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-ndjson\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        server.address(),
        body.len()
    )
    .unwrap();
    // "100 Continue" says that a handler waits for the body: from here on the request is under way.
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");
    reader.read_line(&mut line).unwrap();

    server.ask_to_end().unwrap();
    while TcpStream::connect(server.address()).is_ok() {
        std::thread::sleep(Duration::from_millis(1));
    }
    reader.get_mut().write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    reader.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let status = server.wait_for_end().unwrap();
    assert_eq!(status.code(), Some(0), "{}", server.log());

    let server = server.start_again().unwrap();
    let found = sql::number(&mut server.client(), "select count(*) from runs where run_id = 'last'").unwrap();
    assert_eq!(found, 1);
}

#[test]
fn an_idle_server_ends_at_once_and_leaves_the_folder_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = ServerProcess::start(restless_server(&data)).unwrap();
    let mut idle = server.client();
    assert_eq!(idle.get("/healthz").unwrap().status, 200);
    server.ask_to_end().unwrap();
    assert_eq!(server.wait_for_end().unwrap().code(), Some(0), "an idle connection does not keep it alive");
    server.start_again().unwrap();
}
