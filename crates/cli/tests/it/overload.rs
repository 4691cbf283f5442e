//! More requests than the queue holds: each is answered, taken once or refused with the time to come again.

use std::sync::Barrier;
use std::time::Duration;

use manometer_testkit::faults::{Calls, Faults};
use manometer_testkit::{HttpClient, ServerOptions, ServerProcess, sql};

const CLIENTS: usize = 200;
const REQUESTS: usize = 5;
const PROJECT: &str = "github.com/acme/flood";

#[test]
fn each_request_of_a_flood_is_taken_once_or_refused_with_retry_after_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mut options = ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), &data)
        .variable("MANOMETER_LIMITS_QUEUE_REQUESTS", "4")
        .variable("MANOMETER_LIMITS_DECODING_UPLOADS", "2");
    // A disk that takes its time makes sure that the queue is met, however quick this machine's is.
    let slow_disk = Faults::prepare(&data);
    if let Ok(faults) = &slow_disk {
        options = faults.install(options);
    }
    let server = ServerProcess::start(options).unwrap();
    if let Ok(faults) = &slow_disk {
        faults.slow_down("/meta.db-wal", Calls::SYNC, Duration::from_millis(20)).unwrap();
    }

    let start = Barrier::new(CLIENTS);
    let counts: Vec<(Vec<String>, u64)> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let connection = server.client();
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    flood(connection, client)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let mut taken: Vec<String> = counts.iter().flat_map(|(taken, _)| taken.clone()).collect();
    let refused: u64 = counts.iter().map(|(_, refused)| refused).sum();
    assert_eq!(taken.len() as u64 + refused, (CLIENTS * REQUESTS) as u64, "a request got no answer");
    assert!(refused > 0, "the queue was never full");
    assert!(!taken.is_empty(), "all were refused");

    let mut client = server.client();
    let question = format!("select run_id from runs where project = '{PROJECT}' order by 1");
    let rows = sql::rows(&mut client, &question).unwrap();
    let stored: Vec<String> = rows.into_iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    taken.sort();
    assert_eq!(stored, taken, "what is stored is what was acknowledged, once");
    assert_eq!(refusals_counted(&mut client), refused, "every refusal is counted");
}

fn flood(mut connection: HttpClient, client: usize) -> (Vec<String>, u64) {
    let mut taken = Vec::new();
    let mut refused = 0;
    for request in 0..REQUESTS {
        let run_id = format!("run-{client:03}-{request}");
        let body = format!(r#"{{"type":"run","provider":"ci","project":"{PROJECT}","run_id":"{run_id}"}}"#);
        let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", run_id.as_str())];
        let response = connection.post("/api/v1/records", &headers, body.as_bytes()).unwrap();
        match response.status {
            201 => taken.push(run_id),
            429 | 503 => {
                let seconds = response.header("retry-after").and_then(|text| text.parse::<u64>().ok());
                assert!(
                    seconds.is_some_and(|seconds| seconds >= 1),
                    "no Retry-After: {:?}",
                    response.headers
                );
                refused += 1;
            }
            other => panic!("{other}: {}", response.text()),
        }
    }
    (taken, refused)
}

/// The refusals for overload the server counted itself.
fn refusals_counted(client: &mut HttpClient) -> u64 {
    let metrics = client.get("/metrics").unwrap().text();
    metrics
        .lines()
        .filter(|line| line.starts_with("manometer_ingest_refused_total") && line.contains("overloaded"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}
