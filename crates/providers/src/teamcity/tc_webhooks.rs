//! The plugin tcWebHooks: one flat object of the build, in `{"build": …}` or bare.
//!
//! It writes times in the format and zone of the server's locale unless told otherwise
//! (`preferredDateFormat = yyyy-MM-dd'T'HH:mm:ss.SSSZ`); times that cannot be read are reported and left out.

use manometer_model::records::Run;
use manometer_model::{Conclusion, Status, Timestamp};

use super::{Agent, NAME, push};
use crate::reading::{self, labels};
use crate::repository::{branch_of, change_of, host_of};
use crate::tree::View;
use crate::{Decoded, ServiceRules, platform};

fn build_of(root: View<'_>) -> View<'_> {
    root.object("build").or(root)
}

pub(super) fn event_of(root: View<'_>) -> Option<String> {
    build_of(root).text("notifyType")
}

pub(super) fn read(root: View<'_>, received_at: Timestamp, rules: &ServiceRules, decoded: &mut Decoded) {
    let build = build_of(root);
    let Some((status, conclusion)) = state(build) else { return };
    let Some(run) = run_of(build, status, conclusion, received_at, rules) else {
        return reading::expect_told(decoded, "build.buildId");
    };
    let agent = Agent {
        // The plugin tells an agent by its name alone.
        name: build.text("agentName"),
        os: build.text("agentOs").as_deref().and_then(platform::os),
        failure_reason: build.text("buildStatus").filter(|_| conclusion == Some(Conclusion::Failure)),
        ..Agent::default()
    };
    push(run, agent, decoded);
}

fn state(build: View<'_>) -> Option<(Status, Option<Conclusion>)> {
    let result = build.text("buildResult").unwrap_or_default();
    Some(match build.text("notifyType")?.as_str() {
        "buildStarted" | "changesLoaded" | "beforeBuildFinish" | "serviceMessageReceived" => {
            (Status::Running, None)
        }
        "buildInterrupted" => (Status::Completed, Some(Conclusion::Cancelled)),
        "buildSuccessful" | "buildFixed" => (Status::Completed, Some(Conclusion::Success)),
        "buildFailed" | "buildBroken" => (Status::Completed, Some(Conclusion::Failure)),
        "buildFinished" => {
            let conclusion = match result.to_lowercase().as_str() {
                "success" => Some(Conclusion::Success),
                "failure" => Some(Conclusion::Failure),
                "error" => Some(Conclusion::Error),
                _ => None,
            };
            (Status::Completed, conclusion)
        }
        _ => return None,
    })
}

fn run_of(
    build: View<'_>,
    status: Status,
    conclusion: Option<Conclusion>,
    received_at: Timestamp,
    rules: &ServiceRules,
) -> Option<Run> {
    let page = build.text("buildStatusUrl");
    let host = build.text("rootUrl").or_else(|| page.clone()).as_deref().and_then(host_of)?;
    let project_id = build.text("projectExternalId").or_else(|| build.text("projectId"))?;
    let project = format!("{host}/{project_id}");
    let properties = build.object("teamcityProperties");
    let started = build.time("buildStartTime");
    let ended = status == Status::Completed;
    let now = build.time("currentTime").unwrap_or(received_at);
    let finished = build.time("buildFinishTime").or(Some(now)).filter(|_| ended);
    let branch = build.text("branchName").filter(|name| name != "<default>");
    let change = build.items("changes").next().and_then(|change| change.text("version"));
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, properties.text("env.CI_SERVICE_NAME").as_deref()),
        project,
        pipeline: build.text("buildExternalTypeId").or_else(|| build.text("buildTypeId")),
        run_id: build.text("buildId")?,
        attempt: 1,
        number: build.text("buildNumber").and_then(|number| number.parse().ok()),
        change_id: branch.as_deref().and_then(change_of),
        is_default_branch: build.flag("branchIsDefault"),
        branch: branch.as_deref().and_then(branch_of).filter(|name| change_of(name).is_none()),
        commit_sha: properties.text("build.vcs.number").or(change),
        actor: build.text("triggeredBy"),
        status: Some(status),
        conclusion,
        started_at: started,
        finished_at: finished,
        url: page,
        labels: labels([
            ("build_number", build.text("buildNumber")),
            ("status_text", build.text("buildStatus").filter(|_| ended)),
            ("personal", build.text("buildIsPersonal").filter(|word| word == "true")),
        ]),
        updated_at: finished.or(Some(now)),
        ..Run::default()
    })
}
