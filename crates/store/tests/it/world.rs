//! What the tests share: a clock they move, options without background work, rows, and reading everything back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{AsArray, RecordBatch};
use manometer_model::records::{Run, Test};
use manometer_model::{Clock, Problems, Row, Table, TestId, Timestamp};
use manometer_store::{
    Delivery, DeliveryInfo, DeliveryKey, FlushPolicy, Outcome, Snapshot, Store, StoreOptions,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// 2026-03-04T05:00:00Z, a Wednesday.
pub const START: i64 = 1_772_600_400;

#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(Timestamp::from_seconds(START).as_micros())))
    }

    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Options without background work: tests flush and compact when they mean to.
pub fn options(data: &Path) -> StoreOptions {
    StoreOptions {
        clock: TestClock::new(),
        flush: FlushPolicy { background: false, ..FlushPolicy::default() },
        ..StoreOptions::new(data)
    }
}

pub fn open(data: &Path) -> Store {
    Store::open(options(data)).unwrap()
}

pub fn info(key: &str) -> DeliveryInfo {
    DeliveryInfo {
        key: DeliveryKey { scope: "test".to_owned(), key: key.to_owned() },
        body_hash: 7,
        source: "reports".to_owned(),
        kind: "junit".to_owned(),
        project: Some("github.com/acme/shop".to_owned()),
        received_at: Timestamp::from_seconds(START),
        size_bytes: 100,
        problems: Problems::new(),
        permanent: false,
    }
}

/// A test result told apart from all others by its number; its day and order vary with it.
pub fn test_result(number: u64) -> Test {
    let name = format!("case-{number:08}");
    Test {
        provider: "github".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        service: (!number.is_multiple_of(3)).then(|| format!("service-{}", number % 3)),
        run_id: format!("{}", number / 100),
        run_attempt: 1,
        test_id: TestId::new("suite", "class", &name, "", 0),
        classname: Some("com.acme.CartTest".to_owned()),
        name,
        duration_seconds: Some(number as f64 / 1000.0),
        attempt: 1,
        is_final: true,
        at: Timestamp::from_seconds(START + (number % 5) as i64 * 86_400 + (number % 977) as i64),
        ..Test::default()
    }
}

pub fn run(number: u64) -> Run {
    Run {
        provider: "github".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        run_id: number.to_string(),
        attempt: 1,
        ..Run::default()
    }
}

pub fn delivery_of(store: &Store, info: DeliveryInfo, tests: impl Iterator<Item = u64>) -> Delivery {
    let mut writer = store.writer();
    for number in tests {
        let test = test_result(number);
        writer.append(Test::table(), &test.values()).unwrap();
    }
    writer.finish(info).unwrap()
}

pub fn send(store: &Store, key: &str, tests: impl Iterator<Item = u64>) -> Outcome {
    store.submit(delivery_of(store, info(key), tests)).unwrap().wait().unwrap()
}

pub fn send_run(store: &Store, key: &str, run: &Run) -> Outcome {
    let mut writer = store.writer();
    writer.append(Run::table(), &run.values()).unwrap();
    store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap()
}

/// Every batch of a table: from segment files and from memory.
pub fn all_batches(snapshot: &Snapshot, table: &'static Table) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for segment in snapshot.segments(table) {
        let file = std::fs::File::open(segment.path()).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            batches.push(batch.unwrap());
        }
    }
    batches.extend(snapshot.batches(table).unwrap());
    batches
}

/// The numbers of all test results a snapshot shows, sorted; a row seen twice is there twice.
pub fn numbers(snapshot: &Snapshot) -> Vec<u64> {
    let mut numbers = Vec::new();
    for batch in all_batches(snapshot, Test::table()) {
        let names = batch.column_by_name("name").unwrap().as_string_view();
        numbers.extend(
            names.iter().map(|name| name.unwrap().strip_prefix("case-").unwrap().parse::<u64>().unwrap()),
        );
    }
    numbers.sort_unstable();
    assert_eq!(numbers.len() as u64, snapshot.rows(Test::table()), "rows() and the rows themselves differ");
    numbers
}

/// One text column of a table, row by row.
pub fn texts(snapshot: &Snapshot, table: &'static Table, column: &str) -> Vec<Option<String>> {
    let mut texts = Vec::new();
    for batch in all_batches(snapshot, table) {
        let cells = batch.column_by_name(column).unwrap().as_string_view().clone();
        texts.extend(cells.iter().map(|cell| cell.map(str::to_owned)));
    }
    texts
}

/// Copies a folder with everything in it, except what SQLite builds anew by itself.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let found = entry.unwrap();
        let target = to.join(found.file_name());
        if found.file_type().unwrap().is_dir() {
            copy_folder(&found.path(), &target);
        } else if !found.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(found.path(), target).unwrap();
        }
    }
}

/// How many files lie below a folder.
pub fn files_below(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let found = entry.unwrap();
        count += if found.file_type().unwrap().is_dir() { files_below(&found.path()) } else { 1 };
    }
    count
}
