//! A full disk: refused clearly, nothing lost, and taken up again by itself.

use std::sync::Arc;

use manometer_model::Row;
use manometer_model::records::Test;
use manometer_store::{CommitError, Health, Outcome, Store, StoreError, SubmitError, check};

use crate::world::{TestClock, delivery_of, files_below, info, numbers, open, options, send, test_result};

/// Fills the store until it says that there is no space; returns how many deliveries were acknowledged.
fn fill(store: &Store) -> u64 {
    for number in 0.. {
        let delivery = delivery_of(store, info(&number.to_string()), number * 100..(number + 1) * 100);
        match store.submit(delivery).unwrap().wait() {
            Ok(Outcome::Committed(_)) => {}
            Err(CommitError::DiskFull) => return number,
            other => panic!("{other:?}"),
        }
    }
    unreachable!("the limit is reached before")
}

#[test]
fn a_full_disk_is_told_and_recovered_from_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let mut opened = options(folder.path());
    opened.clock = Arc::clone(&clock) as Arc<_>;
    let store = Store::open(opened).unwrap();
    store.limit_catalog_bytes(Some(400 << 10)).unwrap();
    let taken = fill(&store);
    assert!(taken > 3, "some were taken before the limit");
    assert_eq!(store.health(), Health::DiskFull);
    let expected: Vec<u64> = (0..taken * 100).collect();
    assert_eq!(numbers(&store.snapshot()), expected, "nothing of the refused delivery is seen");

    let at_once = store.submit(delivery_of(&store, info("at once"), 0..1)).unwrap_err();
    assert_eq!(at_once, SubmitError::DiskFull, "within a second it is refused without being tried");
    clock.advance_seconds(1);
    let probe = store.submit(delivery_of(&store, info("probe"), 0..100)).unwrap().wait();
    assert_eq!(
        probe.unwrap_err(),
        CommitError::DiskFull,
        "after a second one is tried, and there is still no space"
    );

    store.limit_catalog_bytes(None).unwrap();
    clock.advance_seconds(1);
    let refused_before =
        store.submit(delivery_of(&store, info(&taken.to_string()), taken * 100..(taken + 1) * 100));
    assert!(
        matches!(refused_before.unwrap().wait().unwrap(), Outcome::Committed(_)),
        "it is not taken for known"
    );
    assert_eq!(store.health(), Health::Ready);
    store.flush().unwrap();
    assert_eq!(numbers(&store.snapshot()), (0..(taken + 1) * 100).collect::<Vec<_>>());
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
    assert_eq!(numbers(&open(folder.path()).snapshot()).len() as u64, (taken + 1) * 100);
}

#[test]
fn a_flush_whose_listing_finds_no_space_leaves_no_files_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // Segments list their projects: with long names the listing needs more pages than the journal has.
    let mut writer = store.writer();
    for number in 0..300 {
        let mut row = test_result(number);
        row.project = format!("github.com/{}/{}", "long".repeat(200), number % 60);
        writer.append(Test::table(), &row.values()).unwrap();
    }
    store.submit(writer.finish(info("a")).unwrap()).unwrap().wait().unwrap();
    store.limit_catalog_bytes(Some(1)).unwrap();
    let refused = store.flush().unwrap_err();
    assert!(matches!(refused, StoreError::DiskFull { .. }), "{refused}");
    assert_eq!(numbers(&store.snapshot()), (0..300).collect::<Vec<_>>());
    assert_eq!(store.snapshot().segments(Test::table()).len(), 0);
    assert_eq!(files_below(&folder.path().join("segments")), 0);

    store.limit_catalog_bytes(None).unwrap();
    store.flush().unwrap();
    assert_eq!(numbers(&store.snapshot()), (0..300).collect::<Vec<_>>());
    store.close();
    let report = check(folder.path(), &mut |_| {}).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
}

#[test]
fn any_other_failure_of_a_commit_stops_all_writing_until_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "a", 0..10);
    let other = rusqlite::Connection::open(folder.path().join("meta.db")).unwrap();
    other.execute_batch("ALTER TABLE journal RENAME TO journal_moved").unwrap();
    let failed = store.submit(delivery_of(&store, info("b"), 10..20)).unwrap().wait().unwrap_err();
    assert!(
        matches!(&failed, CommitError::Poisoned { reason } if reason.contains("no such table")),
        "{failed:?}"
    );
    other.execute_batch("ALTER TABLE journal_moved RENAME TO journal").unwrap();
    drop(other);
    let refused = store.submit(delivery_of(&store, info("c"), 20..30)).unwrap_err();
    assert!(matches!(refused, SubmitError::Poisoned { .. }), "also when the cause is gone");
    assert!(matches!(store.health(), Health::Poisoned { .. }));
    assert!(matches!(store.flush(), Err(StoreError::Poisoned { .. })));
    assert_eq!(numbers(&store.snapshot()), (0..10).collect::<Vec<_>>(), "reading goes on");
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.health(), Health::Ready);
    send(&store, "b", 10..20);
    assert_eq!(numbers(&store.snapshot()), (0..20).collect::<Vec<_>>());
}

#[test]
fn past_the_queue_deliveries_are_refused_and_told_when_to_return() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = options(folder.path());
    opened.flush.memory_bytes = 1_000;
    let store = Store::open(opened).unwrap();
    send(&store, "a", 0..100);
    let refused = store.submit(delivery_of(&store, info("b"), 100..101)).unwrap_err();
    assert_eq!(refused, SubmitError::Overloaded { retry_after_seconds: 5 }, "flushing lags too far behind");
    store.flush().unwrap();
    send(&store, "b", 100..101);
    assert_eq!(numbers(&store.snapshot()), (0..101).collect::<Vec<_>>());
}

#[test]
fn who_can_wait_gets_room_when_a_flush_makes_some_and_is_refused_when_none_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = options(folder.path());
    opened.flush.memory_bytes = 1_000;
    let store = Store::open(opened).unwrap();
    assert_eq!(store.wait_for_room(), Ok(()), "there is room from the beginning");
    send(&store, "a", 0..100);
    let lagging = SubmitError::Overloaded { retry_after_seconds: 5 };
    assert_eq!(store.wait_for_room(), Err(lagging), "nobody flushes");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| while store.wait_for_room().is_err() {});
        store.flush().unwrap();
        waiting.join().unwrap();
    });
    assert_eq!(store.wait_for_room(), Ok(()));
    send(&store, "b", 100..101);
}

#[test]
fn a_closed_store_refuses_and_commits_what_was_queued_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let also = store.clone();
    let pending: Vec<_> = (0..20_u64)
        .map(|number| {
            store
                .submit(delivery_of(&store, info(&number.to_string()), number * 5..(number + 1) * 5))
                .unwrap()
        })
        .collect();
    let late = delivery_of(&also, info("late"), 500..501);
    store.close();
    for receipt in pending {
        assert!(matches!(receipt.wait().unwrap(), Outcome::Committed(_)));
    }
    assert_eq!(also.submit(late).unwrap_err(), SubmitError::Closed);
    assert!(matches!(also.flush(), Err(StoreError::Closed)));
    assert_eq!(numbers(&open(folder.path()).snapshot()), (0..100).collect::<Vec<_>>());
}
