//! CircleCI: workflows and jobs that have ended.

use manometer_model::{Conclusion, Status};
use manometer_providers::{Refusal, Secrets};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{Sent, at, commit, job, run};
use crate::signing::{SECRET, assert_signature_is_checked, hex_hmac};

fn sent(name: &str) -> Sent {
    Sent::fixture("circleci", name)
}

#[test]
fn a_workflow_is_a_run_and_its_duration_is_circlecis() {
    let decoded = sent("workflow-completed").decode();
    let run = run(&decoded);
    assert_eq!(run.project, "github.com/acme/shop");
    assert_eq!(run.run_id, "fda08377-fe7e-46b1-8992-3a7aaecac9c3", "CIRCLE_WORKFLOW_ID");
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!((run.queued_at, run.started_at), (at("05:00:00.616"), None), "when work began is not told");
    assert_eq!(run.duration_seconds, Some(215.554));
    let commit = commit(&decoded);
    assert_eq!((commit.title.as_deref(), commit.author.as_deref()), (Some("Refund twice"), Some("Ada Park")));
}

#[test]
fn a_job_that_never_began_has_no_start() {
    let ran = job(&sent("job-completed").decode());
    assert_eq!((ran.conclusion, ran.started_at), (Some(Conclusion::Failure), at("05:00:28.841")));
    assert_eq!(ran.url.as_deref().and_then(|url| url.rsplit('/').next()), Some("136"));
    let never = job(&sent("job-blocked").decode());
    assert_eq!((never.conclusion, never.started_at), (Some(Conclusion::Cancelled), None));
    assert_eq!(run(&sent("job-completed").decode()).status, Some(Status::Running), "the workflow goes on");
}

#[test]
fn a_gitlab_project_is_found_in_the_parameters_of_its_trigger() {
    let decoded = sent("workflow-completed-gitlab").decode();
    let run = run(&decoded);
    assert_eq!((run.project.as_str(), run.branch.as_deref()), ("gitlab.com/acme/search", Some("main")));
    assert_eq!(run.commit_sha.as_deref(), Some("850a1519f25d14e968649cc420d1bd381715c05c"));
    assert_eq!(commit(&decoded).title.as_deref(), Some("Index faster"));
}

#[test]
fn every_order_makes_the_same_workflow() {
    assert_merges_to_the_same(&["job-completed", "job-blocked", "workflow-completed"].map(sent));
}

#[test]
fn the_first_version_of_the_signature_is_checked() {
    let sign = |sent: Sent, secret: &str| {
        let signature = hex_hmac(secret, &[&sent.body]);
        sent.with("circleci-signature", &format!("v0=00,v1={signature}"))
    };
    assert_signature_is_checked(&sent("job-completed"), sign);
    let other = sent("job-completed").with("circleci-signature", "v2=00");
    assert!(matches!(other.verify(&Secrets::new([SECRET]).unwrap()), Err(Refusal::Malformed { .. })));
}

#[test]
fn the_id_of_the_event_is_its_key() {
    let identity = sent("job-completed").identity();
    assert_eq!(identity.event, "job-completed");
    assert_eq!(identity.key.as_deref(), Some("8bd71c28-4969-3677-8940-3e3a61c46660"));
}
