//! The orderly end.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Harness, REPORTS, junit};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_flight_is_finished_before_the_store_is_closed() {
    let harness = Harness::start().await;
    let address = harness.address();
    let mut stream = harness.connect().await;
    let report = junit(&["a"]);
    let length = report.len();
    let head = format!(
        "POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Only a handler that waits for the body has the server say this.
    let mut go_on = [0_u8; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    let ending = tokio::spawn(harness.server.shutdown());
    stream.write_all(report.as_bytes()).await.unwrap();
    let mut status = [0_u8; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
    ending.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
