//! Woodpecker: pipelines with workflows and steps.

use manometer_model::{Conclusion, Record, Status};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{Sent, at, commit, job, run};
use crate::signing::assert_shared_secret_is_checked;

fn sent(name: &str) -> Sent {
    Sent::fixture("woodpecker", name)
}

#[test]
fn a_pipeline_of_a_pull_request_is_of_its_source_branch() {
    let decoded = sent("pipeline-failure").decode();
    let run = run(&decoded);
    assert_eq!(decoded.event, "pipeline.failure");
    assert_eq!((run.project.as_str(), run.run_id.as_str()), ("git.acme.example/acme/shop", "64"));
    assert_eq!((run.change_id.as_deref(), run.branch.as_deref()), (Some("42"), Some("feature/refunds")));
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!((run.queued_at, run.finished_at), (at("05:00:00"), at("05:01:41")));
    assert_eq!(commit(&decoded).author.as_deref(), Some("apark"));
}

#[test]
fn workflows_are_jobs_with_steps_in_either_spelling_of_their_times() {
    let decoded = sent("pipeline-failure").decode();
    let workflow = job(&decoded);
    assert_eq!((workflow.job_id.as_str(), workflow.runner_arch.as_deref()), ("1", Some("x86_64")));
    let ends: Vec<_> = decoded.facts[0]
        .records
        .iter()
        .map(|record| match record {
            Record::Step(step) => (step.number, step.finished_at, step.exit_code),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ends, [(1, at("05:00:33"), Some(0)), (2, at("05:01:40"), Some(2))]);
}

#[test]
fn a_commit_as_an_object_is_read_too() {
    let text = String::from_utf8(sent("pipeline-running").body).unwrap();
    let sha = "\"709d658dc5b6d6afcd46049c2f332ee3f515a67d\"";
    let newer = text.replace(&format!("\"commit\": {sha}"), &format!("\"commit\": {{\"sha\": {sha}}}"));
    assert_ne!(newer, text);
    let decoded = Sent::body("woodpecker", newer).decode();
    assert_eq!(run(&decoded).commit_sha.as_deref(), Some(sha.trim_matches('"')));
    assert!(decoded.problems.is_empty());
}

#[test]
fn every_order_makes_the_same_pipeline() {
    assert_merges_to_the_same(&["pipeline-pending", "pipeline-running", "pipeline-failure"].map(sent));
}

#[test]
fn credentials_are_checked() {
    assert_shared_secret_is_checked(&sent("pipeline-pending"));
}
