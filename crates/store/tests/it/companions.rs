//! Every segment has companions that describe exactly its rows, through flush, bulk delivery, merge and upgrade.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use manometer_model::records::{RUNS, TESTS};
use manometer_model::{Bucket, Row, Value, rollup_named, rollups, rollups_of};
use manometer_stats::Sketch;
use manometer_store::{Snapshot, Store, StoreError, check};

use crate::world::{files_below, info, open, options, send, test_result};

/// The rows behind one roll-up row: service and beginning of the bucket in microseconds.
type Group = (Option<String>, i64);

/// What is known of a group: rows, values, their sum in thousandths, and their sketch.
#[derive(Debug, Default, PartialEq)]
struct Known {
    rows: i64,
    values: i64,
    thousandths: i64,
    sketch: Sketch,
}

impl Known {
    fn add(&mut self, seconds: Option<f64>) {
        self.rows += 1;
        let Some(seconds) = seconds else { return };
        self.values += 1;
        self.thousandths += (seconds * 1_000.0).round() as i64;
        self.sketch.add(seconds);
    }
}

/// What a roll-up says, over all its companions.
fn rolled_up(snapshot: &Snapshot, name: &str) -> BTreeMap<Group, Known> {
    let rollup = rollup_named(name).unwrap();
    let mut groups: BTreeMap<Group, Known> = BTreeMap::new();
    for batch in crate::world::all_batches(snapshot, rollup.table) {
        let whole = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone();
        let time = |name: &str| {
            batch.column_by_name(name).unwrap().as_primitive::<TimestampMicrosecondType>().clone()
        };
        let services = batch.column_by_name("service").map(|column| column.as_string_view());
        let sums = batch.column_by_name("duration_seconds_sum").unwrap().as_primitive::<Float64Type>();
        let sketches =
            batch.column_by_name("duration_seconds_sketch").map(|column| column.as_binary::<i32>());
        assert_eq!(sketches.is_none(), rollup.is_scattered);
        for row in 0..batch.num_rows() {
            let start = time("at").value(row);
            let (first, last) = (time("first_at").value(row), time("last_at").value(row));
            assert!(start <= first && first <= last && last < start + rollup.bucket.micros());
            let service = services.and_then(|names| names.is_valid(row).then(|| names.value(row).to_owned()));
            let known = groups.entry((service, start)).or_default();
            known.rows += whole("row_count").value(row);
            known.values += whole("duration_seconds_count").value(row);
            if sums.is_valid(row) {
                known.thousandths += (sums.value(row) * 1_000.0).round() as i64;
                if let Some(sketches) = sketches {
                    known.sketch.merge(&Sketch::decode(sketches.value(row)).unwrap());
                }
            }
        }
    }
    groups
}

/// The same, from the test results with these numbers.
fn expected(numbers: impl Iterator<Item = u64>, rollup: &str) -> BTreeMap<Group, Known> {
    let rollup = rollup_named(rollup).unwrap();
    let mut groups: BTreeMap<Group, Known> = BTreeMap::new();
    for number in numbers {
        let test = test_result(number);
        let service = test.service.clone().filter(|_| rollup.dimensions.contains(&"service"));
        let group = (service, rollup.bucket.start_of(test.at.as_micros()));
        groups.entry(group).or_default().add(test.duration_seconds);
    }
    if rollup.is_scattered {
        groups.values_mut().for_each(|known| known.sketch = Sketch::new());
    }
    groups
}

fn assert_rolled_up(snapshot: &Snapshot, numbers: std::ops::Range<u64>, when: &str) {
    for rollup in rollups_of(&TESTS) {
        let found = rolled_up(snapshot, rollup.table.name);
        assert_eq!(found, expected(numbers.clone(), rollup.table.name), "{} {when}", rollup.table.name);
    }
}

/// How many companions a snapshot has, and that each segment of tests has one of each roll-up.
fn companions(snapshot: &Snapshot) -> usize {
    let segments: Vec<i64> = snapshot.segments(&TESTS).iter().map(|segment| segment.id()).collect();
    for rollup in rollups_of(&TESTS) {
        let mut described: Vec<i64> =
            snapshot.segments(rollup.table).iter().filter_map(|companion| companion.rolls_up()).collect();
        described.sort_unstable();
        assert_eq!(described, segments, "{}", rollup.table.name);
    }
    rollups().iter().map(|rollup| snapshot.segments(rollup.table).len()).sum()
}

