//! Clients that send garbage, lie about lengths, or nothing at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Harness, simple};

/// Sends bytes and reads until the server closes the connection.
async fn exchange(server: &Harness, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
    }
    answer
}

fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0me\0database\0manometer\0\0";
    let mut packet = (body.len() as u32 + 4).to_be_bytes().to_vec();
    packet.extend_from_slice(body);
    packet
}

#[tokio::test]
async fn garbage_at_the_start_is_refused_and_the_server_goes_on() {
    let server = Harness::start().await;
    for bytes in [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec(),
        vec![0xff; 64],
        vec![0, 0, 0, 4],
        vec![0, 0, 0, 8, 0, 2, 0, 0],
        vec![0, 0, 0, 9, 0, 3, 0, 0, b'x'],
        [b"\0\0\0\x10\x04\xd2\x16\x2e".as_slice(), &[0; 8]].concat(),
        b"\0\0\0\x08\x04\xd2\x16\x2e".to_vec(),
    ] {
        exchange(&server, &bytes).await;
    }
    assert_eq!(simple(&server.connect().await, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn messages_that_lie_end_their_connection_with_a_word() {
    let server = Harness::start().await;
    for message in [
        b"Q\x7f\xff\xff\xff".to_vec(),
        b"Q\0\0\0\x03".to_vec(),
        b"Q\0\0\0\x06ab".to_vec(),
        b"?\0\0\0\x04".to_vec(),
        b"B\0\0\0\x0a\0\0\xff\xff\0\0".to_vec(),
        b"p\0\0\0\x05x".to_vec(),
        b"D\0\0\0\x06Zx".to_vec(),
    ] {
        let answer = exchange(&server, &[startup(), message.clone()].concat()).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("FATAL") && text.contains("08P01"), "{message:?}: {text}");
    }
    assert_eq!(simple(&server.connect().await, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn names_that_are_unknown_are_told_and_skipped_up_to_the_next_sync() {
    let server = Harness::start().await;
    let message = b"B\0\0\0\x10\0none\0\0\0\0\0\0\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04X\0\0\0\x04";
    let answer = exchange(&server, &[startup(), message.to_vec()].concat()).await;
    let text = String::from_utf8_lossy(&answer);
    assert_eq!(text.matches("26000").count(), 1, "{text}");
    assert!(answer.ends_with(b"Z\0\0\0\x05I"), "{text}");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let server = Harness::start_with(|options| options.timeouts.idle = Duration::from_millis(20)).await;
    assert!(exchange(&server, b"\0\0").await.len() < 200);
    assert!(exchange(&server, &[startup(), b"Q\0\0".to_vec()].concat()).await.len() < 2000);
}
