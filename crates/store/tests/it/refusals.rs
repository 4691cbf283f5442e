//! What is refused, and how clearly.

use std::process::Command;

use manometer_model::records::Test;
use manometer_model::{Row, Value};
use manometer_store::{OpenError, ReadOnlyStore, Store, StoreError, check, restore};
use rusqlite::Connection;

use crate::world::{info, numbers, open, options, send, test_result};

/// Opened by the child of `a_second_process_is_refused_and_told_who_serves`.
const CHILD_OPENS: &str = "MANOMETER_STORE_TEST_CHILD_OPENS";

#[test]
fn a_second_process_is_refused_and_told_who_serves() {
    if let Some(data) = std::env::var_os(CHILD_OPENS) {
        let refused = Store::open(options(data.as_ref())).unwrap_err();
        println!("refused: {refused}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut serving = options(folder.path());
    serving.announce = Some("http://127.0.0.1:8420".to_owned());
    let store = Store::open(serving).unwrap();

    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "refusals::a_second_process_is_refused_and_told_who_serves", "--nocapture"])
        .env(CHILD_OPENS, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    let expected = format!(
        "refused: process {} has the data folder {} open, serving http://127.0.0.1:8420: \
         send to it with --server http://127.0.0.1:8420, or stop it first",
        std::process::id(),
        folder.path().display()
    );
    assert!(said.contains(&expected), "{said}");

    let within = Store::open(options(folder.path())).unwrap_err();
    assert!(matches!(within, OpenError::InUse { .. }), "a second opening inside one process too");
    store.close();
    open(folder.path());
}

#[test]
fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close();
    let catalog = Connection::open(folder.path().join("meta.db")).unwrap();
    catalog.execute("UPDATE meta SET value = 99 WHERE name = 'layout_version'", []).unwrap();
    drop(catalog);
    for refused in [
        Store::open(options(folder.path())).map(drop).unwrap_err(),
        ReadOnlyStore::open(options(folder.path())).map(drop).unwrap_err(),
    ] {
        assert!(matches!(refused, OpenError::NewerVersion { found: 99, supported: 3, .. }), "{refused}");
        assert!(refused.to_string().contains("use the newer program"), "{refused}");
    }
    let checked = check(folder.path(), &mut |_| {}).unwrap_err();
    assert!(checked.to_string().contains("layout version 99"), "{checked}");
}

#[test]
fn a_table_of_a_newer_version_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "a", 0..10);
    store.close();
    let catalog = Connection::open(folder.path().join("meta.db")).unwrap();
    catalog.execute("UPDATE journal SET table_name = 'tests_of_tomorrow'", []).unwrap();
    drop(catalog);
    let refused = Store::open(options(folder.path())).map(drop).unwrap_err();
    assert!(
        matches!(&refused, OpenError::UnknownTable { table, .. } if table == "tests_of_tomorrow"),
        "{refused}"
    );
    assert!(refused.to_string().contains("use the newer program"), "{refused}");
}

#[test]
fn a_damaged_journal_is_refused_at_the_start_and_found_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "a", 0..10);
    send(&store, "b", 10..20);
    store.close();
    let catalog = Connection::open(folder.path().join("meta.db")).unwrap();
    catalog
        .execute(
            "UPDATE journal SET payload = CAST(substr(payload, 1, 60) || x'00' AS BLOB) WHERE seq = 2",
            [],
        )
        .unwrap();
    drop(catalog);
    let refused = Store::open(options(folder.path())).map(drop).unwrap_err().to_string();
    assert!(refused.contains("journal batch 2 does not match its checksum"), "{refused}");
    assert!(refused.contains("manometer store check"), "{refused}");
    let report = check(folder.path(), &mut |_| {}).unwrap();
    let [problem] = report.problems.as_slice() else { panic!("{report:?}") };
    assert_eq!(problem.what, "journal batch 2 does not match its checksum");
}

