//! Every file operation of flush, compaction and backup fails once, each in its own run: nothing that was
//! acknowledged is lost or doubled, nothing is left lying about, and the next attempt works.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manometer_model::Retention;
use manometer_model::retention::RetentionSettings;
use manometer_store::{Health, Store, StoreError, check};

use crate::companions::forget_companions;
use crate::faulty_filesystem::{Fault, FaultyFilesystem, Unsynced};
use crate::world::{TestClock, copy_folder, numbers, open, options, send};

type Operation = fn(&Store, &Path) -> Result<(), StoreError>;

fn flush(store: &Store, _spare: &Path) -> Result<(), StoreError> {
    store.flush().map(drop)
}

fn compact(store: &Store, _spare: &Path) -> Result<(), StoreError> {
    store.compact().map(drop)
}

fn retain(store: &Store, _spare: &Path) -> Result<(), StoreError> {
    store.retain().map(drop)
}

fn backup(store: &Store, spare: &Path) -> Result<(), StoreError> {
    store.backup(&spare.join("backup")).map(drop)
}

/// 60 rows: 40 in segments of two days (two flushes), 20 in the journal, of two other days.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("data"));
    for part in 0..3_u64 {
        send(&store, &format!("part-{part}"), expected().into_iter().skip(part as usize * 20).take(20));
        if part < 2 {
            store.flush().unwrap();
        }
    }
    folder
}

/// The same, of a time when there were no roll-ups: no segment has companions. Merged, so that compaction has nothing
/// else to do.
fn prepared_without_companions() -> tempfile::TempDir {
    let folder = prepared();
    let data = folder.path().join("data");
    let store = open(&data);
    store.flush().unwrap();
    store.compact().unwrap();
    store.close();
    forget_companions(&data);
    open(&data).close();
    folder
}

fn expected() -> Vec<u64> {
    // The remainder by five is the day.
    (0..60).map(|number| number * 5 + number % 2 + if number < 40 { 0 } else { 2 }).collect()
}

/// Rows that retention leaves on the sixth day: day 0 goes whole, days 1 and 2 but for one service, day 3 not at all.
fn needed() -> Vec<u64> {
    let is_needed = |number: &u64| match number % 5 {
        0 => false,
        1 | 2 => number % 3 == 1,
        _ => true,
    };
    expected().into_iter().filter(is_needed).collect()
}

/// The terms that leave those rows.
fn terms() -> Retention {
    let settings = r#"{"tests": "2 days", "rules": [
        {"table": "tests", "where": {"service": "service-1"}, "keep": "4 days"}]}"#;
    serde_json::from_str::<RetentionSettings>(settings).unwrap().resolve().unwrap()
}

/// What is tried, and the rows it leaves.
struct Case {
    prepared: fn() -> tempfile::TempDir,
    operation: Operation,
    retention: Retention,
    days_later: i64,
    after: Vec<u64>,
}

impl Case {
    fn moving_rows(operation: Operation) -> Self {
        Self { prepared, operation, retention: Retention::forever(), days_later: 0, after: expected() }
    }

    fn rolling_up() -> Self {
        Self { prepared: prepared_without_companions, ..Self::moving_rows(compact) }
    }

    fn retaining() -> Self {
        Self { prepared, operation: retain, retention: terms(), days_later: 5, after: needed() }
    }

    /// In the middle of the operation: nothing twice, nothing needed missing, nothing that was never there.
    fn is_between(&self, rows: &[u64]) -> bool {
        rows.is_sorted_by(|left, right| left < right)
            && self.after.iter().all(|row| rows.contains(row))
            && rows.iter().all(|row| expected().contains(row))
    }
}

/// A copy of the prepared folder, opened on a file system that can fail.
struct Attempt {
    folder: tempfile::TempDir,
    filesystem: FaultyFilesystem,
}

