//! Planted facts of steps, pools, reports, artifacts and coverage: present in the stream, absent beside it.

use std::collections::{HashMap, HashSet};

use manometer_demo::planted::{
    ADDED_STEP, ARTIFACT_GROWTH, COVERAGE_DECLINE, MISSING_REPORTS, POOL_SHORTAGE,
};
use manometer_model::{Conclusion, Record};

use crate::support::{
    assert_near, days_between, default_organisation, for_each_run, hour, jobs_of, known_runs, quantile,
    weekday,
};

#[test]
fn every_planted_commit_is_among_the_commits() {
    let planted = default_organisation().planted();
    let mut found = HashMap::new();
    for upload in default_organisation().uploads() {
        for record in &upload.records {
            let Record::Commit(commit) = record else { continue };
            found.entry(commit.sha.clone()).or_insert((commit.title.clone(), commit.pushed_at));
        }
    }
    for commit in planted.commits() {
        assert_eq!(found[&commit.sha], (Some(commit.title.to_owned()), Some(commit.pushed_at)));
        let alike = found.values().filter(|(title, _)| title.as_deref() == Some(commit.title)).count();
        assert_eq!(alike, 1, "{}", commit.title);
    }
}

#[test]
fn the_added_step_is_in_every_build_since_its_commit_and_in_none_before() {
    let merged_at = default_organisation().planted().added_step.pushed_at;
    let mut seconds = Vec::new();
    let mut run_seconds = [Vec::new(), Vec::new()];
    for_each_run(|run, upload| {
        let branch = run.branch.as_deref().unwrap();
        let is_after = run.queued_at.unwrap() > merged_at;
        let step = upload.records.iter().find_map(|record| match record {
            Record::Step(step) if step.name.as_deref() == Some(ADDED_STEP.step) => Some(step),
            _ => None,
        });
        let is_ci_of_shop = run.project == ADDED_STEP.project && run.pipeline.as_deref() == Some("ci");
        if let Some(step) = step {
            assert!(
                is_after && is_ci_of_shop && step.job_name.as_deref() == Some(ADDED_STEP.job),
                "{}",
                upload.key
            );
            seconds.push(step.duration_seconds.unwrap());
        } else if is_after && is_ci_of_shop && run.conclusion == Some(Conclusion::Success) {
            let waits_for_next_cut =
                branch.starts_with("release/") && days_between(merged_at, run.queued_at.unwrap()) < 8.0;
            assert!(waits_for_next_cut, "{} has no such step", upload.key);
        }
        let near = days_between(merged_at, run.queued_at.unwrap()).abs() < 14.0;
        if near && is_ci_of_shop && branch == "main" && run.conclusion == Some(Conclusion::Success) {
            run_seconds[usize::from(is_after)].push(run.duration_seconds.unwrap());
        }
    });
    assert_near(quantile(&mut seconds, 0.5), ADDED_STEP.seconds, 15.0, "the step");
    let [before, after] = &mut run_seconds;
    assert_near(quantile(after, 0.5) - quantile(before, 0.5), ADDED_STEP.seconds, 120.0, "the run");
}

#[test]
fn jobs_wait_for_the_short_pool_in_working_hours_of_its_weeks_only() {
    let (from, until) = default_organisation().planted().pool_shortage;
    let mut waits: HashMap<(String, bool, bool), Vec<f64>> = HashMap::new();
    for (_, jobs) in known_runs() {
        for job in jobs {
            let (Some(pool), Some(queued_at)) = (&job.runner_pool, job.queued_at) else { continue };
            let is_working_hour = match (weekday(queued_at), hour(queued_at)) {
                (1..4, 9..12 | 14..17) => true,
                (_, 0..5) => false,
                _ => continue,
            };
            let is_short = (from..until).contains(&queued_at);
            waits
                .entry((pool.clone(), is_short, is_working_hour))
                .or_default()
                .push(job.queue_seconds.unwrap());
        }
    }
    let mut median = |pool: &str, is_short, is_working_hour| {
        quantile(waits.get_mut(&(pool.to_owned(), is_short, is_working_hour)).unwrap(), 0.5)
    };
    let pool = POOL_SHORTAGE.pool;
    assert!(median(pool, true, true) > 300.0, "{}", median(pool, true, true));
    assert!(median(pool, true, true) > 15.0 * median(pool, false, true));
    assert!(median(pool, true, false) < 30.0, "the nights are quiet");
    assert!(median("linux-small", true, true) < 2.0 * median("linux-small", false, true));
}