/// Makes of a folder one that was written when there were no roll-ups; their files stay behind.
pub(crate) fn forget_companions(data: &Path) {
    let catalog = rusqlite::Connection::open(data.join("meta.db")).unwrap();
    catalog
        .execute_batch(
            "DELETE FROM segment WHERE rolls_up IS NOT NULL; UPDATE segment SET rollup_version = 0",
        )
        .unwrap();
}

#[test]
fn companions_describe_exactly_the_rows_of_their_segment_from_flush_to_merge_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "first", 0..1_500);
    store.flush().unwrap();
    assert_eq!(companions(&store.snapshot()), 5 * rollups_of(&TESTS).count(), "all for each of five days");
    assert_rolled_up(&store.snapshot(), 0..1_500, "after a flush");
    send(&store, "second", 1_500..4_000);
    send(&store, "first", 0..1_500);
    store.flush().unwrap();
    assert_rolled_up(&store.snapshot(), 0..4_000, "after a second flush, and a delivery repeated");
    store.compact().unwrap();
    assert_rolled_up(&store.snapshot(), 0..4_000, "after a merge");
    let count = companions(&store.snapshot());
    store.close();

    let store = open(folder.path());
    assert_rolled_up(&store.snapshot(), 0..4_000, "after a restart");
    assert_eq!(companions(&store.snapshot()), count);
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_bulk_delivery_comes_with_its_companions() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = options(folder.path());
    opened.flush.bulk_rows = 10;
    let store = Store::open(opened).unwrap();
    send(&store, "large", 0..3_000);
    assert_eq!(store.stats().journal_batches, 0, "none of it went through the journal");
    companions(&store.snapshot());
    assert_rolled_up(&store.snapshot(), 0..3_000, "after a bulk delivery");
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn rows_of_so_many_groups_that_some_are_written_early_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writer = store.writer();
    let mut test = test_result(1);
    // More groups than are kept in memory, each met twice, far apart.
    for number in 0..70_000_u64 {
        test.branch = Some(format!("branch-{}", number % 35_000));
        test.name = format!("case-{number:08}");
        writer.append(&TESTS, &test.values()).unwrap();
    }
    store.submit(writer.finish(info("many")).unwrap()).unwrap().wait().unwrap();
    store.flush().unwrap();
    let snapshot = store.snapshot();
    let bucket = Bucket::Day.start_of(test.at.as_micros());
    for rollup in rollups_of(&TESTS) {
        let groups = rolled_up(&snapshot, rollup.table.name);
        assert_eq!(groups.values().map(|known| known.rows).sum::<i64>(), 70_000, "{}", rollup.table.name);
        assert_eq!(groups.keys().map(|(_, start)| Bucket::Day.start_of(*start)).max(), Some(bucket));
    }
    assert!(snapshot.rows(rollup_named("tests_hourly").unwrap().table) > 35_000, "some were written early");
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

/// What tells the rows of a run apart: service, run, attempt, job, status, and the hour in microseconds.
type OfRun = (Option<String>, String, i64, Option<String>, String, i64);

/// How many results each run has, by all files together.
fn by_run(snapshot: &Snapshot) -> BTreeMap<OfRun, i64> {
    let mut runs = BTreeMap::new();
    for batch in crate::world::all_batches(snapshot, rollup_named("tests_by_run_hourly").unwrap().table) {
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name).unwrap().as_string_view();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let whole = |name: &str, row: usize| {
            batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().value(row)
        };
        let hours = batch.column_by_name("at").unwrap().as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let of_run = (
                text("service", row),
                text("run_id", row).unwrap(),
                whole("run_attempt", row),
                text("job_id", row),
                text("status", row).unwrap(),
                hours.value(row),
            );
            *runs.entry(of_run).or_default() += whole("row_count", row);
        }
    }
    runs
}

