//! What belongs together fits together: statuses, times, keys, jobs and their runs.

use std::collections::{HashMap, HashSet};

use manometer_demo::Organisation;
use manometer_model::records::{RowDyn, Run};
use manometer_model::{Conclusion, EntityKey, Record, Value};

use crate::support::{default_organisation, for_each_run, jobs_of, known_runs, small_options};

#[test]
fn keys_of_uploads_runs_and_jobs_are_unique() {
    let mut keys = HashSet::new();
    let mut entities = HashSet::new();
    for upload in default_organisation().uploads() {
        for record in &upload.records {
            if matches!(record, Record::Run(_) | Record::Job(_) | Record::Deployment(_)) {
                let key = EntityKey::of_values(record.row().table_of(), &record.row().cells()).unwrap();
                assert!(entities.insert(key.clone()), "{key} occurs twice");
            }
        }
        assert!(keys.insert(upload.key.clone()), "{} occurs twice", upload.key);
    }
}

#[test]
fn uploads_come_in_order_and_nothing_is_outside_of_history() {
    let organisation = Organisation::new(small_options()).unwrap();
    let (start, end) = (organisation.start(), organisation.end());
    let check = |row: &dyn RowDyn| {
        for (column, cell) in row.table_of().columns.iter().zip(row.cells()) {
            // Commits may be written before history begins.
            if let (Value::Time(at), false) = (cell, matches!(column.name, "authored_at" | "committed_at")) {
                assert!((start..=end).contains(&at), "{}.{}: {at}", row.table_of().name, column.name);
            }
        }
    };
    let mut before = start;
    for upload in organisation.uploads() {
        assert!(before <= upload.at, "{}", upload.key);
        before = upload.at;
        upload.records.iter().for_each(|record| check(record.row()));
        upload.for_each_test(|test| check(test));
    }
}

#[test]
fn a_failed_test_fails_its_job_and_its_run_unless_the_job_may_fail() {
    let mut failed_jobs = 0;
    let mut forgiven = 0;
    for_each_run(|run, upload| {
        let mut failing = HashSet::new();
        upload.for_each_test(|test| {
            if test.is_final && test.status.is_failure() {
                failing.insert(test.job_id.clone().unwrap());
            }
        });
        for job in jobs_of(upload) {
            let ended_badly = matches!(job.conclusion, Some(Conclusion::Failure | Conclusion::Error));
            if failing.contains(&job.job_id) {
                assert!(ended_badly, "{} of {}", job.job_id, upload.key);
                failed_jobs += 1;
            }
            if ended_badly && job.allowed_to_fail == Some(false) {
                assert!(
                    matches!(run.conclusion, Some(Conclusion::Failure | Conclusion::Cancelled)),
                    "{}",
                    upload.key
                );
            }
            forgiven += u32::from(ended_badly && run.conclusion == Some(Conclusion::Success));
        }
        if run.conclusion == Some(Conclusion::Failure) {
            assert!(
                jobs_of(upload).any(|job| job.failure_reason.is_some() && job.allowed_to_fail == Some(false)),
                "{} fails without a reason",
                upload.key
            );
        }
    });
    assert!(failed_jobs > 300 && forgiven > 5, "{failed_jobs} {forgiven}");
}

#[test]
fn every_test_of_a_job_has_one_final_execution_and_attempts_count_up() {
    let organisation = Organisation::new(small_options()).unwrap();
    for upload in organisation.uploads() {
        let mut attempts: HashMap<_, Vec<(i64, bool)>> = HashMap::new();
        upload.for_each_test(|test| {
            attempts
                .entry((test.job_id.clone(), test.test_id))
                .or_default()
                .push((test.attempt, test.is_final));
        });
        for (test, executions) in attempts {
            let last = executions.len();
            for (position, execution) in executions.into_iter().enumerate() {
                assert_eq!(execution, (position as i64 + 1, position + 1 == last), "{test:?}");
            }
        }
    }
}

