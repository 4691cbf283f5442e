//! Power cuts while the journal is written: whatever was acknowledged is there at the next start, once.
//!
//! The data folder is copied at the moment of an acknowledgement, as a disk would hold it; then what the
//! write-ahead log holds beyond the acknowledged commit is cut off, filled with noise or mixed with old pages,
//! at places drawn from a fixed seed.

use std::fs;
use std::path::Path;

use manometer_store::check;

use crate::world::{copy_folder, delivery_of, info, numbers, open, run, send, send_run};

/// A small generator with a fixed seed, so that a failure can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

fn log_of(data: &Path) -> Vec<u8> {
    fs::read(data.join("meta.db-wal")).unwrap()
}

#[test]
fn what_was_acknowledged_survives_any_tear_of_what_was_written_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut acknowledged = Vec::new();
    // At each acknowledgement: what is on the disk, and what must be found there.
    let mut moments = Vec::new();
    for delivery in 0..12_u64 {
        let rows = delivery * 7..(delivery + 1) * 7;
        send(&store, &delivery.to_string(), rows.clone());
        send_run(&store, &format!("run-{delivery}"), &run(delivery));
        acknowledged.extend(rows);
        moments.push((log_of(folder.path()).len(), acknowledged.clone()));
        if delivery == 5 {
            store.flush().unwrap();
            let length = log_of(folder.path()).len();
            moments.push((length, acknowledged.clone()));
        }
    }
    let whole = log_of(folder.path());
    let disk = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), &disk.path().join("at-the-end"));
    drop(store);

    let mut chance = Chance(20_260_304);
    for (number, (length, expected)) in moments.iter().enumerate() {
        for damage in 0..6 {
            let data = disk.path().join(format!("moment-{number}-{damage}"));
            copy_folder(&disk.path().join("at-the-end"), &data);
            let rest = whole.len() - length;
            let mut log = whole[..length + chance.below(rest + 1)].to_vec();
            let torn = &mut log[*length..];
            match damage % 3 {
                0 => {}
                1 => torn.iter_mut().for_each(|byte| *byte = 0),
                _ if !torn.is_empty() => {
                    let place = chance.below(torn.len());
                    torn[place] ^= 0x55;
                }
                _ => {}
            }
            fs::write(data.join("meta.db-wal"), &log).unwrap();
            let found = numbers(&open(&data).snapshot());
            assert!(found.windows(2).all(|pair| pair[0] != pair[1]), "moment {number}: a row twice");
            assert!(
                expected.iter().all(|row| found.binary_search(row).is_ok()),
                "moment {number}: a row is lost"
            );
            assert_eq!(found.len() % 7, 0, "moment {number}: part of a delivery");
            assert!(found.iter().all(|row| *row < 84), "moment {number}: a row nobody sent");
            assert!(check(&data, &mut |_| {}).unwrap().is_sound());
            fs::remove_dir_all(&data).unwrap();
        }
    }
}

#[test]
fn a_journal_read_back_after_a_crash_is_the_same_as_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("data"));
    for delivery in 0..5_u64 {
        send(&store, &delivery.to_string(), delivery * 3..(delivery + 1) * 3);
    }
    copy_folder(&folder.path().join("data"), &folder.path().join("crashed"));
    let crashed = open(&folder.path().join("crashed"));
    assert_eq!(numbers(&crashed.snapshot()), numbers(&store.snapshot()));
    // A sender that saw no answer sends again, and is told that it is known.
    let again = crashed.submit(delivery_of(&crashed, info("4"), 12..15)).unwrap().wait().unwrap();
    assert!(matches!(again, manometer_store::Outcome::Known(_)));
    assert_eq!(numbers(&crashed.snapshot()), numbers(&store.snapshot()));
}

#[test]
fn segments_placed_but_not_listed_are_swept_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = open(&data);
    send(&store, "a", 0..10);
    // As a crash between placing the files and listing them leaves it.
    let stray = data.join("segments/tests/day=2026-03-04");
    fs::create_dir_all(&stray).unwrap();
    fs::write(stray.join("000000000099.parquet"), "whole or not, nobody knows it").unwrap();
    fs::write(data.join("tmp/000000000100.parquet"), "half").unwrap();
    drop(store);
    let noted = check(&data, &mut |_| {}).unwrap();
    assert!(noted.is_sound());
    assert_eq!(noted.notes.len(), 1);
    let store = open(&data);
    assert!(!stray.join("000000000099.parquet").exists());
    assert_eq!(fs::read_dir(data.join("tmp")).unwrap().count(), 0);
    assert_eq!(numbers(&store.snapshot()), (0..10).collect::<Vec<_>>());
}
