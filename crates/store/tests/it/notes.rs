//! Notes: kept through a restart, seen from another process, part of a backup.

use manometer_store::{ReadOnlyStore, restore};

use crate::world::{open, options};

#[test]
fn a_note_survives_a_restart_is_seen_beside_the_writer_and_is_in_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = open(&data);
    for (name, content) in
        [("poll/cursor/b", "1"), ("poll/cursor/a", "ü\n{}"), ("poll/state/a", "x"), ("other", "y")]
    {
        store.keep_note_durable(name, content).unwrap();
    }
    store.keep_note_durable("poll/cursor/b", "2").unwrap();
    store.remove_note_durable("other").unwrap();
    store.remove_note_durable("never there").unwrap();
    let expected = [("poll/cursor/a", "ü\n{}"), ("poll/cursor/b", "2")]
        .map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(store.notes("poll/cursor/").unwrap(), expected);
    assert_eq!(store.note("other").unwrap(), None);

    let reading = ReadOnlyStore::open(options(&data)).unwrap();
    store.keep_note_durable("poll/cursor/b", "3").unwrap();
    assert_eq!(reading.notes("poll/cursor/").unwrap(), expected, "of the moment it was opened");
    drop(reading);

    let backup = folder.path().join("backup");
    store.backup(&backup).unwrap();
    store.close();
    assert_eq!(open(&data).note("poll/cursor/b").unwrap().as_deref(), Some("3"));
    let restored = folder.path().join("restored");
    restore(&backup, &restored).unwrap();
    assert_eq!(open(&restored).note("poll/cursor/b").unwrap().as_deref(), Some("3"));
}

#[test]
fn a_store_that_was_closed_keeps_no_note() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let other = store.clone();
    store.close();
    assert!(other.keep_note_durable("a", "b").is_err());
}