impl Attempt {
    fn new(template: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(template, folder.path());
        let filesystem = FaultyFilesystem::new(&folder.path().join("graves"));
        Self { folder, filesystem }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn open(&self, case: &Case) -> Store {
        let mut opened = options(&self.data());
        let clock = TestClock::new();
        clock.advance_seconds(case.days_later * 86_400);
        opened.clock = clock;
        opened.retention = case.retention.clone();
        opened.filesystem = Arc::new(self.filesystem.clone());
        Store::open(opened).unwrap()
    }
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Fails call after call until the operation runs through; returns how many calls it has.
fn fail_each_call(case: &Case, fault: Fault) -> u64 {
    let template = (case.prepared)();
    for number in 1.. {
        let attempt = Attempt::new(template.path());
        let store = attempt.open(case);
        attempt.filesystem.fail_call(number, fault);
        let outcome = (case.operation)(&store, attempt.folder.path());
        if !attempt.filesystem.has_failed() {
            outcome.unwrap();
            assert_eq!(numbers(&store.snapshot()), case.after);
            return number - 1;
        }
        let seen = numbers(&store.snapshot());
        assert!(case.is_between(&seen), "after call {number} failed with {fault:?}: {seen:?}");
        assert_eq!(store.health(), Health::Ready);
        if outcome.is_err() {
            (case.operation)(&store, attempt.folder.path()).unwrap();
            assert_eq!(
                numbers(&store.snapshot()),
                case.after,
                "after call {number} failed and a second attempt"
            );
        }
        send(&store, "later", 1000..1010);
        store.close();
        // What the second attempt relied on must be on the disk, also what the failed one had made.
        attempt.filesystem.cut_power(Unsynced::Dropped);
        let rows = [case.after.clone(), (1000..1010).collect()].concat();
        sound_with(&attempt.data(), |seen| *seen == rows, number);
    }
    unreachable!("the loop ends when no call is left to fail")
}

fn sound_with(data: &Path, is_right: impl Fn(&Vec<u64>) -> bool, number: u64) {
    let store = open(data);
    let seen = numbers(&store.snapshot());
    assert!(is_right(&seen), "reopened after call {number}: {seen:?}");
    assert_eq!(files_in(&data.join("tmp")), 0, "tmp/ is swept");
    drop(store);
    let report = check(data, &mut |_| {}).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "after call {number}: {report:?}");
}

/// Ends the process before call after call and at last after the whole operation, cuts the power, and starts
/// again.
fn die_at_each_call(case: &Case, unsynced: Unsynced) -> u64 {
    let template = (case.prepared)();
    for number in 1.. {
        let attempt = Attempt::new(template.path());
        let store = attempt.open(case);
        attempt.filesystem.die_at_call(number);
        let outcome = (case.operation)(&store, attempt.folder.path());
        drop(store);
        let finished = !attempt.filesystem.has_failed();
        attempt.filesystem.cut_power(unsynced);
        sound_with(&attempt.data(), |seen| case.is_between(seen), number);
        if finished {
            outcome.unwrap();
            sound_with(&attempt.data(), |seen| *seen == case.after, number);
            return number - 1;
        }
        // What was not finished is done by the next process.
        attempt.filesystem.die_at_call(u64::MAX);
        let store = attempt.open(case);
        (case.operation)(&store, &attempt.folder.path().join("again")).unwrap();
        assert_eq!(numbers(&store.snapshot()), case.after, "finished after a start, call {number}");
    }
    unreachable!("the loop ends when no call is left to die at")
}

#[test]
fn a_flush_survives_no_space_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(flush), Fault::NoSpace) > 12);
}

#[test]
fn a_flush_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(flush), Fault::Broken) > 12);
}

#[test]
fn a_flush_survives_a_short_write_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(flush), Fault::ShortWrite) > 12);
}

#[test]
fn a_flush_survives_a_power_cut_before_every_call() {
    assert!(die_at_each_call(&Case::moving_rows(flush), Unsynced::Dropped) > 12);
    assert!(die_at_each_call(&Case::moving_rows(flush), Unsynced::Torn) > 12);
}

#[test]
fn a_compaction_survives_no_space_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(compact), Fault::NoSpace) > 15);
}

#[test]
fn a_compaction_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(compact), Fault::Broken) > 15);
}

#[test]
fn a_compaction_survives_a_power_cut_before_every_call() {
    assert!(die_at_each_call(&Case::moving_rows(compact), Unsynced::Dropped) > 15);
    assert!(die_at_each_call(&Case::moving_rows(compact), Unsynced::Torn) > 15);
}

#[test]
fn retention_survives_no_space_at_every_call() {
    assert!(fail_each_call(&Case::retaining(), Fault::NoSpace) > 25);
}

#[test]
fn retention_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(&Case::retaining(), Fault::Broken) > 25);
}

#[test]
fn retention_survives_a_short_write_at_every_call() {
    assert!(fail_each_call(&Case::retaining(), Fault::ShortWrite) > 25);
}

#[test]
fn retention_survives_a_power_cut_before_every_call() {
    assert!(die_at_each_call(&Case::retaining(), Unsynced::Dropped) > 25);
    assert!(die_at_each_call(&Case::retaining(), Unsynced::Torn) > 25);
}

#[test]
fn rolling_up_survives_no_space_and_an_io_error_at_every_call() {
    assert!(fail_each_call(&Case::rolling_up(), Fault::NoSpace) > 15);
    assert!(fail_each_call(&Case::rolling_up(), Fault::Broken) > 15);
}

#[test]
fn rolling_up_survives_a_power_cut_before_every_call() {
    assert!(die_at_each_call(&Case::rolling_up(), Unsynced::Dropped) > 15);
    assert!(die_at_each_call(&Case::rolling_up(), Unsynced::Torn) > 15);
}

#[test]
fn a_backup_survives_no_space_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(backup), Fault::NoSpace) > 10);
}

#[test]
fn a_backup_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(&Case::moving_rows(backup), Fault::Broken) > 10);
}

#[test]
fn a_full_disk_is_named_as_such() {
    let template = prepared();
    let attempt = Attempt::new(template.path());
    let store = attempt.open(&Case::moving_rows(flush));
    attempt.filesystem.fail_call(2, Fault::NoSpace);
    let refused = store.flush().unwrap_err();
    assert!(matches!(refused, StoreError::DiskFull { .. }), "{refused:?}");
    assert!(refused.to_string().starts_with("no space left for "), "{refused}");
}
