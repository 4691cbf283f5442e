//! Drone: builds with stages and steps, promotions, HTTP signatures.

use manometer_model::{Conclusion, Record, Status};
use manometer_providers::{Refusal, Secrets};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{RECEIVED_AT, Sent, at, deployment, job, run};
use crate::signing::{SECRET, assert_signature_is_checked, base64_digest, base64_hmac, basic};

fn sent(name: &str) -> Sent {
    Sent::fixture("drone", name)
}

fn date(seconds: i64) -> String {
    let since = std::time::Duration::from_secs(u64::try_from(seconds).unwrap());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

fn sign_at(sent: Sent, secret: &str, seconds: i64) -> Sent {
    let (date, digest) = (date(seconds), format!("SHA-256={}", base64_digest(&sent.body)));
    let signature = base64_hmac(secret, &[format!("date: {date}\ndigest: {digest}").as_bytes()]);
    let parameters = format!(
        "keyId=\"hmac-key\",algorithm=\"hmac-sha256\",headers=\"date digest\",signature=\"{signature}\""
    );
    sent.with("Date", &date).with("Digest", &digest).with("Signature", &parameters)
}

#[test]
fn a_build_of_a_pull_request_is_of_its_head() {
    let decoded = sent("build-finished").decode();
    let run = run(&decoded);
    assert_eq!((run.project.as_str(), run.run_id.as_str()), ("git.acme.example/acme/shop", "88"));
    assert_eq!((run.change_id.as_deref(), run.branch.as_deref()), (Some("42"), Some("feature/refunds")));
    assert_eq!(run.commit_sha.as_deref(), Some("709d658dc5b6d6afcd46049c2f332ee3f515a67d"));
    assert_eq!(
        (run.queued_at, run.started_at, run.finished_at),
        (at("05:00:00"), at("05:00:30"), at("05:01:41"))
    );
    assert_eq!((run.status, run.conclusion), (Some(Status::Completed), Some(Conclusion::Failure)));
    assert_eq!(run.service.as_deref(), Some("payments"));
}

#[test]
fn stages_are_jobs_and_their_steps_are_told_once_they_ended() {
    let decoded = sent("build-finished").decode();
    let stage = job(&decoded);
    assert_eq!((stage.job_id.as_str(), stage.runner_name.as_deref()), ("1", Some("runner-7")));
    assert_eq!((stage.runner_os.as_deref(), stage.runner_arch.as_deref()), (Some("linux"), Some("x86_64")));
    assert_eq!(stage.runner_labels.as_deref(), Some("pool=large"));
    let [group] = decoded.facts.as_slice() else { panic!("{:?}", decoded.facts) };
    assert_eq!(group.natural_key, "steps/drone/git.acme.example/acme/shop/88/1/1");
    let told = group.records.iter().map(|record| match record {
        Record::Step(step) => (step.number, step.name.as_deref(), step.conclusion, step.exit_code),
        other => panic!("{other:?}"),
    });
    let steps: Vec<_> = told.collect();
    assert_eq!(steps[1], (2, Some("unit"), Some(Conclusion::Failure), Some(2)));
    assert!(sent("build-running").decode().facts.is_empty());
}

#[test]
fn a_promotion_is_a_deployment() {
    let row = deployment(&sent("build-promoted").decode());
    assert_eq!((row.environment.as_deref(), row.deployment_id.as_str()), (Some("production"), "89"));
    assert_eq!((row.conclusion, row.labels["kind"].as_str()), (Some(Conclusion::Success), "promote"));
    assert!(!sent("user-created").decode().known);
}

#[test]
fn what_the_webhook_plugin_sends_is_read_too() {
    let body = r#"{"repo":{"owner":"acme","name":"shop"},"build":{"tag":"","event":"push","number":7,"commit":"c0ffee",
        "ref":"refs/heads/main","branch":"main","author":"apark","message":"Refund","status":"success",
        "link":"https://drone.acme.example/acme/shop/7","started":1772600430,"created":1772600400}}"#;
    let run = run(&Sent::body("drone", body).decode());
    assert_eq!((run.project.as_str(), run.run_id.as_str()), ("drone/acme/shop", "7"));
    assert_eq!((run.commit_sha.as_deref(), run.branch.as_deref()), (Some("c0ffee"), Some("main")));
    assert_eq!(run.conclusion, Some(Conclusion::Success));
}

#[test]
fn every_order_makes_the_same_build() {
    assert_merges_to_the_same(&["build-created", "build-running", "build-finished"].map(sent));
}

#[test]
fn an_http_signature_is_checked_and_grows_old() {
    assert_signature_is_checked(&sent("build-created"), |sent, secret| sign_at(sent, secret, RECEIVED_AT));
    let secrets = Secrets::new([SECRET]).unwrap();
    let signed = |seconds| sign_at(sent("build-created"), SECRET, RECEIVED_AT + seconds).verify(&secrets);
    assert_eq!(signed(-301), Err(Refusal::TooOld { age_seconds: 301.0 }));
    let mut in_authorization = sign_at(sent("build-created"), SECRET, RECEIVED_AT);
    let (_, parameters) = in_authorization.headers.pop().unwrap();
    let in_authorization = in_authorization.with("Authorization", &format!("Signature {parameters}"));
    assert_eq!(in_authorization.verify(&secrets), Ok(()));
}

#[test]
fn a_signature_that_leaves_the_body_out_is_no_signature() {
    let secrets = Secrets::new([SECRET]).unwrap();
    let date = date(RECEIVED_AT);
    let signature = base64_hmac(SECRET, &[format!("date: {date}").as_bytes()]);
    for headers in ["", ",headers=\"date\"", ",headers=\"date digest\""] {
        let parameters = format!("keyId=\"k\",algorithm=\"hmac-sha256\"{headers},signature=\"{signature}\"");
        let sent = sent("build-created").with("Date", &date).with("Signature", &parameters);
        assert!(matches!(sent.verify(&secrets), Err(Refusal::Malformed { .. })), "{headers}");
    }
    let weaker = "keyId=\"k\",algorithm=\"none\",headers=\"date digest\",signature=\"\"";
    assert!(sent("build-created").with("Signature", weaker).verify(&secrets).is_err());
    assert_eq!(sent("build-created").with("Authorization", &basic("drone", SECRET)).verify(&secrets), Ok(()));
}
