//! How much memory a store takes whose senders outrun its flushes: the bound of the flush policy beside what the
//! process really holds. Linux only; prints a table.
//!
//! ```text
//! cargo run --release -p manometer-store --example unflushed_memory -- 8000000
//! ```

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use manometer_model::records::{TESTS, Test};
use manometer_model::{Problems, Row as _, TestId, Timestamp};
use manometer_store::{DeliveryInfo, DeliveryKey, FlushPolicy, Store, StoreOptions, SubmitError};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SENDERS: u64 = 4;
const ROWS_PER_DELIVERY: u64 = 10_000;

fn main() -> Outcome<()> {
    let rows: u64 = std::env::args().nth(1).map_or(Ok(8_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let store = Store::open(StoreOptions::new(folder.path()))?;
    println!("bound of unflushed rows {:>6} MiB", FlushPolicy::default().memory_bytes >> 20);
    println!("resident at the start   {:>6} MiB", resident("VmRSS:")? >> 20);
    let next = Arc::new(AtomicU64::new(0));
    let refused = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let most = std::thread::scope(|scope| -> Outcome<(u64, u64)> {
        let watcher = scope.spawn(|| watch(&store, &done));
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| scope.spawn(|| send(&store, &next, &refused, rows / ROWS_PER_DELIVERY)))
            .collect();
        for sender in senders {
            sender.join().map_err(|_| "a sender panicked")??;
        }
        done.store(true, Ordering::Release);
        Ok(watcher.join().map_err(|_| "the watcher panicked")?)
    })?;
    println!("most unflushed rows     {:>6} thousand", most.0 / 1_000);
    println!("… the memory they take  {:>6} MiB, {} bytes a row", most.1 >> 20, most.1 / most.0.max(1));
    println!("deliveries refused      {:>6}", refused.load(Ordering::Relaxed));
    println!("resident at most        {:>6} MiB", resident("VmHWM:")? >> 20);
    println!("resident at the end     {:>6} MiB", resident("VmRSS:")? >> 20);
    store.flush()?;
    println!("resident after a flush  {:>6} MiB", resident("VmRSS:")? >> 20);
    Ok(())
}

/// Most rows and their memory seen in the journal.
fn watch(store: &Store, done: &AtomicBool) -> (u64, u64) {
    let mut most = (0, 0);
    while !done.load(Ordering::Acquire) {
        let stats = store.stats();
        let rows = stats
            .tables
            .iter()
            .find(|table| table.table == TESTS.name)
            .map_or(0, |table| table.rows_in_memory);
        most = most.max((rows, stats.unflushed_memory_bytes));
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

fn send(store: &Store, next: &AtomicU64, refused: &AtomicU64, deliveries: u64) -> Outcome<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= deliveries {
            return Ok(());
        }
        loop {
            match store.submit(delivery(store, number)?) {
                Ok(pending) => {
                    pending.wait()?;
                    break;
                }
                Err(SubmitError::Overloaded { .. }) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn delivery(store: &Store, number: u64) -> Outcome<manometer_store::Delivery> {
    let mut writer = store.writer();
    let service = format!("service-{}", number % 24);
    for test in 0..ROWS_PER_DELIVERY {
        let class = format!("com.acme.{service}.checkout.Cart{}Test", test / 40);
        let name = format!("rejects_an_order_of_{test}_items_when_the_warehouse_is_closed");
        let row = Test {
            provider: "github".to_owned(),
            project: "github.com/acme/shop".to_owned(),
            service: Some(service.clone()),
            pipeline: Some("ci".to_owned()),
            run_id: number.to_string(),
            run_attempt: 1,
            branch: Some("main".to_owned()),
            commit_sha: Some(format!("{number:040x}")),
            test_id: TestId::new("unit", &class, &name, "", 0),
            suite: Some(class.clone()),
            classname: Some(class),
            name,
            duration_seconds: Some(test as f64 / 1_000.0),
            attempt: 1,
            is_final: true,
            at: Timestamp::from_seconds(1_772_600_400 + (test / 100) as i64),
            ..Test::default()
        };
        writer.append(&TESTS, &row.values())?;
    }
    Ok(writer.finish(DeliveryInfo {
        key: DeliveryKey { scope: "memory".to_owned(), key: number.to_string() },
        body_hash: 0,
        source: "memory".to_owned(),
        kind: "junit".to_owned(),
        project: None,
        received_at: Timestamp::from_seconds(1_772_600_400),
        size_bytes: 0,
        problems: Problems::new(),
        permanent: false,
    })?)
}

/// A line of `/proc/self/status`, in bytes.
fn resident(line: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or("0 kB");
    Ok(found.trim().trim_end_matches(" kB").trim().parse::<u64>()? << 10)
}
