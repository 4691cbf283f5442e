//! The rows that are asked about: 90 days of a company with 40 services and 50,000 tests, in a real store.
//!
//! A run executes all tests of one service; some services run ten times as often as others. What a test takes is its own
//! usual time (log-normal over the tests: most take milliseconds, some minutes) with some noise, in milliseconds as
//! frameworks report it. One test result in a hundred fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use manometer_model::records::{TESTS, Test};
use manometer_model::{Row as _, TestId, TestStatus, Timestamp};
use manometer_store::{FlushPolicy, Outcome, Store, StoreOptions};

use crate::filled::{FIRST_SECOND, delivery_of_day, filled};
use crate::report::note;

pub(super) const DAYS: u64 = 90;
const SERVICES: u64 = 40;
const TESTS_OF_SERVICE: u64 = 1_250;
const FILLERS: usize = 2;
/// Of this file: another version makes other rows.
const VERSION: u32 = 6;

/// A service and its repository.
pub(super) struct Service {
    pub(super) project: String,
    pub(super) name: String,
}

/// How many rows make how many runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    runs_a_day: u64,
}

impl Shape {
    pub(super) fn of(rows: u64) -> Self {
        Self { runs_a_day: rows.div_ceil(DAYS * TESTS_OF_SERVICE).max(1) }
    }

    pub(super) fn midnight(day: u64) -> Timestamp {
        Timestamp::from_seconds(FIRST_SECOND + day as i64 * 86_400)
    }

    pub(super) fn service(self, number: u64) -> Service {
        const AREAS: [&str; 8] =
            ["payments", "search", "checkout", "identity", "catalog", "mobile", "billing", "platform"];
        let area = AREAS.get((number % 8) as usize).copied().unwrap_or_default();
        Service { project: format!("github.com/acme/{area}"), name: format!("{area}-{number:02}") }
    }

    /// A test of a service, with nothing that changes from run to run.
    pub(super) fn test(self, service: u64, number: u64) -> Test {
        let Service { project, name } = self.service(service);
        let suite = format!("{name} > integration {}", number / 250);
        let classname = format!("com.acme.{}.Scenario{:03}Test", name.replace('-', "_"), number / 25);
        let test = format!("keeps_promise_{number}_when_the_backend_is_slow");
        Test {
            provider: "github".to_owned(),
            project,
            service: Some(name),
            pipeline: Some("ci".to_owned()),
            run_attempt: 1,
            test_id: TestId::new(&suite, &classname, &test, "", 0),
            suite: Some(suite),
            classname: Some(classname),
            name: test,
            attempt: 1,
            is_final: true,
            ..Test::default()
        }
    }
}

/// How many rows a folder has that was prepared with so many: whole runs.
pub(crate) fn stored_rows(rows: u64) -> u64 {
    Shape::of(rows).runs_a_day * DAYS * TESTS_OF_SERVICE
}

/// The data folder with so many rows; filled when it is not there yet.
pub(crate) fn prepared(folder: &Path, rows: u64) -> anyhow::Result<PathBuf> {
    let name = format!("manometer-bench-percentiles-v{VERSION}-{rows}");
    filled(folder, &name, rows, |data| fill(data, rows))
}

fn fill(data: &Path, rows: u64) -> anyhow::Result<()> {
    let mut options = StoreOptions::new(data);
    options.flush = FlushPolicy { background: false, ..FlushPolicy::default() };
    let store = Store::open(options)?;
    let shape = Shape::of(rows);
    let next = AtomicU64::new(0);
    // While one sorts a day, the other makes up the next.
    let fill_days = &|| -> anyhow::Result<()> {
        let mut tests: Vec<Vec<Test>> = (0..SERVICES)
            .map(|service| (0..TESTS_OF_SERVICE).map(|number| shape.test(service, number)).collect())
            .collect();
        loop {
            let day = next.fetch_add(1, Ordering::Relaxed);
            if day >= DAYS {
                return Ok(());
            }
            fill_day(&store, day, shape, &mut tests)?;
            if day % 10 == 9 {
                note(&format!("percentiles: {} of {DAYS} days", day + 1));
            }
        }
    };
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let fillers: Vec<_> = (0..FILLERS).map(|_| scope.spawn(fill_days)).collect();
        for filler in fillers {
            filler.join().map_err(|_| anyhow::anyhow!("a filler panicked"))??;
        }
        Ok(())
    })?;
    store.flush()?;
    store.compact()?;
    store.clean_up()?;
    store.close();
    Ok(())
}

fn fill_day(store: &Store, day: u64, shape: Shape, tests: &mut [Vec<Test>]) -> anyhow::Result<()> {
    let mut chance = fastrand::Rng::with_seed(day);
    let midnight = Shape::midnight(day);
    let mut writer = store.writer();
    for run in 0..shape.runs_a_day {
        // The square makes the first services run more often than the last.
        let service = if run < SERVICES { run } else { (chance.f64().powi(2) * SERVICES as f64) as u64 };
        let begun = midnight.plus_seconds(run as f64 / shape.runs_a_day as f64 * 86_000.0);
        let run_id = format!("{day:03}{run:06}");
        let branch =
            if chance.f64() < 0.6 { "main".to_owned() } else { format!("change-{}", chance.u32(0..3_000)) };
        let commit = format!("{:040x}", chance.u128(..));
        let Some(tests) = tests.get_mut(service as usize) else { continue };
        for (number, row) in tests.iter_mut().enumerate() {
            row.run_id.clone_from(&run_id);
            row.branch.get_or_insert_default().clone_from(&branch);
            row.is_default_branch = Some(branch == "main");
            row.commit_sha.get_or_insert_default().clone_from(&commit);
            row.status = if chance.f64() < 0.01 { TestStatus::Failed } else { TestStatus::Passed };
            row.duration_seconds = Some(duration(number as u64 + service * TESTS_OF_SERVICE, &mut chance));
            row.at = begun.plus_seconds(number as f64 * 0.01);
            writer.append(&TESTS, &row.values())?;
        }
    }
    let delivery = writer.finish(delivery_of_day(day, midnight))?;
    let outcome = store.submit(delivery)?.wait()?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "day {day} was there already");
    store.flush()?;
    Ok(())
}

/// What an execution of a test takes, in seconds to the millisecond.
fn duration(test: u64, chance: &mut fastrand::Rng) -> f64 {
    let usual = 0.05 * (1.5 * normal(&mut fastrand::Rng::with_seed(test))).exp();
    let seconds = usual * (0.25 * normal(chance)).exp();
    (seconds * 1_000.0).round() / 1_000.0
}

/// Nearly a standard normal number.
fn normal(chance: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| chance.f64()).sum::<f64>() - 6.0
}
