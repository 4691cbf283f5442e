//! Planted facts of tests: present in the stream, absent beside it.

use std::collections::HashMap;

use manometer_demo::planted::{
    RERUN_FLAKY, RUNNER_FAILURE, SHARED_LIBRARY, VALIDATION_LIBRARY, WEDNESDAY_FAILURE,
};
use manometer_demo::{DemoOptions, Organisation};
use manometer_model::Timestamp;

use crate::support::{
    assert_near, days_between, default_organisation, for_each_run, for_each_test_of, quantile, small_options,
    weekday,
};

#[derive(Default, Clone, Copy)]
struct Count {
    executions: u32,
    failures: u32,
}

impl Count {
    fn add(&mut self, failed: bool) {
        self.executions += 1;
        self.failures += u32::from(failed);
    }

    fn rate(self) -> f64 {
        f64::from(self.failures) / f64::from(self.executions.max(1))
    }
}

#[test]
fn the_wednesday_test_fails_on_three_wednesdays_of_ten_executions_and_never_else() {
    let fact = WEDNESDAY_FAILURE;
    let mut planted = [Count::default(); 2];
    let mut others: HashMap<_, Count> = HashMap::new();
    for_each_test_of(fact.service, |test, _| {
        let is_wednesday = weekday(test.at) == 2;
        if test.name == fact.test {
            assert_eq!(test.classname.as_deref(), Some(fact.classname));
            planted[usize::from(is_wednesday)].add(test.status.is_failure());
        } else if is_wednesday {
            others.entry(test.test_id).or_default().add(test.status.is_failure());
        }
    });
    assert!(planted[1].executions > 80);
    assert_near(planted[1].rate(), fact.failure_rate, 0.1, "on Wednesdays");
    assert_eq!(planted[0].failures, 0);
    assert!(others.values().all(|count| count.rate() < 0.08), "another test of the service looks the same");
}

#[test]
fn wednesdays_are_wednesdays_whatever_day_it_is_today() {
    for day in 0..7 {
        let end =
            Timestamp::parse_rfc3339("2026-03-02T11:20:00Z").unwrap().plus_seconds(f64::from(day) * 86_400.0);
        let organisation = Organisation::new(DemoOptions { end, ..small_options() }).unwrap();
        let mut failures = 0;
        for upload in organisation.uploads() {
            upload.for_each_test(|test| {
                if test.name == WEDNESDAY_FAILURE.test && test.status.is_failure() {
                    assert_eq!(weekday(test.at), 2, "{}", test.at);
                    failures += 1;
                }
            });
        }
        assert!(failures >= 3, "{failures} failures when today is {end}");
        for commit in organisation.planted().commits() {
            assert!(weekday(commit.pushed_at) < 5, "{} is pushed at {}", commit.title, commit.pushed_at);
        }
    }
}

/// A service's test durations over the days before a moment, and over those after it.
fn before_and_after(service: &str, moment: Timestamp, days: f64) -> [Vec<f64>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    for_each_test_of(service, |test, _| {
        let passed = days_between(moment, test.at);
        // Changes under review execute no end-to-end tests: in another mix another quantile means nothing.
        let is_ci_of_main = test.is_default_branch == Some(true) && test.pipeline.as_deref() == Some("ci");
        if passed.abs() < days && is_ci_of_main {
            sides[usize::from(passed >= 0.0)].push(test.duration_seconds.unwrap());
        }
    });
    sides
}

#[test]
fn the_validation_library_slows_the_tests_of_payments_only() {
    let merged_at = default_organisation().planted().validation_library.pushed_at;
    for (service, expected, tolerance) in
        [("payments", VALIDATION_LIBRARY.factor, 0.25), ("inventory", 1.0, 0.1)]
    {
        let [mut before, mut after] = before_and_after(service, merged_at, 14.0);
        for wanted in [0.5, 0.99] {
            let ratio = quantile(&mut after, wanted) / quantile(&mut before, wanted);
            assert_near(ratio, expected, tolerance, &format!("{service} {wanted}"));
        }
    }
}

#[test]
fn the_shared_library_slows_six_services_at_once_and_no_other() {
    let merged_at = default_organisation().planted().shared_library.pushed_at;
    let mut sides: HashMap<String, [(f64, u32); 2]> = HashMap::new();
    for_each_run(|run, upload| {
        let passed = days_between(merged_at, run.queued_at.unwrap());
        let is_ci = run.pipeline.as_deref() == Some("ci") && run.branch.as_deref() == Some("main");
        if passed.abs() > 12.0 || !is_ci {
            return;
        }
        let service = run.service.clone().unwrap();
        let side = &mut sides.entry(service).or_default()[usize::from(passed >= 0.0)];
        upload.for_each_test(|test| {
            if test.job_name.as_deref() == Some("integration") && test.duration_seconds.unwrap() > 0.0 {
                *side = (side.0 + test.duration_seconds.unwrap().ln(), side.1 + 1);
            }
        });
    });
    let mut slowed = 0;
    for (service, [before, after]) in
        sides.into_iter().filter(|(_, [before, after])| before.1.min(after.1) > 100)
    {
        let ratio = (after.0 / f64::from(after.1) - before.0 / f64::from(before.1)).exp();
        let is_planted = SHARED_LIBRARY.services.contains(&service.as_str());
        let expected = if is_planted { SHARED_LIBRARY.factor } else { 1.0 };
        assert_near(ratio, expected, 0.12, &service);
        slowed += usize::from(is_planted);
    }
    assert_eq!(slowed, SHARED_LIBRARY.services.len());
}

#[test]
fn the_rerun_flaky_test_fails_first_and_always_passes_in_the_end() {
    let fact = RERUN_FLAKY;
    let mut finals = Count::default();
    let mut first = Count::default();
    let mut most_attempts = 0;
    let mut others: HashMap<_, Count> = HashMap::new();
    for_each_test_of(fact.service, |test, _| {
        if test.name != fact.test {
            if test.attempt == 1 {
                others.entry(test.test_id).or_default().add(test.status.is_failure());
            }
            return;
        }
        most_attempts = most_attempts.max(test.attempt);
        if test.is_final {
            finals.add(test.status.is_failure());
        }
        if test.attempt == 1 {
            first.add(test.status.is_failure());
        }
    });
    assert!(first.executions > 300);
    assert_near(first.rate(), fact.failure_rate, 0.07, "first attempts");
    assert_eq!((finals.failures, finals.executions), (0, first.executions));
    assert_eq!(most_attempts, i64::from(fact.attempts_max));
    assert!(others.values().all(|count| count.rate() < 0.05));
}

#[test]
fn the_runner_dependent_test_fails_on_its_runner_and_nowhere_else() {
    let fact = RUNNER_FAILURE;
    let mut here = Count::default();
    let mut elsewhere = Count::default();
    let mut others_here: HashMap<_, Count> = HashMap::new();
    for_each_test_of(fact.service, |test, runner| {
        let is_there = runner == fact.runner_name;
        match (test.name == fact.test, is_there) {
            (true, true) => here.add(test.status.is_failure()),
            (true, false) => elsewhere.add(test.status.is_failure()),
            (false, true) => others_here.entry(test.test_id).or_default().add(test.status.is_failure()),
            (false, false) => {}
        }
    });
    assert!(here.executions > 25);
    assert_near(here.rate(), fact.failure_rate, 0.15, "on the runner");
    assert!(elsewhere.executions > 300 && elsewhere.failures == 0);
    assert!(others_here.values().all(|count| count.executions < 10 || count.rate() < 0.2));
}