#[test]
fn a_damaged_a_short_and_a_missing_segment_are_each_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "a", 0..10);
    store.flush().unwrap();
    let segment = store.snapshot().segments(Test::table())[0].path().to_owned();
    store.close();
    let sound = std::fs::read(&segment).unwrap();
    let name = segment.file_name().unwrap().to_string_lossy().into_owned();

    let mut damaged = sound.clone();
    damaged[40] ^= 1;
    std::fs::write(&segment, &damaged).unwrap();
    let report = check(folder.path(), &mut |_| {}).unwrap();
    let [problem] = report.problems.as_slice() else { panic!("{report:?}") };
    assert_eq!(problem.what, "does not match its checksum");
    assert!(problem.file.ends_with(&name));

    std::fs::write(&segment, &sound[..100]).unwrap();
    let refused = Store::open(options(folder.path())).map(drop).unwrap_err().to_string();
    assert!(refused.contains(&name) && refused.contains("has 100 bytes instead of"), "{refused}");

    std::fs::remove_file(&segment).unwrap();
    let refused = Store::open(options(folder.path())).map(drop).unwrap_err().to_string();
    assert!(refused.contains(&name) && refused.contains("cannot be read"), "{refused}");
    let report = check(folder.path(), &mut |_| {});
    let report = report.unwrap();
    assert!(report.problems[0].what.starts_with("cannot be read"), "{report:?}");

    std::fs::write(&segment, &sound).unwrap();
    assert_eq!(numbers(&open(folder.path()).snapshot()), (0..10).collect::<Vec<_>>());
}

#[test]
fn segments_without_their_catalog_are_not_swept_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "a", 0..10);
    store.flush().unwrap();
    store.close();
    std::fs::rename(folder.path().join("meta.db"), folder.path().join("moved.db")).unwrap();
    let refused = Store::open(options(folder.path())).map(drop).unwrap_err().to_string();
    assert!(refused.contains("meta.db is missing, but there are segments"), "{refused}");
    std::fs::rename(folder.path().join("moved.db"), folder.path().join("meta.db")).unwrap();
    assert_eq!(numbers(&open(folder.path()).snapshot()).len(), 10);
}

#[test]
fn an_entity_that_cannot_be_decoded_is_refused_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    crate::world::send_run(&store, "a", &crate::world::run(42));
    store.close();
    let catalog = Connection::open(folder.path().join("meta.db")).unwrap();
    catalog.execute("UPDATE entity SET doc = substr(doc, 1, length(doc) - 1)", []).unwrap();
    drop(catalog);
    let refused = Store::open(options(folder.path())).map(drop).unwrap_err().to_string();
    assert!(
        refused.contains("entity runs(github, github.com/acme/shop, 42, 1): the document is cut short"),
        "{refused}"
    );
    assert!(!check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_folder_without_a_store_is_not_made_into_one_by_reading_it() {
    let folder = tempfile::tempdir().unwrap();
    let refused = ReadOnlyStore::open(options(folder.path())).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::NoStore { .. }));
    assert!(check(folder.path(), &mut |_| {}).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn rows_that_do_not_fit_are_refused_by_name_and_their_delivery_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let good = test_result(1);
    let refuse = |change: &dyn Fn(&mut Vec<Value<'_>>)| {
        let mut writer = store.writer();
        let mut values = good.values();
        change(&mut values);
        let refused = writer.append(Test::table(), &values).unwrap_err().to_string();
        assert!(matches!(writer.finish(info("x")), Err(StoreError::BrokenDelivery)));
        refused
    };
    let name = Test::table().position("name").unwrap();
    assert_eq!(refuse(&|values| values[name] = Value::Null), "column tests.name must have a value");
    assert_eq!(
        refuse(&|values| values[name] = Value::Int(1)),
        "column tests.name holds text, not a whole number"
    );
    assert!(refuse(&|values| values.truncate(3)).starts_with("table tests has "));
    let huge = "x".repeat((1 << 20) + 1);
    let mut writer = store.writer();
    let mut values = good.values();
    values[name] = Value::Text(&huge);
    let refused = writer.append(Test::table(), &values).unwrap_err().to_string();
    assert_eq!(refused, "the text for tests.name has 1048577 bytes, at most 1048576 are stored");
    assert_eq!(store.snapshot().rows(Test::table()), 0);
}

#[test]
fn a_backup_or_restore_into_an_occupied_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("data"));
    let occupied = folder.path().join("occupied");
    std::fs::create_dir(&occupied).unwrap();
    std::fs::write(occupied.join("mine"), "keep").unwrap();
    let refused = store.backup(&occupied).unwrap_err();
    assert!(matches!(refused, StoreError::DestinationNotEmpty { .. }), "{refused}");
    store.backup(&folder.path().join("backup")).unwrap();
    let refused = restore(&folder.path().join("backup"), &occupied).unwrap_err();
    assert!(matches!(refused, StoreError::DestinationNotEmpty { .. }), "{refused}");
    assert_eq!(std::fs::read_to_string(occupied.join("mine")).unwrap(), "keep");
}
