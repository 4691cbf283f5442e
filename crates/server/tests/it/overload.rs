//! Too much at once: some are told to come again, nobody is told a lie.

use std::collections::BTreeSet;

use tokio::io::AsyncWriteExt as _;

use crate::harness::{Harness, REPORTS, gzip, junit, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_500_clients_past_a_small_queue_every_acknowledged_row_is_there_exactly_once() {
    let harness = Harness::start_with(|options| {
        options.limits.decoding_uploads = 1;
        options.limits.queue_requests = 4;
    })
    .await;
    let requests = (0..500).map(|client| {
        let name = format!("client_{client}");
        let request = harness.post(REPORTS, gzip(junit(&[&name]).as_bytes()));
        async move { (name, send(request).await) }
    });
    let answers = futures::future::join_all(requests).await;
    let mut acknowledged = BTreeSet::new();
    let mut refused = 0;
    for (name, answer) in answers {
        match answer.status {
            201 => assert!(acknowledged.insert(name)),
            503 => {
                assert_eq!(answer.code(), "overloaded");
                assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    let rows = harness.rows("SELECT name FROM tests").await;
    let stored: BTreeSet<String> = rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    assert_eq!(rows.len(), stored.len(), "no row is there twice");
    assert_eq!(stored, acknowledged);
    let metrics = send(harness.get("/metrics")).await.text;
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix(r#"manometer_ingest_refused_total{reason="overloaded"} "#));
    assert_eq!(counted.map_or(0, |count| count.parse().unwrap()), refused);
}

#[tokio::test]
async fn uploads_past_the_memory_for_bodies_are_told_to_come_again() {
    let harness = Harness::start_with(|options| options.limits.upload_memory_bytes = 128 * 1024).await;
    // One caller holds more than half of it with a body that is not finished.
    let mut holding = harness.connect().await;
    let head = format!("POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    holding.write_all(head.as_bytes()).await.unwrap();
    holding.write_all(&[b' '; 80_000]).await.unwrap();
    let body = vec![b' '; 120_000];
    // The server reads the held body in its own time.
    let refused = loop {
        let answer = send(harness.post(REPORTS, body.clone())).await;
        if answer.status != 422 {
            break answer;
        }
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    drop(holding);
    let again = loop {
        let answer = send(harness.post(REPORTS, body.clone())).await;
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!(again.status, 422, "the memory of a caller that went away is free again");
}