#[test]
fn reports_are_missing_where_they_are_planted_and_known_jobs_have_tests_elsewhere() {
    let (from, until) = default_organisation().planted().missing_reports;
    let mut lost = 0;
    let mut whole = 0;
    for_each_run(|run, upload| {
        let mut jobs_with_tests = HashSet::new();
        upload.for_each_test(|test| {
            jobs_with_tests.insert(test.job_id.clone().unwrap());
        });
        for job in jobs_of(upload) {
            let is_lost = job.failure_reason.as_deref() == Some(MISSING_REPORTS.failure_reason);
            if is_lost {
                assert_eq!(job.service.as_deref(), Some(MISSING_REPORTS.service));
                assert!((from..until).contains(&job.finished_at.unwrap()) || job.started_at.unwrap() < until);
                assert!(!jobs_with_tests.contains(&job.job_id));
                assert_eq!(job.conclusion, Some(Conclusion::Failure));
                lost += 1;
            }
            let executes_tests = matches!(job.name.as_deref(), Some("unit" | "integration" | "e2e"));
            if executes_tests && job.conclusion == Some(Conclusion::Success) {
                assert!(jobs_with_tests.contains(&job.job_id), "{}", upload.key);
                assert!(
                    run.service.as_deref() != Some(MISSING_REPORTS.service)
                        || !(from.plus_seconds(7_200.0)..until.plus_seconds(-7_200.0))
                            .contains(&job.started_at.unwrap())
                );
                whole += 1;
            }
        }
    });
    assert!(lost >= 20, "{lost}");
    assert!(whole > 10_000, "{whole}");
}

#[test]
fn one_provider_is_silent_for_a_day_on_which_the_others_are_heard() {
    let silent_day = default_organisation().planted().silent_day;
    assert!((silent_day + 3).rem_euclid(7) < 5, "a silent weekend would not be missed");
    let mut runs: HashMap<(String, i32), u32> = HashMap::new();
    for (run, _) in known_runs() {
        for at in [run.queued_at, run.finished_at] {
            *runs.entry((run.provider.clone(), at.unwrap().day())).or_default() += 1;
        }
    }
    let count = |provider: &str, day| runs.get(&(provider.to_owned(), day)).copied().unwrap_or_default();
    assert_eq!(count(MISSING_REPORTS.silent_provider, silent_day), 0);
    assert!(count(MISSING_REPORTS.silent_provider, silent_day - 7) > 5);
    assert!(count("github", silent_day) > 50 && count("jenkins", silent_day) > 3);
}

#[test]
fn the_image_grows_at_its_commit_and_the_bundle_beside_it_does_not() {
    let merged_at = default_organisation().planted().artifact_growth.pushed_at;
    let mut sizes: HashMap<(String, bool), Vec<f64>> = HashMap::new();
    for_each_run(|run, upload| {
        let is_release = run.branch.as_deref().unwrap().starts_with("release/");
        if run.service.as_deref() != Some(ARTIFACT_GROWTH.service) || is_release {
            return;
        }
        for record in &upload.records {
            let Record::Artifact(artifact) = record else { continue };
            let is_after = run.queued_at.unwrap() > merged_at;
            sizes.entry((artifact.name.clone(), is_after)).or_default().push(artifact.size_bytes as f64);
        }
    });
    let mut ratio = |name: &str| {
        let after = quantile(sizes.get_mut(&(name.to_owned(), true)).unwrap(), 0.5);
        after / quantile(sizes.get_mut(&(name.to_owned(), false)).unwrap(), 0.5)
    };
    assert_near(ratio(ARTIFACT_GROWTH.artifact), ARTIFACT_GROWTH.factor, 0.05, "the image");
    assert_near(ratio("checkout-bundle"), 1.0, 0.05, "the bundle");
}

#[test]
fn coverage_of_one_service_declines_and_that_of_the_others_stays() {
    let organisation = default_organisation();
    let mut ratios: HashMap<(String, bool), (f64, f64)> = HashMap::new();
    for_each_run(|run, upload| {
        let passed = days_between(organisation.start(), run.queued_at.unwrap());
        if (7.0..83.0).contains(&passed) {
            return;
        }
        for record in &upload.records {
            let Record::Coverage(coverage) = record else { continue };
            if coverage.scope == "total" {
                let ratio = coverage.lines_covered.unwrap() as f64 / coverage.lines_valid.unwrap() as f64;
                let sum = ratios.entry((coverage.service.clone().unwrap(), passed > 83.0)).or_default();
                *sum = (sum.0 + ratio, sum.1 + 1.0);
            }
        }
    });
    for service in organisation.services() {
        let mean = |is_late| {
            let (sum, count) = ratios[&(service.to_owned(), is_late)];
            sum / count
        };
        let is_planted = service == COVERAGE_DECLINE.service;
        let expected = if is_planted { COVERAGE_DECLINE.to_ratio - COVERAGE_DECLINE.from_ratio } else { 0.0 };
        assert_near(mean(true) - mean(false), expected, 0.015, service);
    }
}
