//! Measures the store alone: how fast test results become durable, and how many bytes they take afterwards.
//!
//! ```text
//! cargo run --release -p manometer-store --example commit_rate -- [FOLDER] [DAYS]
//! ```
//! The data are those of 20 services with 1,000 tests each and 8 runs a day: names as frameworks write them,
//! durations in milliseconds, two tests in a hundred failing with a message.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::RecordBatch;
use manometer_model::records::{Run, Test};
use manometer_model::{Conclusion, Problems, Row, Status, TestId, TestStatus, Timestamp};
use manometer_store::{DeliveryInfo, DeliveryKey, DeliveryWriter, FlushPolicy, Store, StoreOptions};

const SERVICES: u64 = 20;
const TESTS: u64 = 1_000;
const RUNS_A_DAY: u64 = 8;
const FIRST_DAY: i64 = 1_772_409_600;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder =
        arguments.next().map_or_else(|| std::env::temp_dir().join("manometer-commit-rate"), PathBuf::from);
    let days: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let store = Store::open(options(&folder))?;
    let mut runs = Vec::new();
    for service in 0..SERVICES {
        let catalogue: Vec<Test> = (0..TESTS).map(|test| named(service, test)).collect();
        for day in 0..days {
            runs.extend((0..RUNS_A_DAY).map(|run| report(&catalogue, service, day, run)));
        }
    }
    // As CI sends them: by time, not by service.
    runs.sort_by_key(|run| run.tests.first().map(|test| test.at));

    measure_encoding(&store, &runs)?;
    let committed = measure_commits(&store, &runs)?;
    let journal = store.stats().journal_bytes;
    println!("journal: {:.1} bytes a row", journal as f64 / committed as f64);
    store.close();
    let store = measure_opening(&folder, &format!("a journal of {:.0} MB", journal as f64 / 1e6))?;
    let started = Instant::now();
    let flushed = store.flush()?;
    rate("flush", flushed.rows, started);
    println!(
        "segments after flush: {:.2} bytes a row in {} files",
        flushed.size_bytes as f64 / flushed.rows as f64,
        flushed.segments
    );
    let started = Instant::now();
    let compacted = store.compact()?;
    rate("compaction", compacted.rows, started);
    let stats = store.stats();
    let bytes: u64 = stats.tables.iter().map(|table| table.segment_bytes).sum();
    let files: u64 = stats.tables.iter().map(|table| table.segments).sum();
    println!(
        "segments after compaction: {:.2} bytes a row in {files} files",
        bytes as f64 / committed as f64
    );
    measure_small(&store)?;
    store.close();
    measure_opening(&folder, "all of it in segments")?;
    Ok(())
}

fn measure_opening(folder: &Path, what: &str) -> Result<Store, Failure> {
    let started = Instant::now();
    let store = Store::open(options(folder))?;
    let (tests, runs) = (store.snapshot().rows(Test::table()), store.snapshot().rows(Run::table()));
    println!(
        "opening with {what}: {:.3} s for {tests} tests and {runs} runs",
        started.elapsed().as_secs_f64()
    );
    Ok(store)
}

/// Deliveries of one run each, from 64 threads that wait for each receipt.
fn measure_small(store: &Store) -> Result<(), Failure> {
    const THREADS: i64 = 64;
    const EACH: i64 = 1_000;
    let groups = store.stats().commit_groups;
    let started = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || small(store, thread * EACH, EACH))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    })?;
    let what = "deliveries of one run, 64 threads, each waiting for its receipt";
    rate(what, (THREADS * EACH).unsigned_abs(), started);
    println!("transactions: {}", store.stats().commit_groups - groups);
    let started = Instant::now();
    let batches = store.snapshot().batches(Run::table())?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    rate("documents of runs made into rows", rows as u64, started);
    Ok(())
}

fn small(store: &Store, first: i64, count: i64) -> Result<(), Failure> {
    for number in first..first + count {
        let run = Run {
            provider: "github".to_owned(),
            project: "github.com/acme/shop".to_owned(),
            service: Some("checkout".to_owned()),
            pipeline: Some("build".to_owned()),
            run_id: (17_000_000_000 + number).to_string(),
            attempt: 1,
            number: Some(number),
            branch: Some("main".to_owned()),
            commit_sha: Some(format!("{:040x}", mixed(number.unsigned_abs()))),
            status: Some(Status::Completed),
            conclusion: Some(Conclusion::Success),
            queued_at: Some(Timestamp::from_seconds(FIRST_DAY + number)),
            started_at: Some(Timestamp::from_seconds(FIRST_DAY + number + 20)),
            finished_at: Some(Timestamp::from_seconds(FIRST_DAY + number + 300)),
            url: Some(format!("https://github.com/acme/shop/actions/runs/{number}")),
            updated_at: Some(Timestamp::from_seconds(FIRST_DAY + number + 301)),
            ..Run::default()
        };
        let mut writer = store.writer();
        writer.append(Run::table(), &run.values())?;
        store.submit(writer.finish(info(&format!("run-{number}")))?)?.wait()?;
    }
    Ok(())
}

fn options(folder: &Path) -> StoreOptions {
    let flush = FlushPolicy {
        background: false,
        rows: u64::MAX / 16,
        journal_bytes: u64::MAX / 16,
        ..FlushPolicy::default()
    };
    StoreOptions { flush, ..StoreOptions::new(folder) }
}

fn rate(what: &str, rows: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{what}: {:.0} rows/s ({rows} rows in {seconds:.2} s)", rows as f64 / seconds);
}

