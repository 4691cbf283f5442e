//! Backup, restore and reading beside a process that writes.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use manometer_model::Row;
use manometer_model::records::{Run, Test};
use manometer_store::{ReadOnlyStore, check, restore};

use crate::world::{numbers, open, options, run, send, send_run, texts};

#[test]
fn a_backup_beside_a_writer_restores_to_one_moment_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("data"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for delivery in 0..120_u64 {
                send(&store, &delivery.to_string(), delivery * 10..(delivery + 1) * 10);
                if delivery % 15 == 14 {
                    store.flush().unwrap();
                    store.compact().unwrap();
                }
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut number = 0;
        while !done.load(Ordering::SeqCst) {
            let before = numbers(&store.snapshot()).len();
            let backup = folder.path().join(format!("backup-{number}"));
            let report = store.backup(&backup).unwrap();
            let after = numbers(&store.snapshot()).len();
            let restored = folder.path().join(format!("restored-{number}"));
            let restored_report = restore(&backup, &restored).unwrap();
            assert_eq!(report.files, restored_report.files);
            let found = numbers(&open(&restored).snapshot());
            assert!(found.len().is_multiple_of(10) && (before..=after).contains(&found.len()));
            assert_eq!(
                found,
                (0..found.len() as u64).collect::<Vec<_>>(),
                "what one writer sent, up to a moment"
            );
            assert!(check(&restored, &mut |_| {}).unwrap().is_sound());
            number += 1;
        }
        assert!(number > 0);
    });
}

#[test]
fn a_backup_taken_by_another_process_opens_and_knows_its_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = open(&data);
    send(&store, "a", 0..10);
    store.flush().unwrap();
    send(&store, "b", 10..20);
    send_run(&store, "c", &run(1));
    let reading = ReadOnlyStore::open(options(&data)).unwrap();
    let report = reading.backup(&folder.path().join("backup")).unwrap();
    assert!(report.linked > 0, "on one disk segments are linked, not copied");
    drop((reading, store));
    restore(&folder.path().join("backup"), &folder.path().join("restored")).unwrap();
    let restored = open(&folder.path().join("restored"));
    assert_eq!(numbers(&restored.snapshot()), (0..20).collect::<Vec<_>>());
    assert!(matches!(send(&restored, "b", 10..20), manometer_store::Outcome::Known(_)));
    assert_eq!(texts(&restored.snapshot(), Run::table(), "run_id").len(), 1);
}

#[test]
fn a_changed_or_unfinished_backup_is_refused_and_the_folder_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("data"));
    send(&store, "a", 0..10);
    let backup = folder.path().join("backup");
    store.backup(&backup).unwrap();
    let mut catalog = fs::read(backup.join("meta.db")).unwrap();
    catalog[5_000] ^= 1;
    fs::write(backup.join("meta.db"), catalog).unwrap();
    let target = folder.path().join("restored");
    let refused = restore(&backup, &target).unwrap_err().to_string();
    assert!(refused.contains("meta.db: not a usable backup: it does not match the manifest"), "{refused}");
    let unopened = manometer_store::Store::open(options(&target)).map(drop).unwrap_err().to_string();
    assert!(unopened.contains("did not finish: empty the folder"), "{unopened}");

    let escaping = fs::read_to_string(backup.join("manifest.json")).unwrap().replace("meta.db", "../meta.db");
    fs::write(backup.join("manifest.json"), escaping).unwrap();
    let refused = restore(&backup, &folder.path().join("other")).unwrap_err().to_string();
    assert!(refused.contains("`../meta.db` leads out of the folder"), "{refused}");
    fs::remove_file(backup.join("manifest.json")).unwrap();
    let refused = restore(&backup, &folder.path().join("other")).unwrap_err().to_string();
    assert!(refused.contains("the backup did not finish"), "{refused}");
}

