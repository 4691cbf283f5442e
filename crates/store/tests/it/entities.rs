//! Entities: late, repeated and reordered deliveries make the same row.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use manometer_model::records::{Job, Run};
use manometer_model::{Conclusion, EntityKey, Labels, Row, Status, Timestamp};
use manometer_store::Store;

use crate::world::{all_batches, info, open, run, send_run, texts};

fn at(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(1_772_600_000 + second))
}

/// The three states a run goes through, as three webhooks tell them.
fn states() -> [Run; 3] {
    let queued = Run {
        status: Some(Status::Queued),
        queued_at: at(0),
        updated_at: at(0),
        branch: Some("main".into()),
        ..run(1)
    };
    let running = Run {
        status: Some(Status::Running),
        queued_at: at(2),
        started_at: at(30),
        updated_at: at(31),
        ..run(1)
    };
    let completed = Run {
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        started_at: at(30),
        finished_at: at(90),
        updated_at: at(91),
        labels: Labels::from([("team".to_owned(), "shop".to_owned())]),
        ..run(1)
    };
    [queued, running, completed]
}

/// All cells of the only run, as text.
fn only_run(store: &Store) -> Vec<String> {
    let batches = all_batches(&store.snapshot(), Run::table());
    let [batch] = batches.as_slice() else { panic!("{} batches", batches.len()) };
    assert_eq!(batch.num_rows(), 1);
    let shown = |column: &ArrayRef| match column.data_type() {
        DataType::Timestamp(..) => {
            format!("{:?}", column.as_primitive::<TimestampMicrosecondType>().iter().next())
        }
        _ => array_value_to_string(column, 0).unwrap(),
    };
    batch.columns().iter().map(shown).collect()
}

fn cell(row: &[String], column: &str) -> String {
    row[Run::table().position(column).unwrap()].clone()
}

#[test]
fn every_order_of_deliveries_gives_the_same_run() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut rows = Vec::new();
    for order in orders {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        for index in order {
            send_run(&store, &format!("state-{index}"), &states()[index]);
        }
        // The same state under another delivery key changes nothing either.
        send_run(&store, "again", &states()[0]);
        rows.push(only_run(&store));
        drop(store);
        assert_eq!(only_run(&open(folder.path())), rows[0], "after a restart");
    }
    assert!(rows.windows(2).all(|pair| pair[0] == pair[1]));
    let row = &rows[0];
    assert_eq!(cell(row, "status"), "completed");
    assert_eq!(cell(row, "conclusion"), "success");
    assert_eq!(cell(row, "queue_seconds"), "30.0", "from the earliest queueing");
    assert_eq!(cell(row, "duration_seconds"), "60.0");
    assert_eq!(cell(row, "branch"), "main", "what only one delivery knew");
    assert_eq!(cell(row, "labels"), r#"{"team":"shop"}"#);
}

#[test]
fn states_inside_one_delivery_merge_as_those_of_several_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writer = store.writer();
    for state in states().iter().rev() {
        writer.append(Run::table(), &state.values()).unwrap();
    }
    store.submit(writer.finish(info("all")).unwrap()).unwrap().wait().unwrap();
    assert_eq!(cell(&only_run(&store), "status"), "completed");
    assert_eq!(store.snapshot().rows(Run::table()), 1);
}

#[test]
fn late_delivery_does_not_reopen_a_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send_run(&store, "done", &states()[2]);
    // Its clock is ahead, but what it saw is an earlier state.
    send_run(&store, "late", &Run { updated_at: at(9_999), ..states()[1].clone() });
    assert_eq!(cell(&only_run(&store), "status"), "completed");
    assert_eq!(cell(&only_run(&store), "conclusion"), "success");
}

#[test]
fn a_conclusion_without_a_status_means_completed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send_run(&store, "a", &Run { conclusion: Some(Conclusion::Failure), ..run(1) });
    assert_eq!(cell(&only_run(&store), "status"), "completed");
    assert_eq!(cell(&only_run(&store), "conclusion"), "failure");
}

#[test]
fn equal_times_of_queueing_and_starting_give_no_queue_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send_run(&store, "a", &Run { queued_at: at(5), started_at: at(5), finished_at: at(1), ..run(1) });
    let row = only_run(&store);
    assert_eq!(cell(&row, "queue_seconds"), "");
    assert_eq!(cell(&row, "duration_seconds"), "", "an end before the start is no duration");
    send_run(&store, "b", &Run { queue_seconds: Some(3.5), ..run(1) });
    assert_eq!(cell(&only_run(&store), "queue_seconds"), "3.5", "what a sender measured stands");
}

#[test]
fn only_changed_chunks_are_rebuilt_and_old_snapshots_keep_what_they_saw() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writer = store.writer();
    for number in 0..9_000 {
        writer.append(Run::table(), &run(number).values()).unwrap();
    }
    store.submit(writer.finish(info("many")).unwrap()).unwrap().wait().unwrap();
    let before = store.snapshot();
    let branches = texts(&before, Run::table(), "branch");
    assert_eq!(branches.len(), 9_000);
    send_run(&store, "one", &Run { branch: Some("changed".into()), ..run(5_000) });
    let after = store.snapshot();
    assert!(texts(&before, Run::table(), "branch").iter().all(Option::is_none));
    assert_eq!(texts(&after, Run::table(), "branch").iter().flatten().count(), 1);
    let (old, new) = (before.batches(Run::table()).unwrap(), after.batches(Run::table()).unwrap());
    let shared =
        old.iter().zip(&new).filter(|(left, right)| std::sync::Arc::ptr_eq(left.column(0), right.column(0)));
    assert_eq!((old.len(), shared.count()), (3, 2), "two of three chunks were not built anew");
    assert_eq!(store.snapshot().epoch(), after.epoch());
}

#[test]
fn an_entity_is_known_from_its_commit_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let job = Job {
        provider: "ci".into(),
        project: "p".into(),
        run_id: "1".into(),
        run_attempt: 1,
        job_id: "7".into(),
        ..Job::default()
    };
    let key = EntityKey::of(&job).unwrap();
    assert!(!store.entity_exists(&key));
    let mut writer = store.writer();
    writer.append(Job::table(), &job.values()).unwrap();
    let delivery = writer.finish(info("a")).unwrap();
    assert!(!store.entity_exists(&key));
    store.submit(delivery).unwrap().wait().unwrap();
    assert!(store.entity_exists(&key));
    assert!(!store.entity_exists(&EntityKey { table: "jobs", text: "other".to_owned() }));
}