/// Append and encode alone, on one thread.
fn measure_encoding(store: &Store, runs: &[Reported]) -> Result<u64, Failure> {
    let started = Instant::now();
    let mut rows = 0;
    for run in runs.iter().take(200) {
        let mut writer = store.writer();
        append_run(&mut writer, run)?;
        rows += writer.finish(info("small"))?.rows().values().sum::<u64>();
    }
    rate("append and encode, one thread, 1,000 rows a delivery", rows, started);
    let started = Instant::now();
    let mut rows = 0;
    for many in runs.chunks(200).take(3) {
        let mut writer = store.writer();
        for run in many {
            append_run(&mut writer, run)?;
        }
        rows += writer.finish(info("large"))?.rows().values().sum::<u64>();
    }
    rate("append and encode, one thread, 200,000 rows a delivery", rows, started);
    Ok(rows)
}

/// Append, encode and commit, two threads, each with up to eight receipts outstanding.
fn measure_commits(store: &Store, runs: &[Reported]) -> Result<u64, Failure> {
    let started = Instant::now();
    let (first, second) = runs.split_at(runs.len() / 2);
    let counts: Vec<Result<u64, Failure>> = std::thread::scope(|scope| {
        let threads = [first, second].map(|half| scope.spawn(move || commit(store, half)));
        threads.map(|thread| thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))).into()
    });
    let mut rows = 0;
    for count in counts {
        rows += count?;
    }
    rate("append, encode and commit, two threads, 1,000 rows a delivery", rows, started);
    println!("transactions: {}", store.stats().commit_groups);
    Ok(rows)
}

fn commit(store: &Store, runs: &[Reported]) -> Result<u64, Failure> {
    let mut rows = 0;
    let mut waiting = Vec::new();
    for run in runs {
        let mut writer = store.writer();
        append_run(&mut writer, run)?;
        rows += writer.rows();
        waiting.push(store.submit(writer.finish(info(&run.key))?)?);
        if waiting.len() >= 8 {
            for pending in waiting.drain(..) {
                pending.wait()?;
            }
        }
    }
    for pending in waiting {
        pending.wait()?;
    }
    Ok(rows)
}

fn append_run(writer: &mut DeliveryWriter, run: &Reported) -> Result<(), Failure> {
    for test in &run.tests {
        writer.append(Test::table(), &test.values())?;
    }
    Ok(())
}

fn info(key: &str) -> DeliveryInfo {
    DeliveryInfo {
        key: DeliveryKey { scope: "measure".to_owned(), key: key.to_owned() },
        body_hash: 0,
        source: "reports".to_owned(),
        kind: "junit".to_owned(),
        project: None,
        received_at: Timestamp::from_seconds(FIRST_DAY),
        size_bytes: 0,
        problems: Problems::new(),
        permanent: false,
    }
}

/// What one run reported.
struct Reported {
    key: String,
    tests: Vec<Test>,
}

fn report(catalogue: &[Test], service: u64, day: u64, run: u64) -> Reported {
    let mut chance = (service * 1_000_003 + day * 10_007 + run) | 1;
    let run_id = format!("{}", 17_000_000_000 + (day * RUNS_A_DAY + run) * SERVICES + service);
    let commit = format!("{:016x}{:024x}", mixed(chance), mixed(chance + 1));
    let at = FIRST_DAY + (day * 86_400 + run * 5_400 + service * 30) as i64;
    let mut tests = catalogue.to_vec();
    for test in &mut tests {
        chance = mixed(chance);
        let milliseconds = 1 + (chance >> 8) % 40 + test.line.unwrap_or(0).unsigned_abs() % 300;
        test.run_id.clone_from(&run_id);
        test.commit_sha = Some(commit.clone());
        test.duration_seconds = Some(milliseconds as f64 / 1_000.0);
        test.at = Timestamp::from_seconds(at);
        if chance.is_multiple_of(50) {
            test.status = TestStatus::Failed;
            test.failure_kind = Some("AssertionError".to_owned());
            test.failure_message = Some(format!("expected 200 but was {}", 400 + chance % 100));
        }
    }
    Reported { key: format!("{service}-{day}-{run}"), tests }
}

/// A well-mixed next number (the finaliser of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn named(service: u64, test: u64) -> Test {
    const SUBJECTS: [&str; 10] =
        ["Cart", "Checkout", "Invoice", "Ledger", "Refund", "Session", "Shipment", "Stock", "Tax", "Voucher"];
    const DOES: [&str; 8] =
        ["rejects", "accepts", "rounds", "retries", "expires", "merges", "reports", "keeps"];
    let pick = mixed(service * 7_919 + test);
    let subject = SUBJECTS[(test / 100 % 10) as usize];
    let classname = format!("com.acme.service{service:02}.{}.{subject}Test", subject.to_lowercase());
    let name =
        format!("{}_{}_when_state_is_{:03}", DOES[(pick % 8) as usize], subject.to_lowercase(), test % 100);
    Test {
        provider: "github".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        service: Some(format!("service-{service:02}")),
        pipeline: Some("build".to_owned()),
        run_attempt: 1,
        job_id: Some("unit-tests".to_owned()),
        job_name: Some("unit tests".to_owned()),
        branch: Some("main".to_owned()),
        is_default_branch: Some(true),
        test_id: TestId::new("", &classname, &name, "", 0),
        suite: Some(format!("service{service:02}")),
        file: Some(format!("src/test/java/com/acme/service{service:02}/{subject}Test.java")),
        line: Some((pick % 900) as i64),
        classname: Some(classname),
        name,
        attempt: 1,
        is_final: true,
        ..Test::default()
    }
}
