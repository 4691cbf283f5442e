//! Commit, flush, compaction and reopening: each row is there once.

use manometer_model::Row;
use manometer_model::records::{Run, Test};
use manometer_store::{Outcome, Store, StoreOptions};

use crate::world::{
    TestClock, all_batches, delivery_of, info, numbers, open, options, run, send, send_run, texts,
};

#[test]
fn rows_are_seen_once_from_commit_through_flush_and_compaction_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let expected: Vec<u64> = (0..900).collect();
    {
        let store = open(folder.path());
        for part in 0..3_u64 {
            let outcome = send(&store, &format!("part-{part}"), part * 300..(part + 1) * 300);
            assert_eq!(outcome.receipt().rows["tests"], 300);
            if part < 2 {
                let report = store.flush().unwrap();
                assert_eq!((report.rows, report.segments), (300, 5), "one segment for each of five days");
            }
        }
        assert_eq!(numbers(&store.snapshot()), expected);
        store.flush().unwrap();
        assert_eq!(numbers(&store.snapshot()), expected);
        let report = store.compact().unwrap();
        assert_eq!((report.segments_before, report.segments_after, report.rows), (15, 5, 900));
        assert_eq!(numbers(&store.snapshot()), expected);
    }
    let store = open(folder.path());
    assert_eq!(numbers(&store.snapshot()), expected);
    assert_eq!(store.snapshot().segments(Test::table()).len(), 5);
}

#[test]
fn an_unflushed_journal_is_read_back_at_the_next_start_and_flushed_then() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = open(folder.path());
        send(&store, "a", 0..10);
        send(&store, "b", 10..20);
        send_run(&store, "c", &run(1));
    }
    let store = open(folder.path());
    let before_flush = store.snapshot();
    store.flush().unwrap();
    let expected: Vec<u64> = (0..20).collect();
    assert_eq!(numbers(&before_flush), expected, "a snapshot taken before the flush, read after it");
    assert_eq!(numbers(&store.snapshot()), expected);
    assert_eq!(texts(&store.snapshot(), Run::table(), "run_id"), [Some("1".to_owned())]);
}

#[test]
fn the_same_key_has_one_effect() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let Outcome::Committed(first) = send(&store, "k", 0..5) else { panic!("not committed") };
    assert_eq!(send(&store, "k", 0..5), Outcome::Known(first.clone()));
    let mut other_body = info("k");
    other_body.body_hash = 8;
    let answer = store.submit(delivery_of(&store, other_body, 5..9)).unwrap().wait().unwrap();
    assert_eq!(answer, Outcome::Conflict(first.clone()));
    assert_eq!(numbers(&store.snapshot()), (0..5).collect::<Vec<_>>());
    let known = store.known(&info("k").key).unwrap().unwrap();
    assert_eq!((known.receipt, known.body_hash), (first, 7));
}

#[test]
fn segments_are_sorted_by_the_order_of_their_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "a", (0..400).rev());
    store.flush().unwrap();
    for batch in all_batches(&store.snapshot(), Test::table()) {
        let service = batch.column_by_name("service").unwrap();
        let name = batch.column_by_name("name").unwrap();
        let keys: Vec<_> = texts_of(service).into_iter().zip(texts_of(name)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}

#[test]
fn small_days_that_are_over_share_the_segments_of_their_month() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let store = Store::open(StoreOptions { clock: clock.clone(), ..options(folder.path()) }).unwrap();
    send(&store, "a", 0..400);
    store.flush().unwrap();
    store.compact().unwrap();
    assert_eq!(store.snapshot().segments(Test::table()).len(), 5, "a day that is not over keeps to itself");

    clock.advance_seconds(40 * 86_400);
    store.compact().unwrap();
    send(&store, "late", 400..500);
    store.flush().unwrap();
    store.compact().unwrap();
    let snapshot = store.snapshot();
    let files: Vec<_> =
        snapshot.segments(Test::table()).iter().map(|segment| segment.path().to_owned()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].to_string_lossy().contains("month=2026-03"), "{files:?}");
    assert_eq!(numbers(&snapshot), (0..500).collect::<Vec<_>>());
    drop(snapshot);
    store.close();
    assert_eq!(numbers(&open(folder.path()).snapshot()), (0..500).collect::<Vec<_>>());
    assert!(manometer_store::check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

fn texts_of(column: &arrow::array::ArrayRef) -> Vec<Option<String>> {
    use arrow::array::AsArray;
    column.as_string_view().iter().map(|text| text.map(str::to_owned)).collect()
}
