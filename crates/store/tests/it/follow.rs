//! Reading along: everything once, in order, from a place that lasts.

use manometer_model::records::{Build, Run};
use manometer_model::{Conclusion, Record, Row, Timestamp};
use manometer_store::{Follower, Store, StoreOptions};

use crate::world::{START, TestClock, info, open, options, run, send, send_run, test_result};

fn follower(store: &Store) -> Follower {
    store.follow(&["influxdb"]).unwrap().pop().unwrap()
}

/// Everything a follower is given until it has caught up; it says that it is done with it.
fn drain(follower: &mut Follower) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(followed) = follower.ahead().unwrap() {
        follower.done(&followed).unwrap();
        records.extend(followed.records);
    }
    records
}

fn numbers(records: &[Record]) -> Vec<u64> {
    let tests = records.iter().filter_map(|record| match record {
        Record::Test(test) => Some(test.name.strip_prefix("case-").unwrap().parse().unwrap()),
        _ => None,
    });
    tests.collect()
}

fn ended(number: u64) -> Run {
    Run {
        conclusion: Some(Conclusion::Success),
        started_at: Some(Timestamp::from_seconds(START)),
        finished_at: Some(Timestamp::from_seconds(START + 60)),
        trigger: Some("push".to_owned()),
        ..run(number)
    }
}

#[test]
fn each_row_is_given_once_in_the_order_of_commits_through_flushes_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "before anybody followed", 0..3);
    let mut reader = follower(&store);
    send(&store, "a", 10..13);
    assert_eq!(numbers(&drain(&mut reader)), [10, 11, 12]);
    send(&store, "b", 20..23);
    store.flush().unwrap();
    send(&store, "c", 30..32);
    send(&store, "c", 30..32);
    drop((reader, store));

    let store = open(folder.path());
    let mut reader = follower(&store);
    assert_eq!(store.followers().unwrap()[0].waiting_rows, 5);
    store.flush().unwrap();
    store.compact().unwrap();
    let given = drain(&mut reader);
    assert_eq!(numbers(&given), [20, 21, 22, 30, 31], "flushed or not, repeated or not");
    let Record::Test(first) = &given[0] else { panic!("{:?}", given[0]) };
    assert_eq!(*first, test_result(20), "every cell is as it was sent");
    assert_eq!(store.followers().unwrap()[0].waiting_rows, 0);
    assert!(reader.ahead().unwrap().is_none());
}

#[test]
fn what_is_not_done_with_is_given_again_also_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut reader = follower(&store);
    send(&store, "a", 0..4);
    assert_eq!(numbers(&reader.ahead().unwrap().unwrap().records), [0, 1, 2, 3]);
    assert_eq!(numbers(&reader.ahead().unwrap().unwrap().records), [0, 1, 2, 3]);
    drop((reader, store));
    let store = open(folder.path());
    assert_eq!(numbers(&drain(&mut follower(&store))), [0, 1, 2, 3]);
}

#[test]
fn a_run_is_given_when_it_has_ended_and_only_then_as_it_is_known_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut reader = follower(&store);
    send_run(&store, "queued", &run(1));
    assert!(drain(&mut reader).is_empty());
    send_run(&store, "ended", &ended(1));
    send_run(&store, "more", &Run { branch: Some("main".to_owned()), ..run(1) });
    let given = drain(&mut reader);
    let [Record::Run(told)] = &given[..] else { panic!("{given:?}") };
    assert_eq!((told.branch.as_deref(), told.duration_seconds), (Some("main"), Some(60.0)));
    send_run(&store, "told again", &ended(1));
    assert!(drain(&mut reader).is_empty());
}

#[test]
fn the_run_of_a_build_comes_beside_it_and_never_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut reader = follower(&store);
    send_run(&store, "run", &ended(1));
    drain(&mut reader);
    let build = Build {
        provider: "github".to_owned(),
        project: "github.com/acme/shop".to_owned(),
        run_id: "1".to_owned(),
        run_attempt: 1,
        name: "wheel".to_owned(),
        duration_seconds: Some(12.5),
        at: Timestamp::from_seconds(START),
        ..Build::default()
    };
    let mut writer = store.writer();
    writer.append(Build::table(), &build.values()).unwrap();
    store.submit(writer.finish(info("build")).unwrap()).unwrap().wait().unwrap();
    let followed = reader.ahead().unwrap().unwrap();
    assert_eq!(followed.records, [Record::from(build)]);
    assert_eq!(followed.known_runs[0].trigger.as_deref(), Some("push"));
}

#[test]
fn each_follower_has_a_place_of_its_own_and_one_that_is_gone_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut both = store.follow(&["fast", "slow"]).unwrap();
    send(&store, "a", 0..2);
    assert_eq!(numbers(&drain(&mut both[0])), [0, 1]);
    store.flush().unwrap();
    let waiting: Vec<u64> = store.followers().unwrap().iter().map(|follower| follower.waiting_rows).collect();
    assert_eq!(waiting, [0, 2]);
    let mut fast = store.follow(&["fast"]).unwrap();
    assert!(drain(&mut fast[0]).is_empty());
    let mut again = store.follow(&["fast", "slow"]).unwrap();
    assert!(drain(&mut again[1]).is_empty(), "a new follower begins with what comes now");
}

#[test]
fn past_the_limit_the_oldest_is_given_up_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = options(folder.path());
    opened.limits.export_backlog_bytes = 0;
    let store = Store::open(opened).unwrap();
    let mut reader = follower(&store);
    send(&store, "a", 0..4);
    store.flush().unwrap();
    send(&store, "b", 4..6);
    assert_eq!(numbers(&drain(&mut reader)), [4, 5]);
    assert_eq!(store.followers().unwrap()[0].passed_over_rows, 4);
}

#[test]
fn more_than_is_read_at_once_comes_in_parts_that_leave_no_commit_in_two() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let store = Store::open(StoreOptions { clock: clock.clone(), ..options(folder.path()) }).unwrap();
    let mut reader = follower(&store);
    send(&store, "a", 0..20_000);
    clock.advance_seconds(1);
    send(&store, "b", 20_000..20_010);
    let first = reader.ahead().unwrap().unwrap();
    assert!(first.has_more);
    assert_eq!(numbers(&first.records), (0..20_000).collect::<Vec<_>>());
    reader.done(&first).unwrap();
    assert_eq!(numbers(&drain(&mut reader)), (20_000..20_010).collect::<Vec<_>>());
}
