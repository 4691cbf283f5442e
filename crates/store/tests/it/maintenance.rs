//! The store keeps itself in shape: the same work, done by its own thread.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manometer_model::Row;
use manometer_model::records::Test;
use manometer_store::{FlushPolicy, Store, StoreStats, check};

use crate::world::{TestClock, numbers, options, send};

fn open_with(data: &Path, clock: &Arc<TestClock>, flush: FlushPolicy) -> Store {
    let mut opened = options(data);
    opened.clock = Arc::clone(clock) as Arc<_>;
    opened.flush = flush;
    Store::open(opened).unwrap()
}

/// Waits for a state that must come; how long it takes does not matter.
fn until(store: &Store, reached: impl Fn(&StoreStats) -> bool) {
    let begun = Instant::now();
    while !reached(&store.stats()) {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never came: {:?}", store.stats());
        std::thread::yield_now();
    }
}

#[test]
fn rows_are_flushed_by_number_and_by_age_and_merged_when_there_are_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let policy = FlushPolicy { rows: 50, age_seconds: 60, ..FlushPolicy::default() };
    let store = open_with(folder.path(), &clock, policy);
    let tests = |stats: &StoreStats| {
        stats.tables.iter().find(|table| table.table == Test::table().name).unwrap().clone()
    };
    let mut sent = 0;
    for round in 0..4_u64 {
        send(&store, &round.to_string(), sent..sent + 50);
        sent += 50;
        until(&store, |stats| stats.journal_batches == 0);
    }
    // Each flush makes a segment for each of five days; four of one day become one.
    until(&store, |stats| tests(stats).segments == 5);
    send(&store, "few", sent..sent + 3);
    sent += 3;
    assert_eq!(store.stats().journal_batches, 1);
    clock.advance_seconds(61);
    until(&store, |stats| stats.journal_batches == 0);
    assert_eq!(numbers(&store.snapshot()), (0..sent).collect::<Vec<_>>());
    assert_eq!(store.stats().maintenance_failures, 0);
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_large_journal_found_at_a_start_is_flushed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let by_hand = FlushPolicy { background: false, ..FlushPolicy::default() };
    let store = open_with(folder.path(), &clock, by_hand);
    send(&store, "a", 0..200);
    drop(store);
    let store = open_with(folder.path(), &clock, FlushPolicy { rows: 100, ..FlushPolicy::default() });
    until(&store, |stats| stats.journal_batches == 0);
    assert_eq!(numbers(&store.snapshot()), (0..200).collect::<Vec<_>>());
}
