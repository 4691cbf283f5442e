//! Rows whose term is over go, all others stay, seen once by every reader; so it is with entities.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use manometer_model::records::{Deployment, Job, LOGS, Log, RUNS, Run, TESTS, Test};
use manometer_model::retention::RetentionSettings;
use manometer_model::{Conclusion, Keep, Retention, Row, Status, Timestamp, rollups, rollups_of};
use manometer_store::{Detail, FlushPolicy, ReadOnlyStore, Store, StoreOptions, check};

use crate::world::{
    START, TestClock, files_below, info, numbers, options, send, send_run, test_result, texts,
};

const DAY: i64 = 86_400;

/// A folder with a clock and terms.
struct Place {
    folder: tempfile::TempDir,
    clock: Arc<TestClock>,
    retention: Retention,
}

impl Place {
    fn new(retention: Retention) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: TestClock::new(), retention }
    }

    fn keeping_tests(days: u32) -> Self {
        Self::new(Retention::forever().with(&TESTS, Keep::Days(days)))
    }

    fn options(&self) -> StoreOptions {
        StoreOptions {
            clock: Arc::clone(&self.clock) as Arc<_>,
            retention: self.retention.clone(),
            ..options(self.folder.path())
        }
    }

    fn open(&self) -> Store {
        Store::open(self.options()).unwrap()
    }

    /// Files of segments, without their companions.
    fn files(&self) -> usize {
        let segments = self.folder.path().join("segments");
        let folders = rollups().iter().map(|rollup| segments.join(rollup.table.name));
        let companions: usize =
            folders.filter(|folder| folder.is_dir()).map(|folder| files_below(&folder)).sum();
        files_below(&segments) - companions
    }

    fn is_sound(&self) {
        let report = check(self.folder.path(), &mut |_| {}).unwrap();
        assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
    }
}

fn settings(json: &str) -> Retention {
    let settings: RetentionSettings = serde_json::from_str(json).unwrap();
    settings.resolve().unwrap()
}

/// Test results of given days after the start, one a day, numbered as their day.
fn send_days(store: &Store, key: &str, days: impl Iterator<Item = i64>) {
    let mut writer = store.writer();
    for day in days {
        let number = u64::try_from(day + 1_000).unwrap();
        let test = Test { at: Timestamp::from_seconds(START + day * DAY), ..test_result(number) };
        writer.append(&TESTS, &test.values()).unwrap();
    }
    store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap();
}

fn days(store: &Store) -> Vec<i64> {
    numbers(&store.snapshot()).into_iter().map(|number| number as i64 - 1_000).collect()
}

fn removed(store: &Store, table: &str) -> u64 {
    store.stats().tables.iter().find(|stats| stats.table == table).unwrap().retired_rows
}

#[test]
fn a_day_goes_whole_when_its_term_is_over_and_not_before() {
    let place = Place::keeping_tests(2);
    let store = place.open();
    send_days(&store, "a", 0..5);
    store.flush().unwrap();
    // The start is at five in the morning: its day is kept to the end of the second day after it.
    place.clock.advance_seconds(2 * DAY + 18 * 3_600);
    assert_eq!(store.retain().unwrap().tables.len(), 0);
    assert_eq!((days(&store), place.files()), ((0..5).collect(), 5));
    place.clock.advance_seconds(2 * 3_600);
    let report = store.retain().unwrap();
    assert_eq!((report.segments_removed, report.segments_rewritten), (1, 0));
    assert_eq!((days(&store), place.files()), ((1..5).collect(), 4));
    place.clock.advance_seconds(2 * DAY);
    assert_eq!(store.retain().unwrap().tables["tests"].rows, 2);
    assert_eq!((days(&store), removed(&store, "tests")), (vec![3, 4], 3));
    store.close();
    assert_eq!(days(&place.open()), [3, 4]);
    place.is_sound();
}

#[test]
fn what_arrives_older_than_its_term_is_stored_and_goes_by_the_same_rule() {
    let place = Place::keeping_tests(30);
    let store = place.open();
    send_days(&store, "late", [-200, -31, -30, 0].into_iter());
    assert_eq!(days(&store), [-200, -31, -30, 0], "it is accepted and seen");
    assert_eq!(
        store.snapshot().retention_plan(&place.retention, Timestamp::from_seconds(START)).unwrap()[0]
            .unflushed_rows,
        2
    );
    store.retain().unwrap();
    assert_eq!((days(&store), removed(&store, "tests")), (vec![-30, 0], 2));
    send_days(&store, "late", [-200].into_iter());
    assert_eq!(days(&store), [-30, 0], "the delivery is known; it does not come back");
    store.close();
    place.is_sound();
}

