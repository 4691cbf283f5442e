//! Organisations to count in, and the counting.

use std::collections::HashMap;
use std::sync::OnceLock;

use manometer_demo::{DemoOptions, Organisation, Upload};
use manometer_model::records::{Job, Run, Test};
use manometer_model::{Record, Timestamp};

/// A Saturday morning, in the middle of an hour.
pub(crate) fn present() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T06:37:11Z").unwrap()
}

/// The default organisation, made up once.
pub(crate) fn default_organisation() -> &'static Organisation {
    static DEFAULT: OnceLock<Organisation> = OnceLock::new();
    DEFAULT.get_or_init(|| Organisation::new(DemoOptions::ending_at(present())).unwrap())
}

/// A quarter of the default's size.
pub(crate) fn small_options() -> DemoOptions {
    DemoOptions { services: 12, tests_total: 200_000, days: 60, ..DemoOptions::ending_at(present()) }
}

/// The run of an upload, where it is one of a run.
pub(crate) fn run_of<'a>(upload: &'a Upload<'_>) -> Option<&'a Run> {
    upload.records.iter().find_map(|record| match record {
        Record::Run(run) => Some(run),
        _ => None,
    })
}

/// The jobs of an upload.
pub(crate) fn jobs_of<'a>(upload: &'a Upload<'_>) -> impl Iterator<Item = &'a Job> {
    upload.records.iter().filter_map(|record| match record {
        Record::Job(job) => Some(job),
        _ => None,
    })
}

/// Visits the runs of the default organisation, with their uploads.
pub(crate) fn for_each_run(mut visit: impl FnMut(&Run, &Upload<'_>)) {
    for upload in default_organisation().uploads() {
        if let Some(run) = run_of(&upload) {
            visit(run, &upload);
        }
    }
}

/// The runs of the default organisation with their jobs, collected once.
pub(crate) fn known_runs() -> &'static [(Run, Vec<Job>)] {
    static RUNS: OnceLock<Vec<(Run, Vec<Job>)>> = OnceLock::new();
    RUNS.get_or_init(|| {
        let mut runs = Vec::new();
        for_each_run(|run, upload| runs.push((run.clone(), jobs_of(upload).cloned().collect())));
        runs
    })
}

/// Visits the tests of one service of the default organisation, each with the name of the runner it ran on.
pub(crate) fn for_each_test_of(service: &str, mut visit: impl FnMut(&Test, &str)) {
    for_each_run(|run, upload| {
        if run.service.as_deref() != Some(service) {
            return;
        }
        let runners: HashMap<&str, &str> = jobs_of(upload)
            .filter_map(|job| Some((job.job_id.as_str(), job.runner_name.as_deref()?)))
            .collect();
        upload.for_each_test(|test| visit(test, runners[test.job_id.as_deref().unwrap()]));
    });
}

/// The quantile of numbers, by the nearest rank.
pub(crate) fn quantile(numbers: &mut [f64], quantile: f64) -> f64 {
    assert!(numbers.len() >= 20, "{} are too few numbers to judge", numbers.len());
    numbers.sort_by(f64::total_cmp);
    numbers[((numbers.len() - 1) as f64 * quantile).round() as usize]
}

/// Asserts that a number lies near another.
pub(crate) fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: found {found}, expected {expected} ± {tolerance}"
    );
}

/// Days from one moment to another.
pub(crate) fn days_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.seconds_since(earlier) / 86_400.0
}

/// The weekday, Monday = 0.
pub(crate) fn weekday(at: Timestamp) -> i32 {
    (at.day() + 3).rem_euclid(7)
}

/// The hour of the day.
pub(crate) fn hour(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(3_600_000_000).rem_euclid(24)
}
