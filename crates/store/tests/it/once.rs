//! Facts under natural keys, and deliveries kept as they came.

use manometer_model::records::{Run, Step, Test};
use manometer_model::{Record, Row};
use manometer_store::{DeliveryInfo, Outcome, Store, StoreError, Treatment, check};

use crate::world::{TestClock, info, open, options, run};

fn step(number: i64) -> Record {
    Record::from(Step {
        provider: "github".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        run_id: "1".to_owned(),
        run_attempt: 1,
        job_id: "2".to_owned(),
        number,
        ..Step::default()
    })
}

/// A delivery of one run, with steps under a natural key.
fn send_steps(store: &Store, key: &str, natural_key: &str, steps: &[Record]) -> Outcome {
    let mut writer = store.writer();
    writer.append(Run::table(), &run(1).values()).unwrap();
    writer.append_once(natural_key, steps).unwrap();
    store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap()
}

fn steps_in(store: &Store) -> u64 {
    store.snapshot().rows(Step::table())
}

#[test]
fn facts_under_one_natural_key_are_stored_once_whoever_brings_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = send_steps(&store, "hook a", "steps/1", &[step(1), step(2)]);
    assert_eq!(first.receipt().rows["steps"], 2);
    let again = send_steps(&store, "hook b", "steps/1", &[step(1), step(2)]);
    assert!(matches!(again, Outcome::Committed(_)), "the delivery itself is another one");
    assert_eq!(again.receipt().rows.get("steps"), None);
    assert_eq!(again.receipt().rows["runs"], 1);
    send_steps(&store, "another job", "steps/2", &[step(1)]);
    assert_eq!(steps_in(&store), 3);
    store.flush().unwrap();
    store.close();

    let store = open(folder.path());
    send_steps(&store, "reconciler", "steps/2", &[step(1)]);
    assert_eq!(steps_in(&store), 3, "a natural key outlives flush and restart");
    assert!(
        matches!(send_steps(&store, "reconciler", "steps/2", &[step(1)]), Outcome::Known(known) if !known.rows.contains_key("steps"))
    );
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn two_deliveries_of_one_group_commit_store_shared_facts_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let deliveries: Vec<_> = (0..50)
        .map(|number| {
            let mut writer = store.writer();
            writer.append_once("steps/1", &[step(1), step(2)]).unwrap();
            writer.finish(info(&format!("hook {number}"))).unwrap()
        })
        .collect();
    let pending: Vec<_> = deliveries.into_iter().map(|delivery| store.submit(delivery).unwrap()).collect();
    let stored: u64 =
        pending.into_iter().filter_map(|one| one.wait().unwrap().receipt().rows.get("steps").copied()).sum();
    assert_eq!((stored, steps_in(&store)), (2, 2));
}

#[test]
fn rows_that_merge_have_no_natural_key_of_facts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writer = store.writer();
    let refused = writer.append_once("runs/1", &[Record::from(run(1))]).unwrap_err();
    assert!(matches!(refused, StoreError::NoFact { table: "runs" }), "{refused}");
    assert!(writer.finish(info("a")).is_err());
}

#[test]
fn a_delivery_is_kept_as_it_came_for_its_days_and_says_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let mut opened = options(folder.path());
    opened.clock = std::sync::Arc::clone(&clock) as std::sync::Arc<_>;
    let store = Store::open(opened).unwrap();
    let content = b"{\"action\":\"completed\"}".repeat(1_000);
    let mut writer = store.writer();
    writer.keep_raw(&content).unwrap();
    writer.set_treatment(Treatment::Failed);
    let receipt =
        store.submit(writer.finish(info("a")).unwrap()).unwrap().wait().unwrap().receipt().id.clone();
    let plain =
        store.submit(store.writer().finish(DeliveryInfo { ..info("b") }).unwrap()).unwrap().wait().unwrap();
    assert_eq!(store.raw(&receipt).unwrap().as_deref(), Some(content.as_slice()));
    assert_eq!(store.raw(&plain.receipt().id).unwrap(), None);
    let shown = store.snapshot().deliveries(10).unwrap();
    let words = shown[0].column_by_name("treatment").unwrap();
    let words = arrow::array::AsArray::as_string_view(words.as_ref());
    assert_eq!(words.iter().flatten().collect::<Vec<_>>(), ["stored", "failed"], "newest first");
    clock.advance_seconds(14 * 86_400 + 1);
    store.clean_up().unwrap();
    assert_eq!(store.raw(&receipt).unwrap(), None);
    assert_eq!(store.snapshot().deliveries(10).unwrap()[0].num_rows(), 2, "the entry itself stays");
}

#[test]
fn a_folder_of_the_version_before_is_brought_up_to_this_one_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    crate::world::send(&store, "old", 0..3);
    store.close();
    let connection = rusqlite::Connection::open(folder.path().join("meta.db")).unwrap();
    connection
        .execute_batch(
            "ALTER TABLE ledger DROP COLUMN treatment; ALTER TABLE segment DROP COLUMN rolls_up;
             ALTER TABLE segment DROP COLUMN rollup_version; DROP TABLE raw; DROP TABLE fact_key; DROP INDEX ledger_by_age;
             UPDATE meta SET value = 1 WHERE name = 'layout_version'",
        )
        .unwrap();
    drop(connection);

    let read_only = manometer_store::ReadOnlyStore::open(options(folder.path())).unwrap();
    assert_eq!(read_only.snapshot().rows(Test::table()), 3);
    drop(read_only);
    let store = open(folder.path());
    assert!(matches!(crate::world::send(&store, "old", 0..3), Outcome::Known(_)));
    send_steps(&store, "new", "steps/1", &[step(1)]);
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}