/// Results of a few runs, which come in the order of their numbers.
fn of_runs(numbers: impl Iterator<Item = u64>) -> Vec<manometer_model::records::Test> {
    let made = numbers.map(|number| {
        let mut test = test_result(number);
        test.run_id = format!("run-{}", number / 40);
        test.run_attempt = 1 + (number / 20 % 2) as i64;
        test.job_id = (number / 10 % 2 == 0).then(|| format!("job-{}", number / 10));
        test
    });
    made.collect()
}

fn send_tests(store: &Store, name: &str, tests: &[manometer_model::records::Test]) {
    let mut writer = store.writer();
    for test in tests {
        writer.append(&TESTS, &test.values()).unwrap();
    }
    store.submit(writer.finish(info(name)).unwrap()).unwrap().wait().unwrap();
}

fn expected_by_run(tests: &[manometer_model::records::Test]) -> BTreeMap<OfRun, i64> {
    let mut runs = BTreeMap::new();
    for test in tests {
        let of_run = (
            test.service.clone(),
            test.run_id.clone(),
            test.run_attempt,
            test.job_id.clone(),
            test.status.to_string(),
            Bucket::Hour.start_of(test.at.as_micros()),
        );
        *runs.entry(of_run).or_default() += 1;
    }
    runs
}

/// Takes some companions of runs off the list.
fn forget_runs(data: &Path, which: &str) -> usize {
    let catalog = rusqlite::Connection::open(data.join("meta.db")).unwrap();
    let forget = format!("DELETE FROM segment WHERE table_name = 'tests_by_run_hourly' AND {which}");
    catalog.execute(&forget, []).unwrap()
}

#[test]
fn runs_tell_what_they_reported_through_flush_merge_and_a_lost_companion() {
    let folder = tempfile::tempdir().unwrap();
    let all = of_runs(0..2_000);
    let store = open(folder.path());
    // One run comes in two deliveries, flushed apart.
    send_tests(&store, "first", &all[..1_010]);
    store.flush().unwrap();
    assert_eq!(by_run(&store.snapshot()), expected_by_run(&all[..1_010]));
    send_tests(&store, "second", &all[1_010..]);
    store.flush().unwrap();
    assert_eq!(by_run(&store.snapshot()), expected_by_run(&all));
    let table = rollup_named("tests_by_run_hourly").unwrap().table;
    let before = store.snapshot().rows(table);
    store.compact().unwrap();
    assert_eq!(by_run(&store.snapshot()), expected_by_run(&all), "after a merge of companions");
    let merged = store.snapshot().rows(table);
    assert!(merged <= before, "rows that agree are one: {merged} of {before}");
    companions(&store.snapshot());
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());

    // More rows of the same days, and of the segments that are merged with them one has lost its companion.
    assert!(
        forget_runs(
            folder.path(),
            "id = (SELECT max(id) FROM segment WHERE table_name = 'tests_by_run_hourly')"
        ) > 0
    );
    let store = open(folder.path());
    let more = of_runs(2_000..3_000);
    send_tests(&store, "third", &more);
    store.flush().unwrap();
    store.compact().unwrap();
    let together = [all, more].concat();
    assert_eq!(by_run(&store.snapshot()), expected_by_run(&together), "the rows themselves told");
    companions(&store.snapshot());
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_rollup_that_is_new_is_added_and_the_others_count_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let all = of_runs(0..500);
    send_tests(&store, "first", &all);
    store.flush().unwrap();
    store.close();
    forget_runs(folder.path(), "1 = 1");
    let catalog = rusqlite::Connection::open(folder.path().join("meta.db")).unwrap();
    catalog.execute("UPDATE segment SET rollup_version = 1", []).unwrap();
    drop(catalog);

    let store = open(folder.path());
    let snapshot = store.snapshot();
    assert!(snapshot.segments(&TESTS).iter().all(|segment| !segment.is_rolled_up()));
    let hourly = rollup_named("tests_hourly").unwrap().table;
    assert!(snapshot.segments(hourly).iter().all(|companion| companion.is_rolled_up()), "as good as before");
    drop(snapshot);
    store.compact().unwrap();
    companions(&store.snapshot());
    assert_eq!(by_run(&store.snapshot()), expected_by_run(&all));
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn segments_of_older_versions_are_rolled_up_by_and_by() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "first", 0..1_500);
    store.flush().unwrap();
    store.close();
    forget_companions(folder.path());

    let store = open(folder.path());
    assert!(store.snapshot().segments(&TESTS).iter().all(|segment| !segment.is_rolled_up()));
    let before = store.snapshot();
    assert!(rolled_up(&before, "tests_daily").is_empty());
    store.compact().unwrap();
    companions(&store.snapshot());
    assert_rolled_up(&store.snapshot(), 0..1_500, "after compaction");
    assert!(rolled_up(&before, "tests_daily").is_empty(), "a snapshot does not change");
    store.close();

    let store = open(folder.path());
    let files = files_below(&folder.path().join("segments"));
    store.compact().unwrap();
    assert_eq!(files_below(&folder.path().join("segments")), files, "once is enough");
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_companion_that_does_not_add_up_to_its_segment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    send(&store, "first", 0..10);
    store.flush().unwrap();
    send(&store, "second", 100..111);
    store.flush().unwrap();
    store.close();
    let catalog = rusqlite::Connection::open(folder.path().join("meta.db")).unwrap();
    // The companions of two segments of one day, of which one has a row more, change places.
    let mut segments: Vec<i64> = catalog
        .prepare(
            "SELECT id FROM segment WHERE table_name = 'tests' AND partition = 'day=2026-03-04' ORDER BY id",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let (second, first) = (segments.pop().unwrap(), segments.pop().unwrap());
    catalog
        .execute(
            "UPDATE segment SET rolls_up = CASE rolls_up WHEN ?1 THEN ?2 ELSE ?1 END WHERE rolls_up IN (?1, ?2)",
            [first, second],
        )
        .unwrap();
    drop(catalog);
    let report = check(folder.path(), &mut |_| {}).unwrap();
    assert_eq!(report.problems.len(), 2 * rollups_of(&TESTS).count(), "{:?}", report.problems);
    assert!(
        report.problems[0].what.contains("does not add up to the rows of segment"),
        "{:?}",
        report.problems
    );
}

