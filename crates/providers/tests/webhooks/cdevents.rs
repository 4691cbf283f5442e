//! CDEvents 0.4.1 and 0.5.1 in every way they are sent.

use manometer_model::{Conclusion, Record, Status, TestStatus};
use manometer_providers::{Refusal, Secrets};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{RECEIVED_AT, Sent, at, commit, deployment, job, run};
use crate::signing::{SECRET, assert_shared_secret_is_checked, assert_signature_is_checked, base64_hmac};

fn sent(name: &str) -> Sent {
    Sent::fixture("cdevents", name)
}

fn sign_at(sent: Sent, secret: &str, seconds: i64) -> Sent {
    let timestamp = seconds.to_string();
    let signature = base64_hmac(secret, &[b"msg_1.", timestamp.as_bytes(), b".", &sent.body]);
    sent.with("webhook-id", "msg_1")
        .with("webhook-timestamp", &timestamp)
        .with("webhook-signature", &format!("v1,{signature}"))
}

#[test]
fn both_versions_and_every_envelope_tell_the_same_run() {
    let binary = sent("pipelinerun-finished")
        .with("ce-specversion", "1.0")
        .with("ce-type", "dev.cdevents.pipelinerun.finished.0.2.0");
    let newer = sent("pipelinerun-finished-051");
    let batch = Sent::body("cdevents", format!("[{}]", String::from_utf8(sent("structured").body).unwrap()));
    for delivery in [binary, newer, sent("structured"), batch] {
        let decoded = delivery.decode();
        let run = run(&decoded);
        assert_eq!(decoded.event, "pipelinerun.finished");
        assert_eq!((run.project.as_str(), run.run_id.as_str()), ("tekton.acme.example/acme", "shop-run-88"));
        assert_eq!((run.conclusion, run.finished_at), (Some(Conclusion::Failure), at("05:02:00")));
        assert_eq!(run.url.as_deref(), Some("https://tekton.acme.example/runs/shop-run-88"));
    }
}

#[test]
fn a_batch_brings_all_its_events() {
    let bodies =
        ["pipelinerun-started", "taskrun-finished"].map(|name| String::from_utf8(sent(name).body).unwrap());
    let decoded = Sent::body("cdevents", format!("[{}]", bodies.join(","))).decode();
    assert_eq!(decoded.event, "batch");
    assert_eq!(run(&decoded).status, Some(Status::Running));
    assert_eq!(job(&decoded).failure_reason.as_deref(), Some("exit code 1"));
}

#[test]
fn a_task_is_a_job_of_its_pipeline_run() {
    let job = job(&sent("taskrun-finished").decode());
    assert_eq!((job.run_id.as_str(), job.job_id.as_str()), ("shop-run-88", "shop-run-88-test"));
    assert_eq!((job.name.as_deref(), job.conclusion), (Some("test"), Some(Conclusion::Failure)));
}

#[test]
fn a_test_case_is_a_result() {
    let decoded = sent("testcaserun-finished").decode();
    let Record::Test(test) = &decoded.facts[0].records[0] else { panic!("{decoded:?}") };
    assert_eq!((test.name.as_str(), test.status), ("Cart adds an item", TestStatus::Failed));
    assert_eq!(
        (test.run_id.as_str(), test.failure_message.as_deref()),
        ("shop-run-88", Some("assertion failed: 2 == 3"))
    );
}

#[test]
fn services_are_deployed_and_rolled_back() {
    let row = deployment(&sent("service-deployed").decode());
    assert_eq!((row.service.as_deref(), row.environment.as_deref()), (Some("payments"), Some("production")));
    assert_eq!((row.version.as_deref(), row.finished_at), (Some("1.4.2"), at("06:00:00")));
    let back = deployment(&sent("service-rolledback-051").decode());
    assert_eq!((back.labels["kind"].as_str(), back.version.as_deref()), ("rolledback", Some("1.4.1")));
}

#[test]
fn an_incident_is_opened_and_resolved() {
    let (opened, resolved) = (sent("incident-detected").decode(), sent("incident-resolved").decode());
    let [Record::Incident(first)] = opened.entities.as_slice() else { panic!("{opened:?}") };
    let [Record::Incident(last)] = resolved.entities.as_slice() else { panic!("{resolved:?}") };
    assert_eq!((first.opened_at, first.title.as_deref()), (at("06:10:00"), Some("p99 above 800 ms")));
    assert_eq!(
        (last.resolved_at, last.title.as_deref()),
        (at("06:25:00"), None),
        "what it was stays its title"
    );
}

#[test]
fn a_change_named_by_its_hash_is_a_commit_and_others_are_not_known() {
    let row = commit(&sent("change-merged").decode());
    assert_eq!((row.project.as_str(), row.pushed_at), ("git.acme.example/acme/shop", at("04:58:00")));
    assert!(!sent("artifact-packaged").decode().known, "an artifact has no size");
    let custom = String::from_utf8(sent("change-merged").body)
        .unwrap()
        .replace("dev.cdevents.", "dev.cdeventsx.acme-");
    assert!(!Sent::body("cdevents", custom).decode().known);
}

#[test]
fn every_order_makes_the_same_rows() {
    assert_merges_to_the_same(
        &[
            "pipelinerun-queued",
            "pipelinerun-started",
            "taskrun-started",
            "taskrun-finished",
            "pipelinerun-finished",
        ]
        .map(sent),
    );
    assert_merges_to_the_same(
        &["pipelinerun-queued", "pipelinerun-started", "pipelinerun-finished-051"].map(sent),
    );
    assert_merges_to_the_same(&["taskrun-started", "taskrun-finished"].map(sent));
    assert_merges_to_the_same(&["build-started", "build-finished"].map(sent));
    assert_merges_to_the_same(&["incident-detected", "incident-resolved"].map(sent));
}

#[test]
fn signatures_of_standard_webhooks_and_tokens_are_checked() {
    assert_signature_is_checked(&sent("build-finished"), |sent, secret| sign_at(sent, secret, RECEIVED_AT));
    let old = sign_at(sent("build-finished"), SECRET, RECEIVED_AT - 301);
    assert_eq!(old.verify(&Secrets::new([SECRET]).unwrap()), Err(Refusal::TooOld { age_seconds: 301.0 }));
    assert_shared_secret_is_checked(&sent("build-finished"));
}

#[test]
fn source_and_id_tell_events_apart() {
    let key = "https://tekton.acme.example/acme/271069a8-fc18-44f1-b38f-000000000003";
    for delivery in [sent("pipelinerun-finished"), sent("structured")] {
        assert_eq!(delivery.identity().key.as_deref(), Some(key));
        assert_eq!(delivery.identity().event, "pipelinerun.finished");
    }
}
