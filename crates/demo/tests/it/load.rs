//! People work in working hours, and runners run short then.

use crate::support::{default_organisation, hour, known_runs, quantile, weekday};

#[test]
fn people_push_on_weekdays_and_in_working_hours() {
    let (mut by_weekday, mut by_hour) = ([0_u32; 7], [0_u32; 24]);
    for (run, _) in known_runs() {
        if run.pipeline.as_deref() == Some("ci") {
            by_weekday[weekday(run.queued_at.unwrap()) as usize] += 1;
            by_hour[hour(run.queued_at.unwrap()) as usize] += 1;
        }
    }
    let busiest_weekend_day = by_weekday[5].max(by_weekday[6]);
    assert!(by_weekday[..5].iter().all(|runs| *runs > 5 * busiest_weekend_day), "{by_weekday:?}");
    assert!(by_hour[9..17].iter().all(|runs| *runs > 4 * by_hour[2]), "{by_hour:?}");
    assert!(by_hour[12] < by_hour[10], "nobody has lunch: {by_hour:?}");
}

#[test]
fn nightly_runs_come_at_night_on_every_day() {
    let mut by_weekday = [0_u32; 7];
    for (run, _) in known_runs() {
        if run.pipeline.as_deref() == Some("nightly") && run.attempt == 1 {
            assert_eq!(run.trigger.as_deref(), Some("schedule"));
            assert!((1..3).contains(&hour(run.queued_at.unwrap())));
            by_weekday[weekday(run.queued_at.unwrap()) as usize] += 1;
        }
    }
    assert!(by_weekday.iter().all(|runs| *runs > 100), "{by_weekday:?}");
}

#[test]
fn holidays_are_as_quiet_as_sundays() {
    let end = default_organisation().end().day();
    let mut runs_of_day = vec![0_u32; 92];
    for (run, _) in known_runs() {
        if run.pipeline.as_deref() == Some("ci") {
            runs_of_day[(end - run.queued_at.unwrap().day()) as usize] += 1;
        }
    }
    // 2026-09-29 and 2026-09-30 against the Tuesday and Wednesday of the week before.
    for holiday in [52, 53] {
        assert!(runs_of_day[holiday] * 5 < runs_of_day[holiday + 7], "{runs_of_day:?}");
    }
}

#[test]
fn the_company_grows() {
    let organisation = default_organisation();
    let mut runs = [0_u32; 2];
    for (run, _) in known_runs() {
        let passed = run.queued_at.unwrap().seconds_since(organisation.start()) / 86_400.0;
        if run.pipeline.as_deref() == Some("ci") && !(28.0..=62.0).contains(&passed) {
            runs[usize::from(passed > 62.0)] += 1;
        }
    }
    assert!(f64::from(runs[1]) > 1.1 * f64::from(runs[0]), "{runs:?}");
}

#[test]
fn jobs_wait_longer_when_more_are_at_work() {
    let (from, until) = default_organisation().planted().pool_shortage;
    let (mut busy, mut quiet) = (Vec::new(), Vec::new());
    for (_, jobs) in known_runs() {
        for job in jobs.iter().filter(|job| job.runner_pool.as_deref() == Some("linux-large")) {
            let queued_at = job.queued_at.unwrap();
            if (from..until).contains(&queued_at) {
                continue;
            }
            match (weekday(queued_at), hour(queued_at)) {
                (0..5, 9 | 10 | 15) => busy.push(job.queue_seconds.unwrap()),
                (_, 0..5) => quiet.push(job.queue_seconds.unwrap()),
                _ => {}
            }
        }
    }
    assert!(quantile(&mut busy, 0.5) > 2.0 * quantile(&mut quiet, 0.5));
}

#[test]
fn every_kind_of_trigger_branch_and_ending_occurs() {
    let mut seen = std::collections::BTreeMap::<(&str, String), u32>::new();
    for (run, _) in known_runs() {
        let branch = match run.branch.as_deref().unwrap() {
            "main" | "master" => "default",
            name if name.starts_with("release/") => "release",
            _ => "change",
        };
        for (kind, word) in [
            ("trigger", run.trigger.clone().unwrap()),
            ("conclusion", run.conclusion.unwrap().to_string()),
            ("branch", branch.to_owned()),
            ("attempt", run.attempt.to_string()),
            ("provider", run.provider.clone()),
        ] {
            *seen.entry((kind, word)).or_default() += 1;
        }
    }
    for (kind, words) in [
        ("trigger", vec!["push", "pull_request", "merge_request", "schedule", "manual", "deployment"]),
        ("conclusion", vec!["success", "failure", "cancelled"]),
        ("branch", vec!["default", "release", "change"]),
        ("attempt", vec!["1", "2"]),
        ("provider", vec!["github", "gitlab", "jenkins"]),
    ] {
        for word in words {
            let count = seen.get(&(kind, word.to_owned())).copied().unwrap_or_default();
            assert!(count >= 50, "{kind} {word}: {count}");
        }
    }
}
