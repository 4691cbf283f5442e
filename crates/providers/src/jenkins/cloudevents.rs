//! The CloudEvents plugin: builds, the queue and nodes, in the binary mode of CloudEvents over HTTP.

use manometer_model::Timestamp;
use manometer_model::records::{Runner, Sample};

use super::NAME;
use super::notification::{Phase, Told};
use crate::repository::host_of;
use crate::tree::View;
use crate::{Decoded, Delivery, ServiceRules, reading};

const TYPES: &str = "org.jenkinsci.";

/// `job.completed` of `org.jenkinsci.job.completed`; none where the delivery is no event of this plugin.
pub(super) fn event_of(delivery: &Delivery<'_>) -> Option<String> {
    delivery.headers.get("ce-type")?.trim().strip_prefix(TYPES).map(str::to_owned)
}

pub(super) fn id_of(delivery: &Delivery<'_>) -> Option<String> {
    delivery.headers.get("ce-id").map(str::to_owned)
}

pub(super) fn read(
    event: &str,
    root: View<'_>,
    delivery: &Delivery<'_>,
    rules: &ServiceRules,
    decoded: &mut Decoded,
) {
    match event {
        "queue.left" => queue_left(root, decoded),
        "node.online" => node(root, "available", delivery.received_at, decoded),
        "node.offline" => node(root, "offline", delivery.received_at, decoded),
        _ if event.starts_with("job.") => build(root, rules, decoded),
        _ => {}
    }
}

fn build(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let build = root.object("build");
    let scm = build.object("scmState");
    let Some(phase) = build.text("phase").as_deref().and_then(Phase::of) else { return };
    let Some(number) = build.int("number") else { return reading::expect_told(decoded, "build.number") };
    let told = Told {
        phase,
        number,
        page: build.text("fullUrl"),
        path: build.text("url").or_else(|| root.text("url")),
        at: build.time("timestamp"),
        duration_seconds: build.float("duration").map(|milliseconds| milliseconds / 1_000.0),
        result: build.text("status"),
        queue_id: build.text("queueId"),
        service: build.object("parameters").text("CI_SERVICE_NAME"),
        repository: scm.text("url"),
        branch: scm.text("branch"),
        commit: scm.text("commit"),
        actor: root.text("userId"),
    };
    let Some(run) = told.run(rules) else { return reading::expect_told(decoded, "build.url") };
    decoded.known = true;
    decoded.project = Some(run.project.clone());
    decoded.entities.push(run.into());
}

/// An entry of the queue does not say which build it became, so its waiting stands as a measurement of the job.
fn queue_left(root: View<'_>, decoded: &mut Decoded) {
    let left_at = root.time("exitTime");
    let waited = root.float("duration").map(|milliseconds| milliseconds / 1_000.0);
    let (Some(name), Some(id), Some(left_at), Some(waited)) =
        (root.text("displayName"), root.text("jenkinsQueueId"), left_at, waited)
    else {
        return reading::expect_told(decoded, "jenkinsQueueId");
    };
    let host = root.text("ciUrl").as_deref().and_then(host_of).unwrap_or_else(|| NAME.to_owned());
    let project = format!("{host}/{name}");
    let sample = Sample {
        provider: NAME.to_owned(),
        project: project.clone(),
        pipeline: Some(name),
        run_attempt: 1,
        name: "queue.seconds".to_owned(),
        value: waited,
        unit: Some("seconds".to_owned()),
        tags: [("queue_id".to_owned(), id.clone())].into(),
        at: left_at,
        ..Sample::default()
    };
    decoded.known = true;
    decoded.add_facts(format!("queue/{NAME}/{host}/{id}/{}", left_at.as_micros()), vec![sample.into()]);
    decoded.project = Some(project);
}

/// The event of a node carries no time of its own.
fn node(root: View<'_>, state: &str, received_at: Timestamp, decoded: &mut Decoded) {
    let Some(name) = root.text("nodeName") else { return reading::expect_told(decoded, "nodeName") };
    let runner = Runner {
        provider: NAME.to_owned(),
        runner_id: name.clone(),
        name: Some(root.text("cachedHostName").unwrap_or(name)),
        state: Some(state.to_owned()),
        seen_at: Some(received_at),
        updated_at: Some(received_at),
        ..Runner::default()
    };
    decoded.known = true;
    decoded.entities.push(runner.into());
}