#[test]
fn a_reader_keeps_its_rows_and_files_until_it_lets_go() {
    let place = Place::keeping_tests(2);
    let store = place.open();
    send_days(&store, "a", 0..3);
    store.flush().unwrap();
    let before = store.snapshot();
    place.clock.advance_seconds(30 * DAY);
    store.retain().unwrap();
    assert_eq!(days(&store), Vec::<i64>::new());
    assert_eq!((numbers(&before).len(), place.files()), (3, 3));
    drop(before);
    store.clean_up().unwrap();
    assert_eq!(place.files(), 0, "the disk is given back");
    store.close();
    place.is_sound();
}

#[test]
fn a_month_of_small_days_is_written_anew_when_rows_waited_for_an_eighth_of_their_term() {
    let place = Place::keeping_tests(80);
    let store = place.open();
    send_days(&store, "a", 0..20);
    store.flush().unwrap();
    place.clock.advance_seconds(40 * DAY);
    store.compact().unwrap();
    assert_eq!(place.files(), 1, "the days share the segment of their month");
    place.clock.advance_seconds(41 * DAY + DAY * 9);
    let plan =
        store.snapshot().retention_plan(&place.retention, Timestamp::from_seconds(START + 90 * DAY)).unwrap();
    assert_eq!(
        (plan[0].rows, plan[0].waiting_rows),
        (0, 10),
        "no file is written for what went over just now"
    );
    assert_eq!(store.retain().unwrap().segments_rewritten, 0);
    place.clock.advance_seconds(DAY);
    let report = store.retain().unwrap();
    assert_eq!((report.segments_removed, report.segments_rewritten), (0, 1));
    assert_eq!((days(&store), place.files()), ((11..20).collect(), 1));
    place.clock.advance_seconds(9 * DAY);
    assert_eq!(store.retain().unwrap().segments_removed, 1, "the rest goes whole");
    assert_eq!((days(&store), place.files()), (Vec::new(), 0));
    store.close();
    place.is_sound();
}

#[test]
fn a_segment_of_scattered_days_does_not_wait_for_its_latest_row() {
    let place = Place::keeping_tests(8);
    let store = place.open();
    // More days than get a segment of their own, and one far in the future.
    send_days(&store, "a", (0..200).map(|day| day - 300).chain([5_000]));
    store.flush().unwrap();
    assert_eq!(days(&store).len(), 201);
    store.retain().unwrap();
    assert_eq!((days(&store), place.files()), (vec![5_000], 1));
    assert!(place.folder.path().join("segments/tests/mixed").is_dir());
    store.close();
    assert_eq!(days(&place.open()), [5_000]);
    place.is_sound();
}

fn send_logs(store: &Store, key: &str, lines: &[(&str, i64)]) {
    let mut writer = store.writer();
    for (category, day) in lines {
        let log = Log {
            provider: "github".to_owned(),
            project: "p".to_owned(),
            run_attempt: 1,
            category: (!category.is_empty()).then(|| (*category).to_owned()),
            message: format!("{category} {day}"),
            at: Timestamp::from_seconds(START + day * DAY),
            ..Log::default()
        };
        writer.append(&LOGS, &log.values()).unwrap();
    }
    store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap();
}

fn logs(store: &Store) -> Vec<String> {
    let mut messages: Vec<String> =
        texts(&store.snapshot(), &LOGS, "message").into_iter().map(Option::unwrap).collect();
    messages.sort();
    messages
}

fn noted_terms(place: &Place) -> i64 {
    let connection = rusqlite::Connection::open(place.folder.path().join("meta.db")).unwrap();
    connection.query_row("SELECT count(*) FROM segment_term", [], |row| row.get(0)).unwrap()
}