#[test]
fn reading_beside_a_writer_sees_one_moment_and_keeps_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for part in 0..2_u64 {
        send(&store, &part.to_string(), part * 10..(part + 1) * 10);
        store.flush().unwrap();
    }
    send(&store, "journal", 20..30);
    let reading = ReadOnlyStore::open(options(folder.path())).unwrap();
    send(&store, "later", 30..40);
    store.flush().unwrap();
    store.compact().unwrap();
    assert_eq!(numbers(&store.snapshot()), (0..40).collect::<Vec<_>>());
    // Its journal rows were deleted and its segments merged away; it still reads what it saw.
    assert_eq!(numbers(&reading.snapshot()), (0..30).collect::<Vec<_>>());
    let old: Vec<_> =
        reading.snapshot().segments(Test::table()).iter().map(|held| held.path().to_owned()).collect();
    store.clean_up().unwrap();
    assert!(old.iter().all(|path| path.exists()), "its pin keeps the files");
    drop(reading);
    store.clean_up().unwrap();
    assert!(old.iter().all(|path| !path.exists()));
}

#[test]
fn files_a_reader_of_another_process_needs_survive_a_restart_of_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for part in 0..2_u64 {
        send(&store, &part.to_string(), part * 10..(part + 1) * 10);
        store.flush().unwrap();
    }
    let reading = ReadOnlyStore::open(options(folder.path())).unwrap();
    store.compact().unwrap();
    store.close();
    let store = open(folder.path());
    assert_eq!(numbers(&reading.snapshot()), (0..20).collect::<Vec<_>>());
    let old: Vec<_> =
        reading.snapshot().segments(Test::table()).iter().map(|held| held.path().to_owned()).collect();
    drop(reading);
    store.clean_up().unwrap();
    assert!(old.iter().all(|path| !path.exists()), "gone once nobody reads them");
}

#[test]
fn the_pin_of_a_reader_that_died_expires() {
    let folder = tempfile::tempdir().unwrap();
    let clock = crate::world::TestClock::new();
    let mut opened = options(folder.path());
    opened.clock = std::sync::Arc::clone(&clock) as std::sync::Arc<_>;
    let store = manometer_store::Store::open(opened.clone()).unwrap();
    for part in 0..2_u64 {
        send(&store, &part.to_string(), part * 10..(part + 1) * 10);
        store.flush().unwrap();
    }
    std::mem::forget(ReadOnlyStore::open(opened).unwrap());
    store.compact().unwrap();
    let listed: usize =
        manometer_model::stored_tables().iter().map(|table| store.snapshot().segments(table).len()).sum();
    assert!(
        crate::world::files_below(&folder.path().join("segments")) > listed,
        "the reader may need the old ones"
    );
    clock.advance_seconds(3_600);
    store.clean_up().unwrap();
    assert_eq!(crate::world::files_below(&folder.path().join("segments")), listed);
}

#[test]
fn deliveries_are_listed_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert!(store.snapshot().deliveries(10).unwrap().is_empty());
    for key in ["a", "b", "c"] {
        send(&store, key, 0..0);
    }
    send(&store, "d", 5..9);
    let batches = store.snapshot().deliveries(3).unwrap();
    let [batch] = batches.as_slice() else { panic!("{} batches", batches.len()) };
    assert_eq!(batch.schema(), manometer_store::deliveries_schema());
    let shown = |column: &str| -> Vec<String> {
        let cells = batch.column_by_name(column).unwrap();
        (0..batch.num_rows())
            .map(|row| arrow::util::display::array_value_to_string(cells, row).unwrap())
            .collect()
    };
    assert_eq!(shown("key"), ["d", "c", "b"]);
    assert_eq!(shown("row_count"), ["4", "0", "0"]);
    assert_eq!(shown("rows"), [r#"{"tests":4}"#, "{}", "{}"]);
    assert_eq!(shown("body_hash")[0], format!("{:032x}", 7));
}
