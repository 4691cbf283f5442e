//! Deliveries too large for memory, and rows of too many days.

use manometer_model::records::Test;
use manometer_model::{Row, Timestamp};
use manometer_store::{Delivery, Outcome, Store};

use crate::world::{delivery_of, files_below, info, numbers, open, options, send, test_result};

/// Two full batches, which are more than the bulk limit of these tests, and some rows.
const ROWS: u64 = 2 * 65_536 + 5;

/// So many rows of one delivery that most are written as segments before it is committed.
fn bulk(store: &Store, key: &str) -> Delivery {
    let mut writer = store.writer();
    let mut row = test_result(0);
    for number in 0..ROWS {
        row.line = Some(i64::try_from(number).unwrap());
        writer.append(Test::table(), &row.values()).unwrap();
    }
    writer.finish(info(key)).unwrap()
}

#[test]
fn a_bulk_delivery_is_one_effect_of_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = options(folder.path());
    opened.flush.bulk_rows = 100_000;
    let store = Store::open(opened).unwrap();
    let delivery = bulk(&store, "large");
    assert_eq!(delivery.rows()["tests"], ROWS);
    assert_eq!(store.snapshot().rows(Test::table()), 0, "nothing is seen before the commit");
    let written = files_below(&folder.path().join("segments"));
    assert!(written >= 2, "it was written while it was built");
    let committed = store.submit(delivery).unwrap().wait().unwrap();
    assert!(matches!(committed, Outcome::Committed(_)));
    assert_eq!(store.snapshot().rows(Test::table()), ROWS);
    assert_eq!(store.stats().journal_batches, 0, "none of it went through the journal");

    let again = bulk(&store, "large");
    assert!(files_below(&folder.path().join("segments")) > written);
    assert!(matches!(store.submit(again).unwrap().wait().unwrap(), Outcome::Known(_)));
    assert_eq!(files_below(&folder.path().join("segments")), written, "the files of the repetition are gone");
    drop(bulk(&store, "never sent"));
    assert_eq!(files_below(&folder.path().join("segments")), written, "those of a dropped delivery too");
    drop(store);
    assert_eq!(open(folder.path()).snapshot().rows(Test::table()), ROWS);
}

#[test]
fn rows_of_a_thousand_days_do_not_make_a_thousand_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writer = store.writer();
    for number in 0..1_000_u64 {
        let mut row = test_result(number);
        row.at = Timestamp::from_seconds((number as i64 - 500) * 86_400 * 37);
        writer.append(Test::table(), &row.values()).unwrap();
    }
    for extreme in [i64::MIN, i64::MAX] {
        let mut row = test_result(1_000 + u64::from(extreme > 0));
        row.at = Timestamp::from_micros(extreme);
        writer.append(Test::table(), &row.values()).unwrap();
    }
    store.submit(writer.finish(info("odd clocks")).unwrap()).unwrap().wait().unwrap();
    let report = store.flush().unwrap();
    assert_eq!(report.segments, 129, "128 days and one for the rest");
    assert_eq!(numbers(&store.snapshot()), (0..1_002).collect::<Vec<_>>());
    store.submit(delivery_of(&store, info("more"), 2_000..2_010)).unwrap().wait().unwrap();
    store.flush().unwrap();
    store.compact().unwrap();
    assert_eq!(numbers(&store.snapshot()).len(), 1_012);
    let range = store.snapshot();
    let segments = range.segments(Test::table());
    assert_eq!(segments.iter().map(|segment| segment.min_at()).min(), Some(Timestamp::from_micros(i64::MIN)));
    assert_eq!(segments.iter().map(|segment| segment.max_at()).max(), Some(Timestamp::from_micros(i64::MAX)));
    drop((range, store));
    assert_eq!(numbers(&open(folder.path()).snapshot()).len(), 1_012);
}

#[test]
fn thousands_of_small_deliveries_are_shown_as_few_batches() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..300 {
        send(&store, &number.to_string(), number..number + 1);
    }
    assert_eq!(store.snapshot().batches(Test::table()).unwrap().len(), 1);
    assert_eq!(numbers(&store.snapshot()), (0..300).collect::<Vec<_>>());
}
