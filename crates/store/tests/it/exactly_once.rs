//! Readers beside writers, flushes and compactions: each snapshot holds every acknowledged row once and
//! nothing else.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use manometer_store::{Outcome, check};

use crate::world::{delivery_of, info, numbers, open, send};

const WRITERS: u64 = 3;
const DELIVERIES: u64 = 40;
const ROWS: u64 = 25;

#[test]
fn every_snapshot_shows_each_acknowledged_row_once_while_all_of_it_moves() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let acknowledged: Mutex<Vec<u64>> = Mutex::default();
    let writing = AtomicU64::new(WRITERS);
    let snapshots = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, acknowledged, writing) = (&store, &acknowledged, &writing);
            scope.spawn(move || {
                for number in 0..DELIVERIES {
                    let delivery = writer * DELIVERIES + number;
                    let rows = delivery * ROWS..(delivery + 1) * ROWS;
                    send(store, &delivery.to_string(), rows.clone());
                    acknowledged.lock().unwrap().extend(rows);
                }
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while writing.load(Ordering::SeqCst) > 0 {
                    let before = acknowledged.lock().unwrap().clone();
                    let seen = numbers(&store.snapshot());
                    let distinct: HashSet<u64> = seen.iter().copied().collect();
                    assert_eq!(distinct.len(), seen.len(), "a row was seen twice");
                    assert!(
                        before.iter().all(|row| distinct.contains(row)),
                        "an acknowledged row was not seen"
                    );
                    assert!(seen.iter().all(|row| *row < WRITERS * DELIVERIES * ROWS), "a row nobody sent");
                    assert_eq!(seen.len() as u64 % ROWS, 0, "part of a delivery was seen");
                    snapshots.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        scope.spawn(|| {
            while writing.load(Ordering::SeqCst) > 0 {
                store.flush().unwrap();
                store.compact().unwrap();
            }
        });
    });
    assert!(snapshots.load(Ordering::SeqCst) > 0);
    assert_eq!(numbers(&store.snapshot()), (0..WRITERS * DELIVERIES * ROWS).collect::<Vec<_>>());
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_snapshot_kept_through_flush_and_compaction_stays_readable_and_then_lets_its_files_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for part in 0..2_u64 {
        send(&store, &part.to_string(), part * 10..(part + 1) * 10);
        store.flush().unwrap();
    }
    let kept = store.snapshot();
    store.compact().unwrap();
    let old: Vec<_> =
        kept.segments(&manometer_model::records::TESTS).iter().map(|held| held.path().to_owned()).collect();
    assert_eq!(numbers(&kept), (0..20).collect::<Vec<_>>());
    assert!(old.iter().all(|path| path.exists()));
    drop(kept);
    store.clean_up().unwrap();
    assert!(old.iter().all(|path| !path.exists()));
    assert_eq!(numbers(&store.snapshot()), (0..20).collect::<Vec<_>>());
}

#[test]
fn racing_threads_with_one_key_have_one_effect() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let go = AtomicBool::new(false);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u64)
            .map(|thread| {
                let (store, go) = (&store, &go);
                scope.spawn(move || {
                    let mut racing = info("one key");
                    racing.body_hash = u128::from(thread % 2);
                    let delivery = delivery_of(store, racing, 0..50);
                    while !go.load(Ordering::Acquire) {
                        std::hint::spin_loop();
                    }
                    store.submit(delivery).unwrap().wait().unwrap()
                })
            })
            .collect();
        go.store(true, Ordering::Release);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let committed: Vec<_> =
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Committed(_))).collect();
    assert_eq!(committed.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| outcome.receipt() == committed[0].receipt()));
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Known(_))).count(), 3);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Conflict(_))).count(), 4);
    assert_eq!(numbers(&store.snapshot()), (0..50).collect::<Vec<_>>());
}