#[test]
fn categories_of_one_segment_go_each_at_its_time() {
    let place =
        Place::new(settings(r#"{"logs": {"default": "10 days", "debug": "1 day", "security": "1 year"}}"#));
    let store = place.open();
    let lines = [("debug", 0), ("job", 0), ("security", 0), ("", 0), ("debug", 1), ("security", 40)];
    send_logs(&store, "a", &lines);
    store.flush().unwrap();
    place.clock.advance_seconds(2 * DAY);
    assert_eq!(store.retain().unwrap().segments_rewritten, 1);
    assert_eq!(logs(&store), [" 0", "debug 1", "job 0", "security 0", "security 40"]);
    assert_eq!(store.retain().unwrap().tables.len(), 0, "what was looked at is not written again");
    store.close();

    let store = place.open();
    assert_eq!(store.retain().unwrap().segments_rewritten, 0, "nor after a restart");
    place.clock.advance_seconds(10 * DAY);
    store.retain().unwrap();
    assert_eq!(logs(&store), ["security 0", "security 40"]);
    store.compact().unwrap();
    place.clock.advance_seconds(366 * DAY);
    store.retain().unwrap();
    assert_eq!(logs(&store), ["security 40"]);
    place.clock.advance_seconds(60 * DAY);
    store.retain().unwrap();
    assert_eq!((logs(&store).len(), place.files(), noted_terms(&place)), (0, 0, 0));
    store.close();
    place.is_sound();
}

#[test]
fn a_changed_term_counts_from_the_next_start_also_for_what_was_looked_at() {
    let mut place = Place::new(settings(r#"{"logs": {"default": "10 days", "debug": "5 days"}}"#));
    let store = place.open();
    send_logs(&store, "a", &[("debug", 0), ("debug", 6), ("job", 0), ("job", 6)]);
    store.flush().unwrap();
    place.clock.advance_seconds(8 * DAY);
    store.retain().unwrap();
    assert_eq!(logs(&store), ["debug 6", "job 0", "job 6"]);
    store.close();
    place.retention = settings(r#"{"logs": {"default": "3 days", "debug": "forever"}}"#);
    let store = place.open();
    store.retain().unwrap();
    assert_eq!(logs(&store), ["debug 6", "job 6"]);
    store.close();
    place.is_sound();
}

fn ended_run(number: u64, day: i64) -> Run {
    Run {
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        finished_at: Some(Timestamp::from_seconds(START + day * DAY)),
        ..crate::world::run(number)
    }
}

fn send_jobs(store: &Store, key: &str, run: u64, count: u64, job: &Job) {
    let mut writer = store.writer();
    for number in 0..count {
        let job = Job {
            provider: "github".to_owned(),
            project: "github.com/acme/shop".to_owned(),
            run_id: run.to_string(),
            run_attempt: 1,
            job_id: number.to_string(),
            ..job.clone()
        };
        writer.append(Job::table(), &job.values()).unwrap();
    }
    store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap();
}

fn runs(store: &Store) -> Vec<String> {
    let mut ids: Vec<String> =
        texts(&store.snapshot(), &RUNS, "run_id").into_iter().map(Option::unwrap).collect();
    ids.sort();
    ids
}

#[test]
fn runs_that_ended_long_ago_go_with_their_jobs_and_running_ones_stay() {
    let place =
        Place::new(Retention::forever().with(&RUNS, Keep::Days(30)).with(Job::table(), Keep::Days(30)));
    let store = place.open();
    let at = |day: i64| Some(Timestamp::from_seconds(START + day * DAY));
    send_run(&store, "old", &ended_run(1, 0));
    send_run(&store, "prefix", &ended_run(10, 20));
    let running = Run { status: Some(Status::Running), started_at: at(0), ..crate::world::run(2) };
    send_run(&store, "running", &running);
    send_run(&store, "timeless", &crate::world::run(3));
    let done = Job { status: Some(Status::Completed), finished_at: at(0), ..Job::default() };
    send_jobs(&store, "jobs 1", 1, 3, &done);
    send_jobs(&store, "jobs 10", 10, 2, &done);
    send_jobs(&store, "jobs 2", 2, 1, &done);
    send_jobs(&store, "jobs of nobody", 99, 1, &done);
    let jobs = |store: &Store| store.snapshot().rows(Job::table());
    place.clock.advance_seconds(31 * DAY);
    let plan = ReadOnlyStore::open(place.options()).unwrap().snapshot();
    let plan = plan.retention_plan(&place.retention, Timestamp::from_seconds(START + 31 * DAY)).unwrap();
    let planned: Vec<_> = plan.iter().map(|plan| (plan.table.as_str(), plan.rows)).collect();
    assert_eq!(planned, [("runs", 1), ("jobs", 4)]);
    let before = store.snapshot();
    let report = store.retain().unwrap();
    assert_eq!((report.tables["runs"].rows, report.tables["jobs"].rows), (1, 4));
    assert_eq!((runs(&store), jobs(&store)), (vec!["10".to_owned(), "2".to_owned(), "3".to_owned()], 3));
    assert_eq!((before.rows(&RUNS), before.rows(Job::table())), (4, 7), "a reader keeps what it saw");
    store.close();

    let store = place.open();
    assert_eq!((runs(&store).len(), jobs(&store)), (3, 3), "gone from the disk as well");
    send_run(&store, "again", &ended_run(4, 30));
    assert_eq!(runs(&store), ["10", "2", "3", "4"], "the place of one that went is used again");
    place.clock.advance_seconds(30 * DAY);
    store.retain().unwrap();
    assert_eq!((runs(&store), jobs(&store)), (vec!["2".to_owned(), "3".to_owned()], 1));
    place.clock.advance_seconds(310 * DAY);
    store.retain().unwrap();
    assert_eq!((runs(&store), jobs(&store)), (vec!["3".to_owned()], 0), "a year without a word is the end");
    store.close();
    place.is_sound();
}

#[test]
fn an_entity_that_is_spoken_of_again_begins_its_term_anew() {
    let place = Place::new(Retention::forever().with(Deployment::table(), Keep::Days(10)));
    let store = place.open();
    let deployment = |day: i64| Deployment {
        provider: "github".to_owned(),
        project: "p".to_owned(),
        deployment_id: "1".to_owned(),
        status: Some(Status::Completed),
        finished_at: Some(Timestamp::from_seconds(START + day * DAY)),
        updated_at: Some(Timestamp::from_seconds(START + day * DAY)),
        ..Deployment::default()
    };
    let tell = |key: &str, day: i64, later: i64| {
        let mut writer = store.writer();
        writer.append(Deployment::table(), &deployment(day).values()).unwrap();
        store.submit(writer.finish(info(key)).unwrap()).unwrap().wait().unwrap();
        place.clock.advance_seconds(later * DAY);
        store.retain().unwrap();
        store.snapshot().rows(Deployment::table())
    };
    assert_eq!(tell("a", 0, 8), 1);
    assert_eq!(tell("b", 8, 8), 1);
    assert_eq!(tell("late", -100, 2), 1, "older news changes nothing");
    assert_eq!(tell("after its end", -100, 8), 0);
}

#[test]
fn random_histories_keep_exactly_the_rows_whose_term_is_not_over() {
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let place = Place::new(settings(
            r#"{"tests": "7 days", "rules": [
                {"table": "tests", "where": {"service": "service-1"}, "keep": "2 days"},
                {"table": "tests", "where": {"service": "service-2", "run_id": "0"}, "keep": "forever"}]}"#,
        ));
        let mut store = place.open();
        let mut rows: Vec<(u64, i32)> = Vec::new();
        let mut sent = 0;
        for step in 0..24 {
            match random.u32(0..7) {
                0..=2 => {
                    let mut writer = store.writer();
                    for _ in 0..random.u64(1..40) {
                        let at = Timestamp::from_micros(
                            Timestamp::from_seconds(START).as_micros()
                                + random.i64(-12..25) * DAY * 1_000_000,
                        );
                        writer.append(&TESTS, &Test { at, ..test_result(sent) }.values()).unwrap();
                        rows.push((sent, at.day()));
                        sent += 1;
                    }
                    let delivery = writer.finish(info(&step.to_string())).unwrap();
                    store.submit(delivery).unwrap().wait().unwrap();
                }
                3 => drop(store.flush().unwrap()),
                4 => drop(store.compact().unwrap()),
                5 => {
                    drop(store);
                    store = place.open();
                }
                _ => place.clock.advance_seconds(random.i64(0..3) * DAY),
            }
            if random.bool() {
                store.retain().unwrap();
                let today = manometer_model::Clock::now(place.clock.as_ref()).day();
                rows.retain(|(number, day)| {
                    let keep = match (number % 3, number / 100) {
                        (1, _) => 2,
                        (2, 0) => return true,
                        _ => 7,
                    };
                    day + keep + 1 > today
                });
                let expected: Vec<u64> = rows.iter().map(|(number, _)| *number).collect();
                assert_eq!(numbers(&store.snapshot()), expected, "seed {seed}, step {step}");
            }
        }
        store.close();
        place.is_sound();
    }
}

#[test]
fn every_snapshot_beside_retention_shows_each_needed_row_once() {
    let place = Place::new(settings(
        r#"{"tests": "forever", "rules": [{"table": "tests", "where": {"service": "service-1"}, "keep": "1 day"}]}"#,
    ));
    let store = place.open();
    send(&store, "a", 0..600);
    store.flush().unwrap();
    let all: Vec<u64> = (0..600).collect();
    let needed: Vec<u64> = all.iter().copied().filter(|number| number % 3 != 1).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Acquire) || looks == 0 {
                let seen = numbers(&store.snapshot());
                let distinct: std::collections::BTreeSet<u64> = seen.iter().copied().collect();
                assert_eq!(distinct.len(), seen.len(), "no row twice");
                assert!(needed.iter().all(|number| distinct.contains(number)), "no needed row missing");
                looks += 1;
            }
        });
        for _ in 0..8 {
            place.clock.advance_seconds(DAY);
            store.retain().unwrap();
            store.compact().unwrap();
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
    assert_eq!(numbers(&store.snapshot()), needed);
}

