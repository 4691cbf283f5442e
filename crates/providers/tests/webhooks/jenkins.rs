//! Jenkins: the plugins Generic Event, Notification and CloudEvents.

use manometer_model::{Conclusion, Record, Status};
use manometer_providers::{Refusal, Secrets};

use crate::merging::assert_merges_to_the_same;
use crate::sent::{Sent, at, run, runner};
use crate::signing::{SECRET, assert_shared_secret_is_checked};

fn generic(name: &str) -> Sent {
    Sent::fixture("jenkins", name).with("Referrer", "https://ci.acme.example/")
}

fn notification(phase: &str) -> Sent {
    Sent::fixture("jenkins", &format!("notification-{phase}"))
}

fn cloud_event(name: &str, kind: &str) -> Sent {
    Sent::fixture("jenkins", name).with("ce-type", kind).with("ce-id", "9d3c").with("ce-specversion", "1.0")
}

#[test]
fn a_build_of_a_multibranch_pipeline_is_a_run_of_its_project() {
    let decoded = generic("generic-completed").decode();
    let run = run(&decoded);
    assert!(decoded.known);
    assert_eq!(decoded.event, "run.completed");
    assert_eq!(run.project, "ci.acme.example/acme/shop");
    assert_eq!(run.run_id, "acme/shop/main#57", "what JOB_NAME#BUILD_NUMBER gives an upload");
    assert_eq!((run.pipeline.as_deref(), run.branch.as_deref()), (Some("shop"), Some("main")));
    assert_eq!(run.service.as_deref(), Some("payments"), "the parameter CI_SERVICE_NAME");
    assert_eq!(run.commit_sha.as_deref(), Some("8c1f0b64d3a2e975f0f4b1c6a7d8e9f001122334"));
    assert_eq!(run.labels["repository"], "git.acme.example/acme/shop");
    assert_eq!(run.labels["result"], "UNSTABLE");
    assert_eq!(run.conclusion, Some(Conclusion::Failure), "unstable: tests failed");
    assert_eq!((run.started_at, run.finished_at), (at("05:00:30.250"), at("05:01:35.910")));
    assert_eq!((run.trigger.as_deref(), run.actor.as_deref()), (Some("manual"), Some("apark")));
    assert_eq!(run.url.as_deref(), Some("https://ci.acme.example/job/acme/job/shop/job/main/57/"));
    assert_eq!(run.queued_at, None, "the time of a run is when it began; when it was queued is not told");
}

#[test]
fn the_older_form_with_the_run_inside_is_the_same_run() {
    let run = run(&generic("generic-nested").decode());
    assert_eq!(
        (run.project.as_str(), run.run_id.as_str()),
        ("ci.acme.example/acme/shop", "acme/shop/main#57")
    );
    assert_eq!(run.conclusion, Some(Conclusion::Success));
}

#[test]
fn the_phase_queued_tells_when_a_build_was_queued() {
    let queued = run(&notification("queued").decode());
    assert_eq!((queued.status, queued.queued_at), (Some(Status::Queued), at("05:00:00")));
    let started = run(&notification("started").decode());
    assert_eq!((started.status, started.started_at), (Some(Status::Running), at("05:00:42")));
    let mut unknown = notification("queued");
    let text = String::from_utf8(unknown.body).unwrap().replace("1772600400000", "0");
    unknown.body = text.into_bytes();
    assert_eq!(run_of_any_time(&unknown), None, "zero is what the plugin says when it does not know");
}

fn run_of_any_time(sent: &Sent) -> Option<manometer_model::Timestamp> {
    sent.decode().entities.iter().find_map(|entity| match entity {
        Record::Run(run) => run.queued_at,
        _ => None,
    })
}

#[test]
fn the_counts_of_a_finished_build_are_measurements() {
    let decoded = notification("finalized").decode();
    let [group] = decoded.facts.as_slice() else { panic!("{:?}", decoded.facts) };
    let values: Vec<_> = group
        .records
        .iter()
        .map(|record| match record {
            Record::Sample(sample) => (sample.name.as_str(), sample.value),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected =
        [("tests.total", 120.0), ("tests.failed", 2.0), ("tests.passed", 117.0), ("tests.skipped", 1.0)];
    assert_eq!(values, expected);
}

#[test]
fn cloud_events_tell_of_builds_nodes_and_the_queue() {
    let decoded = cloud_event("cloudevents-job-completed", "org.jenkinsci.job.completed").decode();
    let run = run(&decoded);
    assert_eq!(decoded.event, "job.completed");
    assert_eq!((run.run_id.as_str(), run.conclusion), ("acme/search#31", Some(Conclusion::Success)));
    let node = runner(&cloud_event("cloudevents-node-offline", "org.jenkinsci.node.offline").decode());
    assert_eq!((node.runner_id.as_str(), node.state.as_deref()), ("linux-builder-3", Some("offline")));
    let left = cloud_event("cloudevents-queue-left", "org.jenkinsci.queue.left").decode();
    let Record::Sample(sample) = &left.facts[0].records[0] else { panic!("{left:?}") };
    assert_eq!((sample.name.as_str(), sample.value), ("queue.seconds", 41.0));
    let other = cloud_event("cloudevents-queue-left", "org.jenkinsci.queue.entered_waiting").decode();
    assert!(!other.known);
}

#[test]
fn every_order_makes_the_same_run() {
    assert_merges_to_the_same(
        &["initialize", "started", "completed", "finalized"].map(|name| generic(&format!("generic-{name}"))),
    );
    assert_merges_to_the_same(&["queued", "started", "completed", "finalized"].map(notification));
    let kinds = ["started", "completed", "finalized"];
    assert_merges_to_the_same(
        &kinds.map(|kind| {
            cloud_event(&format!("cloudevents-job-{kind}"), &format!("org.jenkinsci.job.{kind}"))
        }),
    );
}

#[test]
fn credentials_and_the_token_in_the_address_are_checked() {
    let sent = generic("generic-started");
    assert_shared_secret_is_checked(&sent);
    let secrets = Secrets::new([SECRET]).unwrap();
    let mut with_token = sent;
    with_token.query.push(("token".to_owned(), SECRET.to_owned()));
    assert_eq!(with_token.verify(&secrets), Ok(()));
    with_token.query[0].1.push('x');
    assert_eq!(with_token.verify(&secrets), Err(Refusal::WrongSignature));
}

#[test]
fn the_id_of_an_event_tells_deliveries_apart() {
    let identity = generic("generic-started").identity();
    assert_eq!(identity.event, "run.started");
    assert_eq!(identity.key.as_deref(), Some("0e3b9f6a-0d1f-4b8e-8a54-8c2f6a1d0002"));
    assert_eq!(notification("started").identity().key, None);
}
