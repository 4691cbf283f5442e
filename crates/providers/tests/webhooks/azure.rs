//! Azure DevOps: pipelines, builds, releases, pushes.

use manometer_model::{Conclusion, Record, Status};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{Sent, at, commit, deployment, job, run};
use crate::signing::assert_shared_secret_is_checked;

fn sent(name: &str) -> Sent {
    Sent::fixture("azure", name)
}

#[test]
fn a_run_and_its_build_are_one_row() {
    let from_run = run(&sent("run-completed").decode());
    let from_build = run(&sent("build-complete").decode());
    for run in [&from_run, &from_build] {
        assert_eq!((run.project.as_str(), run.run_id.as_str()), ("dev.azure.com/acme/shop/payments", "2710"));
        assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
        assert_eq!((run.branch.as_deref(), run.finished_at), (Some("main"), at("05:05:12")));
        assert_eq!(run.commit_sha.as_deref(), Some("2d91f6e12f6141917f66a2964af55952ee33914d"));
    }
    assert_eq!(from_build.started_at, at("05:00:03.620572"));
    assert_eq!(from_build.labels["pool"], "Azure Pipelines");
    let began = run(&sent("run-in-progress").decode());
    assert_eq!(began.started_at, at("05:00:02.525442"), "the event's own time, as the payload tells none");
}

#[test]
fn a_job_waits_for_an_agent_from_when_its_event_says_so() {
    let waiting = job(&sent("job-waiting").decode());
    assert_eq!((waiting.status, waiting.queued_at), (Some(Status::Queued), at("05:00:06")));
    let ended = job(&sent("job-completed").decode());
    assert_eq!((ended.status, ended.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!((ended.stage.as_deref(), ended.queued_at), (Some("Build and test"), None));
}

#[test]
fn a_job_that_is_run_again_is_another_job() {
    let text = String::from_utf8(sent("job-completed").body).unwrap();
    let first = job(&sent("job-completed").decode());
    let again = job(&Sent::body("azure", text.replace("\"attempt\": 1", "\"attempt\": 2")).decode());
    assert_eq!(again.job_id, format!("{}.2", first.job_id));
}

#[test]
fn a_release_to_a_stage_is_a_deployment_of_a_commit() {
    let row = deployment(&sent("deployment-completed").decode());
    assert_eq!((row.project.as_str(), row.deployment_id.as_str()), ("dev.azure.com/acme/shop", "4/5"));
    assert_eq!((row.environment.as_deref(), row.version.as_deref()), (Some("Production"), Some("Release-4")));
    assert_eq!(row.commit_sha.as_deref(), Some("2d91f6e12f6141917f66a2964af55952ee33914d"));
    assert_eq!((row.run_id.as_deref(), row.duration_seconds), (Some("2710"), Some(90.0)));
    assert_eq!((row.conclusion, row.finished_at), (Some(Conclusion::Success), at("06:01:41")));
}

#[test]
fn an_approval_is_a_measured_wait_of_its_run() {
    let mut document: serde_json::Value = serde_json::from_slice(&sent("stage-completed").body).unwrap();
    document["eventType"] = "ms.vss-pipelinechecks-events.approval-completed".into();
    document["resource"]["approval"] = serde_json::json!({"id": "0f02", "status": "approved",
        "createdOn": "2026-03-04T05:00:00Z", "lastModifiedOn": "2026-03-04T05:01:30Z"});
    let decoded = Sent::body("azure", document.to_string()).decode();
    let Record::Sample(sample) = &decoded.facts[0].records[0] else { panic!("{decoded:?}") };
    assert_eq!((sample.name.as_str(), sample.value), ("wait.approval_seconds", 90.0));
    assert_eq!((sample.run_id.as_deref(), sample.tags["stage"].as_str()), (Some("2710"), "Build"));
}

#[test]
fn a_push_brings_its_commits() {
    let commit = commit(&sent("push").decode());
    assert_eq!(
        (commit.project.as_str(), commit.branch.as_deref()),
        ("dev.azure.com/acme/shop/payments", Some("main"))
    );
    assert_eq!((commit.title.as_deref(), commit.pushed_at), (Some("Refund twice"), at("04:59:17.067")));
}

#[test]
fn every_order_makes_the_same_rows() {
    let whole = [
        "run-in-progress",
        "job-waiting",
        "job-running",
        "job-completed",
        "stage-completed",
        "run-completed",
        "build-complete",
    ];
    assert_merges_to_the_same(&whole.map(sent));
    assert_merges_to_the_same(&["job-waiting", "job-running", "job-completed"].map(sent));
    assert_merges_to_the_same(&["deployment-started", "deployment-completed"].map(sent));
}

#[test]
fn credentials_are_checked_and_the_id_is_one_per_event_and_subscription() {
    assert_shared_secret_is_checked(&sent("job-running"));
    let identity = sent("job-running").identity();
    assert_eq!(identity.event, "ms.vss-pipelines.job-state-changed-event");
    let key = "8d91ad83-1db5-4d43-8c5a-9bb2239644b1/ac1dd6da-af30-43cb-8434-e1005864b005";
    assert_eq!(identity.key.as_deref(), Some(key));
}