#[test]
fn the_store_does_it_by_itself() {
    let place = Place::new(Retention::forever().with(&TESTS, Keep::Days(2)).with(&RUNS, Keep::Days(2)));
    let mut opened = place.options();
    opened.flush = FlushPolicy { age_seconds: 60, ..FlushPolicy::default() };
    let store = Store::open(opened).unwrap();
    send_days(&store, "a", 0..4);
    send_run(&store, "run", &ended_run(1, 0));
    place.clock.advance_seconds(3 * DAY);
    let begun = std::time::Instant::now();
    while days(&store) != [1, 2, 3] || !runs(&store).is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(120), "it never came: {:?}", store.stats());
        std::thread::yield_now();
    }
    assert_eq!((removed(&store, "tests"), removed(&store, "runs")), (1, 1));
    assert_eq!(store.stats().maintenance_failures, 0);
    store.close();
    place.is_sound();
}

#[test]
fn forgotten_entities_give_their_pages_back() {
    let place = Place::new(Retention::forever().with(&RUNS, Keep::Days(10)));
    let store = place.open();
    let mut random = fastrand::Rng::with_seed(1);
    for delivery in 0..4_u64 {
        let mut writer = store.writer();
        for number in 0..1_500 {
            let noise: String = std::iter::repeat_with(|| random.alphanumeric()).take(6_000).collect();
            let run = Run { url: Some(noise), ..ended_run(delivery * 1_500 + number, 0) };
            writer.append(&RUNS, &run.values()).unwrap();
        }
        store.submit(writer.finish(info(&delivery.to_string())).unwrap()).unwrap().wait().unwrap();
    }
    place.clock.advance_seconds(20 * DAY);
    assert_eq!(store.retain().unwrap().tables["runs"].rows, 6_000);
    store.close();
    let size = place.folder.path().join("meta.db").metadata().unwrap().len();
    assert!(size < 20 << 20, "meta.db still has {size} bytes");
    place.is_sound();
}