#[test]
fn no_delivery_can_bring_rows_of_a_rollup() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for rollup in rollups() {
        let cells = vec![Value::Null; rollup.table.columns.len()];
        let refused = store.writer().append(rollup.table, &cells).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
        assert!(refused.to_string().contains("is not a table that records make"), "{refused}");
    }
    assert!(store.writer().append(&RUNS, &[]).is_err());
    store.close();
}

#[test]
fn rollups_stay_when_retention_takes_rows_and_describe_them_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = crate::world::TestClock::new();
    let settings = r#"{"tests": "2 days", "tests_hourly": "4 days", "rules": [
        {"table": "tests", "where": {"service": "service-1"}, "keep": "forever"}]}"#;
    let retention: manometer_model::retention::RetentionSettings = serde_json::from_str(settings).unwrap();
    let mut opened = options(folder.path());
    opened.clock = std::sync::Arc::clone(&clock) as std::sync::Arc<_>;
    opened.retention = retention.resolve().unwrap();
    let store = Store::open(opened.clone()).unwrap();
    send(&store, "first", 0..1_500);
    store.flush().unwrap();
    store.close();
    // Of a time before there were roll-ups: they are made before rows go.
    forget_companions(folder.path());
    let store = Store::open(opened).unwrap();
    clock.advance_seconds(5 * 86_400);
    store.retain().unwrap();
    assert_eq!(store.snapshot().rows(&TESTS), 1_500, "nothing goes that is not rolled up");
    store.compact().unwrap();
    store.retain().unwrap();
    let snapshot = store.snapshot();
    assert!(snapshot.rows(&TESTS) < 1_500);
    for name in ["tests_daily", "tests_by_service_hourly", "tests_by_service_daily", "tests_by_project_daily"]
    {
        assert_eq!(rolled_up(&snapshot, name), expected(0..1_500, name), "{name}");
    }
    assert_eq!(
        rolled_up(&snapshot, "tests_hourly"),
        expected(0..1_500, "tests_hourly"),
        "all in one file by now"
    );
    clock.advance_seconds(10 * 86_400);
    store.retain().unwrap();
    let snapshot = store.snapshot();
    assert!(rolled_up(&snapshot, "tests_hourly").is_empty(), "their own term is over");
    assert_eq!(rolled_up(&snapshot, "tests_daily"), expected(0..1_500, "tests_daily"));
    store.close();
    assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
}
