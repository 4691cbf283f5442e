//! The store keeps itself in shape: the same work, done by its own thread.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manometer_model::Row;
use manometer_model::records::Test;
use manometer_store::{DeliveryInfo, FlushPolicy, Outcome, Store, StoreStats, check};

use crate::world::{TestClock, delivery_of, info, numbers, options, send, test_result};

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

#[test]
fn a_delivery_is_remembered_for_its_days_and_a_permanent_one_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let store = open_with(folder.path(), &clock, FlushPolicy { background: false, ..FlushPolicy::default() });
    let send_permanent = || {
        let permanent = DeliveryInfo { permanent: true, ..info("for ever") };
        store.submit(delivery_of(&store, permanent, 7..8)).unwrap().wait().unwrap()
    };
    send(&store, "usual", 0..3);
    send_permanent();
    clock.advance_seconds(400 * 86_400);
    store.clean_up().unwrap();
    assert!(matches!(send(&store, "usual", 0..3), Outcome::Known(_)), "its last second is not over");
    clock.advance_seconds(1);
    store.clean_up().unwrap();
    assert!(matches!(send_permanent(), Outcome::Known(_)));
    assert!(matches!(send(&store, "usual", 0..3), Outcome::Committed(_)));
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn space_the_journal_needed_is_given_back_once_its_rows_are_in_segments() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(
        folder.path(),
        &TestClock::new(),
        FlushPolicy { background: false, ..FlushPolicy::default() },
    );
    let mut random = fastrand::Rng::with_seed(1);
    for delivery in 0..8_u64 {
        let mut writer = store.writer();
        for number in 0..400 {
            let noise: String =
                std::iter::repeat_with(|| random.char('\u{100}'..'\u{7ff}')).take(8_000).collect();
            let test = Test { failure_details: Some(noise), ..test_result(delivery * 400 + number) };
            writer.append(Test::table(), &test.values()).unwrap();
        }
        let delivery = writer.finish(info(&delivery.to_string())).unwrap();
        store.submit(delivery).unwrap().wait().unwrap();
    }
    store.flush().unwrap();
    store.clean_up().unwrap();
    store.close();
    let size = folder.path().join("meta.db").metadata().unwrap().len();
    assert!(size < 20 << 20, "meta.db still has {size} bytes");
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}