#[test]
fn what_is_held_and_when_it_goes_is_told_beside_the_process_that_serves() {
    let place = Place::keeping_tests(90);
    let store = place.open();
    send_days(&store, "a", [0, 0, 40].into_iter());
    store.flush().unwrap();
    send_days(&store, "b", [41].into_iter());
    let seen = ReadOnlyStore::open(place.options()).unwrap().snapshot();
    let all = seen.holdings(Detail::Table, &place.retention);
    assert_eq!(all.len(), 1 + rollups_of(&TESTS).count(), "the tests and their roll-ups");
    assert_eq!((all[0].rows, all[0].rows_in_memory, all[0].segments), (4, 1, 2));
    assert_eq!((all[0].kept.as_str(), all[0].first_removal.as_deref()), ("90 days", Some("2026-06-03")));
    assert!(all[0].bytes_per_row().unwrap() > 0.0);
    let by_day = seen.holdings(Detail::Day, &place.retention);
    let lines: Vec<_> = by_day
        .iter()
        .filter(|line| line.table == "tests")
        .map(|line| (line.period.as_str(), line.rows, line.last_removal.as_deref()))
        .collect();
    assert_eq!(
        lines,
        [
            ("2026-03-04", 2, Some("2026-06-03")),
            ("2026-04-13", 1, Some("2026-07-13")),
            ("unflushed", 1, None)
        ]
    );
}