#[test]
fn failures_say_what_failed_and_passes_say_nothing() {
    let organisation = Organisation::new(small_options()).unwrap();
    let mut failures = 0;
    for upload in organisation.uploads() {
        upload.for_each_test(|test| {
            let failed = test.status.is_failure();
            failures += u32::from(failed);
            assert_eq!(test.failure_message.is_some(), failed);
            assert_eq!(test.failure_kind.is_some(), failed);
            assert_eq!(test.failure_fingerprint.is_some(), failed);
            assert!(test.duration_seconds.unwrap() >= 0.0);
        });
    }
    assert!(failures > 20, "{failures}");
}

#[test]
fn times_of_runs_jobs_and_steps_fit_into_each_other() {
    for_each_run(|run, upload| {
        let Run { queued_at: Some(queued), started_at: Some(started), finished_at: Some(finished), .. } =
            *run
        else {
            panic!("{} has no times", upload.key)
        };
        assert!(queued <= started && started <= finished, "{}", upload.key);
        assert_eq!(run.queue_seconds, Some(started.seconds_since(queued)));
        assert_eq!(run.duration_seconds, Some(finished.seconds_since(started)));
        let mut jobs = HashMap::new();
        for job in jobs_of(upload) {
            assert_eq!((&job.run_id, job.run_attempt), (&run.run_id, run.attempt));
            let (Some(job_started), Some(job_finished)) = (job.started_at, job.finished_at) else {
                assert!(matches!(job.conclusion, Some(Conclusion::Skipped | Conclusion::Cancelled)));
                continue;
            };
            assert!(job.queue_seconds.unwrap() >= 0.0 && job.duration_seconds.unwrap() >= 0.0);
            assert!(job.queued_at.unwrap() <= job_started && job_started <= job_finished);
            assert!(started <= job_started && job_finished <= finished, "{}", job.job_id);
            jobs.insert(job.job_id.clone(), (job_started, job_finished));
        }
        for record in &upload.records {
            let Record::Step(step) = record else { continue };
            let (job_started, job_finished) = jobs[&step.job_id];
            assert!(job_started <= step.started_at.unwrap() && step.finished_at.unwrap() <= job_finished);
        }
        upload.for_each_test(|test| {
            let (job_started, job_finished) = jobs[test.job_id.as_ref().unwrap()];
            assert!(job_started <= test.at && test.at <= job_finished, "{}", test.name);
        });
    });
}

#[test]
fn a_second_attempt_follows_a_failed_first_one_of_the_same_commit() {
    let mut first_attempts = HashMap::new();
    let mut again = 0;
    for (run, _) in known_runs() {
        let key = (run.provider.clone(), run.project.clone(), run.run_id.clone());
        if run.attempt == 1 {
            first_attempts.insert(key, (run.conclusion, run.commit_sha.clone(), run.finished_at));
            continue;
        }
        let (conclusion, commit, finished_at) = &first_attempts[&key];
        assert_eq!((*conclusion, commit), (Some(Conclusion::Failure), &run.commit_sha));
        assert!(finished_at < &run.queued_at);
        again += 1;
    }
    assert!(again > 200, "{again}");
}

#[test]
fn incidents_are_first_open_and_then_resolved() {
    let mut open = HashMap::new();
    let mut resolved = 0;
    for upload in default_organisation().uploads() {
        for record in &upload.records {
            let Record::Incident(incident) = record else { continue };
            match incident.resolved_at {
                None => assert!(open.insert(incident.incident_id.clone(), incident.opened_at).is_none()),
                Some(resolved_at) => {
                    assert_eq!(open[&incident.incident_id], incident.opened_at);
                    assert!(incident.opened_at.unwrap() < resolved_at);
                    resolved += 1;
                }
            }
        }
    }
    assert!(resolved > 20 && resolved <= open.len(), "{resolved} of {}", open.len());
}
