//! Callers that take their time are not waited for without end.

use std::time::Duration;

use manometer_server::ServerOptions;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{Harness, REPORTS, read_to_end, send};

/// Long enough for a busy machine to send what it wants to send at once, short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

fn impatient(options: &mut ServerOptions) {
    options.timeouts.head = SHORT;
    options.timeouts.idle = SHORT;
    options.timeouts.body = SHORT;
    options.timeouts.least_bytes_per_second = 1024 * 1024;
}

async fn begin_upload(harness: &Harness) -> TcpStream {
    let mut stream = harness.connect().await;
    let head =
        format!("POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n<testsuite>");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_head_that_never_ends_ends_the_connection() {
    let harness = Harness::start_with(impatient).await;
    let mut stream = harness.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_ends() {
    let harness = Harness::start_with(impatient).await;
    let mut silent = harness.connect().await;
    assert_eq!(read_to_end(&mut silent).await, "");
    let mut kept_alive = harness.connect().await;
    kept_alive.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let answer = read_to_end(&mut kept_alive).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_body_that_falls_silent_is_refused() {
    let harness = Harness::start_with(impatient).await;
    let mut stream = begin_upload(&harness).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("too_slow") && answer.to_lowercase().contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_is_refused_though_it_never_falls_silent() {
    let harness = Harness::start_with(|options| {
        impatient(options);
        options.timeouts.idle = Duration::from_secs(60);
    })
    .await;
    let stream = begin_upload(&harness).await;
    let (mut reading, mut writing) = stream.into_split();
    let trickle = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while writing.write_all(b" ").await.is_ok() {
            pace.tick().await;
        }
    });
    let mut status = [0_u8; 12];
    tokio::io::AsyncReadExt::read_exact(&mut reading, &mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");
    trickle.abort();
}

#[tokio::test]
async fn slow_callers_do_not_keep_others_out() {
    let harness = Harness::start_with(|options| {
        impatient(options);
        options.limits.connections = 4;
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = harness.connect().await;
        stream.write_all(b"GET / HT").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(send(harness.get("/healthz")).await.status, 200);
}
