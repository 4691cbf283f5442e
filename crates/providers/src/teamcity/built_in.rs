//! TeamCity's own webhooks: `{"eventType": "BUILD_FINISHED", "payload": BUILD}`, where the payload is the REST API's
//! build or agent.

use std::collections::BTreeMap;

use manometer_model::records::{Run, Runner};
use manometer_model::{Conclusion, Labels, Status, Timestamp};

use super::{Agent, NAME, push, wait_of};
use crate::reading::{self, labels};
use crate::repository::{branch_of, change_of, host_of, project_of};
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::{Decoded, ServiceRules, platform, waits};

pub(super) fn read(
    event: &str,
    payload: View<'_>,
    received_at: Timestamp,
    rules: &ServiceRules,
    decoded: &mut Decoded,
) {
    match event {
        "AGENT_REGISTRED" | "AGENT_REGISTERED" => agent(payload, "available", received_at, decoded),
        "AGENT_UNREGISTERED" | "AGENT_REMOVED" => agent(payload, "offline", received_at, decoded),
        _ if event.starts_with("BUILD_") => {
            if let Some(run) = run_of(event, payload, rules) {
                push(run, agent_of(payload), decoded);
            }
            if matches!(event, "BUILD_STARTED" | "BUILD_FINISHED" | "BUILD_INTERRUPTED") {
                reading::expect_told(decoded, "payload.buildType.projectId");
            }
        }
        _ => {}
    }
}

fn run_of(event: &str, build: View<'_>, rules: &ServiceRules) -> Option<Run> {
    let build_type = build.object("buildType");
    let page = build.text("webUrl").or_else(|| build_type.text("webUrl"))?;
    let project_id = build_type.text("projectId")?;
    let project = format!("{}/{project_id}", host_of(&page)?);
    let (status, conclusion) = state(event, build)?;
    let (queued, started) = (build.time("queuedDate"), build.time("startDate"));
    let cancelled = build.object("canceledInfo").time("timestamp");
    let finished = build.time("finishDate").or(cancelled).filter(|_| status == Status::Completed);
    let revision = build.object("revisions").items("revision").next();
    let root = revision.and_then(|revision| revision.object("vcs-root-instance").text("name"));
    let vcs_branch = revision.and_then(|revision| revision.text("vcsBranchName"));
    let branch = build.text("branchName").filter(|name| name != "<default>").or_else(|| vcs_branch.clone());
    let change_id =
        branch.as_deref().and_then(change_of).or_else(|| vcs_branch.as_deref().and_then(change_of));
    let mut properties = build.object("properties").items("property");
    let service = properties.find(|property| property.text("name").as_deref() == Some("env.CI_SERVICE_NAME"));
    let triggered = build.object("triggered");
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, service.and_then(|property| property.text("value")).as_deref()),
        project,
        pipeline: build.text("buildTypeId").or_else(|| build_type.text("id")),
        run_id: build.text("id")?,
        attempt: 1,
        number: build.text("number").and_then(|number| number.parse().ok()),
        is_default_branch: build.flag("defaultBranch"),
        branch: branch.as_deref().and_then(branch_of).filter(|name| change_of(name).is_none()),
        commit_sha: revision.and_then(|revision| revision.text("version")),
        trigger: triggered.text("type").as_deref().map(trigger_word),
        actor: triggered.object("user").text("username"),
        status: Some(status),
        conclusion,
        queued_at: queued,
        started_at: started,
        finished_at: finished,
        change_id,
        url: Some(page),
        labels: labels([
            // A root that was made from an address is named `ADDRESS#refs/heads/main`.
            (
                "repository",
                root.filter(|name| name.contains("://") || name.contains('@'))
                    .as_deref()
                    .and_then(project_of),
            ),
            ("build_number", build.text("number")),
            ("status_text", build.text("statusText").filter(|_| status == Status::Completed)),
            ("personal", build.text("personal").filter(|word| word == "true")),
        ]),
        updated_at: finished.or(started).or(queued),
        ..Run::default()
    })
}

/// At `BUILD_INTERRUPTED` the build itself may still say that it runs well; the event decides.
fn state(event: &str, build: View<'_>) -> Option<(Status, Option<Conclusion>)> {
    if event == "BUILD_INTERRUPTED" {
        return Some((Status::Completed, Some(Conclusion::Cancelled)));
    }
    let is_finished = event == "BUILD_FINISHED" || build.text("state").as_deref() == Some("finished");
    if !is_finished {
        return match build.text("state").as_deref() {
            Some("queued") => Some((Status::Queued, None)),
            Some("running") => Some((Status::Running, None)),
            _ if event == "BUILD_STARTED" => Some((Status::Running, None)),
            _ => None,
        };
    }
    let word = build.text("status").unwrap_or_default();
    let conclusion = if build.object("canceledInfo").is_some() {
        Some(Conclusion::Cancelled)
    } else if build.flag("failedToStart") == Some(true) {
        Some(Conclusion::Error)
    } else {
        match word.as_str() {
            "SUCCESS" => Some(Conclusion::Success),
            "FAILURE" => Some(Conclusion::Failure),
            "ERROR" => Some(Conclusion::Error),
            "UNKNOWN" => Some(Conclusion::Cancelled),
            _ => None,
        }
    };
    Some((Status::Completed, conclusion))
}

fn agent_of(build: View<'_>) -> Agent {
    let agent = build.object("agent");
    let failed = build.text("status").is_some_and(|status| status != "SUCCESS");
    Agent {
        id: agent.text("id"),
        name: agent.text("name"),
        pool: agent.object("pool").text("name"),
        os: agent.object("environment").text("osType").as_deref().and_then(platform::os),
        failure_reason: build.text("statusText").filter(|_| failed),
        waits: waits_of(build),
    }
}

/// `queuedWaitReasons`: milliseconds by reason, some of them of one kind.
fn waits_of(build: View<'_>) -> Labels {
    let mut seconds: BTreeMap<&'static str, f64> = BTreeMap::new();
    for reason in build.object("queuedWaitReasons").items("property") {
        let Some(kind) = reason.text("name").as_deref().and_then(wait_of) else { continue };
        *seconds.entry(kind).or_default() += reason.float("value").unwrap_or_default() / 1_000.0;
    }
    let mut found = Labels::new();
    for (kind, wait) in seconds {
        waits::put(&mut found, kind, Some(wait));
    }
    found
}

/// The event of an agent carries no time of its own.
fn agent(agent: View<'_>, state: &str, received_at: Timestamp, decoded: &mut Decoded) {
    let Some(id) = agent.text("id") else { return reading::expect_told(decoded, "payload.id") };
    let usable = agent.flag("enabled") != Some(false) && agent.flag("authorized") != Some(false);
    let runner = Runner {
        provider: NAME.to_owned(),
        runner_id: id,
        name: agent.text("name"),
        pool: agent.object("pool").text("name"),
        os: agent.object("environment").text("osType").as_deref().and_then(platform::os),
        state: Some(if usable { state } else { "offline" }.to_owned()),
        seen_at: Some(received_at),
        updated_at: Some(received_at),
        ..Runner::default()
    };
    decoded.known = true;
    decoded.entities.push(runner.into());
}
