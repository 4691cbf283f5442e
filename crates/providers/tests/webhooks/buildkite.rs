//! Buildkite: builds, jobs, agents; token and signature.

use manometer_model::{Conclusion, Status};
use manometer_providers::{Refusal, Secrets};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{RECEIVED_AT, Sent, at, job, run, runner};
use crate::signing::{SECRET, assert_signature_is_checked, hex_hmac};

fn sent(name: &str) -> Sent {
    Sent::fixture("buildkite", name)
}

fn sign_at(sent: Sent, secret: &str, seconds: i64) -> Sent {
    let timestamp = seconds.to_string();
    let signature = hex_hmac(secret, &[timestamp.as_bytes(), b".", &sent.body]);
    sent.with("X-Buildkite-Signature", &format!("timestamp={timestamp},signature={signature}"))
}

#[test]
fn a_build_is_a_run_of_its_repository() {
    let run = run(&sent("build-finished").decode());
    assert_eq!(run.project, "git.acme.example/acme/shop");
    assert_eq!(run.run_id, "f62a1b4d-10f9-4790-bc1c-e2c3a0c8000a", "BUILDKITE_BUILD_ID");
    assert_eq!((run.number, run.change_id.as_deref()), (Some(501), Some("42")));
    assert_eq!((run.service.as_deref(), run.branch.as_deref()), (Some("payments"), Some("feature/refunds")));
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!((run.started_at, run.finished_at), (at("05:00:40"), at("05:06:40")));
    assert_eq!(run.is_default_branch, Some(false));
}

#[test]
fn a_job_waits_for_its_dependencies_and_then_for_an_agent() {
    let decoded = sent("job-finished").decode();
    let job = job(&decoded);
    assert_eq!((job.status, job.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!(job.queue_seconds, Some(30.0), "from runnable to started");
    assert_eq!(job.labels["wait.dependency_seconds"], "10");
    assert_eq!(job.labels["wait.runner_seconds"], "30");
    assert_eq!((job.runner_pool.as_deref(), job.runner_os.as_deref()), (Some("large"), Some("linux")));
    assert_eq!((job.runner_arch.as_deref(), job.priority.as_deref()), (Some("x86_64"), Some("5")));
    assert_eq!(job.runner_labels.as_deref(), Some("queue=large,os=linux"));
    assert_eq!(job.failure_reason.as_deref(), Some("exit status 2"));
    assert_eq!(run(&decoded).status, Some(Status::Running), "the build goes on");
}

#[test]
fn a_blocked_build_waits_though_its_event_says_finished() {
    let run = run(&sent("build-blocked").decode());
    assert_eq!((run.status, run.conclusion, run.finished_at), (Some(Status::Waiting), None, None));
}

#[test]
fn a_broken_job_never_ran() {
    let job = job(&sent("job-broken").decode());
    assert_eq!((job.conclusion, job.started_at, job.queue_seconds), (Some(Conclusion::Skipped), None, None));
}

#[test]
fn agents_come_and_go_and_pings_mean_nothing() {
    let connected = runner(&sent("agent-connected").decode());
    assert_eq!((connected.state.as_deref(), connected.pool.as_deref()), (Some("available"), Some("large")));
    assert_eq!(runner(&sent("agent-disconnected").decode()).state.as_deref(), Some("offline"));
    assert!(!sent("ping").decode().known);
}

#[test]
fn every_order_makes_the_same_build_and_job() {
    assert_merges_to_the_same(&["build-scheduled", "build-running", "build-finished"].map(sent));
    assert_merges_to_the_same(&["job-scheduled", "job-started", "job-finished"].map(sent));
    let whole = [
        "build-scheduled",
        "job-scheduled",
        "build-running",
        "job-started",
        "job-finished",
        "build-finished",
    ];
    assert_merges_to_the_same(&whole.map(sent));
    assert_merges_to_the_same(&[sent("agent-connected"), sent("agent-disconnected").after(60)]);
}

#[test]
fn a_signature_is_checked_and_grows_old() {
    assert_signature_is_checked(&sent("build-running"), |sent, secret| sign_at(sent, secret, RECEIVED_AT));
    let secrets = Secrets::new([SECRET]).unwrap();
    let signed = |seconds| sign_at(sent("build-running"), SECRET, RECEIVED_AT + seconds).verify(&secrets);
    assert_eq!(signed(-300), Ok(()));
    assert_eq!(signed(-301), Err(Refusal::TooOld { age_seconds: 301.0 }));
    assert_eq!(signed(301), Err(Refusal::TooNew { ahead_seconds: 301.0 }));
    let moved = sign_at(sent("build-running"), SECRET, RECEIVED_AT - 900);
    let (_, value) = &moved.headers[0];
    let newer = value.replace(&(RECEIVED_AT - 900).to_string(), &RECEIVED_AT.to_string());
    let forged = sent("build-running").with("X-Buildkite-Signature", &newer);
    assert_eq!(forged.verify(&secrets), Err(Refusal::WrongSignature), "the time is signed too");
    let garbled = sent("build-running").with("X-Buildkite-Signature", "timestamp=soon");
    assert!(matches!(garbled.verify(&secrets), Err(Refusal::Malformed { .. })));
}

#[test]
fn a_token_is_checked() {
    let secrets = Secrets::new([SECRET]).unwrap();
    assert_eq!(sent("ping").with("X-Buildkite-Token", SECRET).verify(&secrets), Ok(()));
    assert_eq!(
        sent("ping").with("X-Buildkite-Token", "other").verify(&secrets),
        Err(Refusal::WrongSignature)
    );
}
