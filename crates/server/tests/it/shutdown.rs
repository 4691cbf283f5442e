//! The orderly end.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Harness, REPORTS, junit};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_flight_is_finished_before_the_store_is_closed() {
    let harness = Harness::start().await;
    let mut stream = harness.connect().await;
    let report = junit(&["a"]);
    let (start, end) = report.split_at(report.len() / 2);
    let head = format!(
        "POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{start}",
        report.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // An answer on another connection shows that the server runs; the first request is read by now or soon.
    assert!(harness.get("/healthz").send().await.unwrap().status().is_success());
    let address = harness.address();
    let ending = tokio::spawn(harness.server.shutdown());
    stream.write_all(end.as_bytes()).await.unwrap();
    let mut status = [0_u8; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
    ending.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
