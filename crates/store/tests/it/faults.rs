//! Every file operation of flush, compaction and backup fails once, each in its own run: nothing that was
//! acknowledged is lost or doubled, nothing is left lying about, and the next attempt works.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manometer_store::{Health, Store, StoreError, check};

use crate::companions::forget_companions;
use crate::faulty_filesystem::{Fault, FaultyFilesystem, Unsynced};
use crate::world::{copy_folder, numbers, open, options, send};

type Operation = fn(&Store, &Path) -> Result<(), StoreError>;

fn flush(store: &Store, _spare: &Path) -> Result<(), StoreError> {
    store.flush().map(drop)
}

fn compact(store: &Store, _spare: &Path) -> Result<(), StoreError> {
    store.compact().map(drop)
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

    fn open(&self) -> Store {
        let mut opened = options(&self.data());
        opened.filesystem = Arc::new(self.filesystem.clone());
        Store::open(opened).unwrap()
    }
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// Fails call after call until the operation runs through; returns how many calls it has.
fn fail_each_call(operation: Operation, fault: Fault) -> u64 {
    fail_each_call_on(&prepared(), operation, fault)
}

fn fail_each_call_on(template: &tempfile::TempDir, operation: Operation, fault: Fault) -> u64 {
    for number in 1.. {
        let attempt = Attempt::new(template.path());
        let store = attempt.open();
        attempt.filesystem.fail_call(number, fault);
        let outcome = operation(&store, attempt.folder.path());
        if !attempt.filesystem.has_failed() {
            outcome.unwrap();
            return number - 1;
        }
        assert_eq!(numbers(&store.snapshot()), expected(), "after call {number} failed with {fault:?}");
        assert_eq!(store.health(), Health::Ready);
        if outcome.is_err() {
            operation(&store, attempt.folder.path()).unwrap();
            assert_eq!(
                numbers(&store.snapshot()),
                expected(),
                "after call {number} failed and a second attempt"
            );
        }
        send(&store, "later", 1000..1010);
        store.close();
        // What the second attempt relied on must be on the disk, also what the failed one had made.
        attempt.filesystem.cut_power(Unsynced::Dropped);
        sound_with(&attempt.data(), &[expected(), (1000..1010).collect()].concat(), number);
    }
    unreachable!("the loop ends when no call is left to fail")
}

fn sound_with(data: &Path, rows: &[u64], number: u64) {
    let store = open(data);
    assert_eq!(numbers(&store.snapshot()), rows, "reopened after call {number}");
    assert_eq!(files_in(&data.join("tmp")), 0, "tmp/ is swept");
    drop(store);
    let report = check(data, &mut |_| {}).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "after call {number}: {report:?}");
}

/// Ends the process before call after call and at last after the whole operation, cuts the power, and starts
/// again.
fn die_at_each_call(operation: Operation, unsynced: Unsynced) -> u64 {
    die_at_each_call_on(&prepared(), operation, unsynced)
}

fn die_at_each_call_on(template: &tempfile::TempDir, operation: Operation, unsynced: Unsynced) -> u64 {
    for number in 1.. {
        let attempt = Attempt::new(template.path());
        let store = attempt.open();
        attempt.filesystem.die_at_call(number);
        let outcome = operation(&store, attempt.folder.path());
        drop(store);
        let finished = !attempt.filesystem.has_failed();
        attempt.filesystem.cut_power(unsynced);
        sound_with(&attempt.data(), &expected(), number);
        if finished {
            outcome.unwrap();
            return number - 1;
        }
    }
    unreachable!("the loop ends when no call is left to die at")
}

#[test]
fn a_flush_survives_no_space_at_every_call() {
    assert!(fail_each_call(flush, Fault::NoSpace) > 12);
}

#[test]
fn a_flush_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(flush, Fault::Broken) > 12);
}

#[test]
fn a_flush_survives_a_short_write_at_every_call() {
    assert!(fail_each_call(flush, Fault::ShortWrite) > 12);
}

#[test]
fn a_flush_survives_a_power_cut_before_every_call() {
    assert!(die_at_each_call(flush, Unsynced::Dropped) > 12);
    assert!(die_at_each_call(flush, Unsynced::Torn) > 12);
}

#[test]
fn a_compaction_survives_no_space_at_every_call() {
    assert!(fail_each_call(compact, Fault::NoSpace) > 15);
}

#[test]
fn a_compaction_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(compact, Fault::Broken) > 15);
}

#[test]
fn a_compaction_survives_a_power_cut_before_every_call() {
    assert!(die_at_each_call(compact, Unsynced::Dropped) > 15);
    assert!(die_at_each_call(compact, Unsynced::Torn) > 15);
}

#[test]
fn rolling_up_survives_no_space_and_an_io_error_at_every_call() {
    let template = prepared_without_companions();
    assert!(fail_each_call_on(&template, compact, Fault::NoSpace) > 15);
    assert!(fail_each_call_on(&template, compact, Fault::Broken) > 15);
}

#[test]
fn rolling_up_survives_a_power_cut_before_every_call() {
    let template = prepared_without_companions();
    assert!(die_at_each_call_on(&template, compact, Unsynced::Dropped) > 15);
    assert!(die_at_each_call_on(&template, compact, Unsynced::Torn) > 15);
}

#[test]
fn a_backup_survives_no_space_at_every_call() {
    assert!(fail_each_call(backup, Fault::NoSpace) > 10);
}

#[test]
fn a_backup_survives_an_io_error_at_every_call() {
    assert!(fail_each_call(backup, Fault::Broken) > 10);
}

#[test]
fn a_full_disk_is_named_as_such() {
    let template = prepared();
    let attempt = Attempt::new(template.path());
    let store = attempt.open();
    attempt.filesystem.fail_call(2, Fault::NoSpace);
    let refused = store.flush().unwrap_err();
    assert!(matches!(refused, StoreError::DiskFull { .. }), "{refused:?}");
    assert!(refused.to_string().starts_with("no space left for "), "{refused}");
}
