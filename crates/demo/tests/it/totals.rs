//! Totals are near what was asked for, from one day to years.

use manometer_demo::{DemoOptions, Organisation};

use crate::support::{assert_near, default_organisation, present, run_of};

#[test]
fn the_default_has_two_million_tests_of_twenty_four_services_on_three_providers() {
    let organisation = default_organisation();
    assert_near(organisation.total_tests() as f64, 2_000_000.0, 20_000.0, "tests");
    assert_eq!(organisation.services().count(), 24);
    let mut projects: Vec<(String, String)> = organisation
        .uploads()
        .filter_map(|upload| run_of(&upload).map(|run| (run.provider.clone(), run.project.clone())))
        .collect();
    projects.sort();
    projects.dedup();
    assert_eq!(projects.len(), 5, "{projects:?}");
}

#[test]
fn totals_known_beforehand_are_those_of_the_stream() {
    let organisation = default_organisation();
    let (mut uploads, mut runs, mut tests) = (0, 0, 0);
    for upload in organisation.uploads() {
        uploads += 1;
        runs += u64::from(run_of(&upload).is_some());
        let mut visited = 0;
        upload.for_each_test(|_| visited += 1);
        assert_eq!(visited, upload.tests(), "{}", upload.key);
        tests += visited;
    }
    assert_eq!(
        (uploads, runs, tests),
        (organisation.total_uploads(), organisation.total_runs(), organisation.total_tests())
    );
}

#[test]
fn organisations_of_any_size_come_near_the_wished_number_of_tests() {
    for (days, services, tests_total, tolerance) in [
        (1, 1, 300, 0.6),
        (1, 3, 5_000, 0.25),
        (7, 24, 100_000, 0.05),
        (30, 6, 50_000, 0.05),
        (90, 40, 500_000, 0.02),
        (365, 24, 300_000, 0.02),
    ] {
        let options = DemoOptions { days, services, tests_total, ..DemoOptions::ending_at(present()) };
        let organisation = Organisation::new(options).unwrap();
        let wished = tests_total as f64;
        assert_near(organisation.total_tests() as f64, wished, wished * tolerance, &format!("{options:?}"));
        assert!(organisation.total_runs() > 0);
    }
}

#[test]
fn a_day_that_ends_at_midnight_or_on_a_sunday_is_not_empty() {
    for end in ["2026-11-21T00:00:00Z", "2026-11-22T23:59:59Z", "2026-01-01T00:30:00Z"] {
        let end = manometer_model::Timestamp::parse_rfc3339(end).unwrap();
        let options = DemoOptions { days: 1, services: 3, tests_total: 2_000, ..DemoOptions::ending_at(end) };
        assert!(Organisation::new(options).unwrap().total_tests() > 1_000, "{end}");
    }
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let options = DemoOptions::ending_at(present());
    for (wrong, name) in [
        (DemoOptions { days: 0, ..options }, "days"),
        (DemoOptions { days: 4_000, ..options }, "days"),
        (DemoOptions { services: 0, ..options }, "services"),
        (DemoOptions { tests_total: 0, ..options }, "tests_total"),
    ] {
        let refused = Organisation::new(wrong).unwrap_err().to_string();
        assert!(refused.contains(name), "{refused}");
    }
}
