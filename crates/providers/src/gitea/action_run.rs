//! Forgejo's `action_run_success`, `action_run_failure` and `action_run_recover`: a run that ended.

use manometer_model::records::Run;
use manometer_model::{Conclusion, Status, Timestamp};

use crate::github::hub::{Hub, id, moment};
use crate::reading::{labels, lacks, sha};
use crate::repository::{branch_of, change_of, project_of};
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::{Decoded, ServiceRules};

/// A run that ended, with the repository inside of it.
pub(crate) fn action_run(
    provider: &'static str,
    event: &str,
    root: View<'_>,
    rules: &ServiceRules,
    received_at: Timestamp,
    decoded: &mut Decoded,
) {
    let run = root.object("run");
    let repository = run.object("repository").or(root.object("repository"));
    let Some(project) = repository.text("html_url").as_deref().and_then(project_of) else {
        return lacks(decoded, "run.repository.html_url");
    };
    decoded.known = true;
    decoded.project = Some(project.clone());
    let Some(run_id) = id(run, "id") else { return lacks(decoded, "run.id") };
    let branch = run.text("prettyref").or_else(|| run.text("ref")).filter(|name| change_of(name).is_none());
    let branch = branch.and_then(|name| branch_of(&name));
    let finished_at = moment(run, "stopped").or_else(|| moment(run, "updated")).unwrap_or(received_at);
    let hub = Hub {
        provider,
        full_name: repository.text("full_name"),
        default_branch: repository.text("default_branch"),
        tells_authored_at: true,
        rules,
        received_at,
        project,
    };
    let is_change = run.text("trigger_event").is_some_and(|trigger| trigger.starts_with("pull_request"));
    let row = Run {
        provider: provider.to_owned(),
        project: hub.project.clone(),
        service: hub.service(),
        pipeline: run.text("workflow_id"),
        run_id,
        attempt: 1,
        number: run.int("index_in_repo"),
        is_default_branch: branch
            .clone()
            .zip(hub.default_branch)
            .map(|(branch, default)| branch == default && !is_change),
        branch,
        commit_sha: sha(run, "commit_sha"),
        trigger: run.text("trigger_event").or_else(|| run.text("event")).as_deref().map(trigger_word),
        actor: run.object("trigger_user").text("login"),
        status: Some(Status::Completed),
        conclusion: conclusion(event, run),
        queued_at: moment(run, "created"),
        started_at: moment(run, "started"),
        finished_at: Some(finished_at),
        change_id: run
            .text("prettyref")
            .or_else(|| run.text("ref"))
            .and_then(|name| name.strip_prefix('#').map(str::to_owned).or_else(|| change_of(&name))),
        url: run.text("html_url"),
        labels: labels([("title", run.text("title"))]),
        updated_at: Some(finished_at),
        ..Run::default()
    };
    decoded.entities.push(row.into());
}

/// The status word is more precise than the event: a cancelled run sends `action_run_failure`.
fn conclusion(event: &str, run: View<'_>) -> Option<Conclusion> {
    match run.text("status").as_deref() {
        Some("cancelled") => Some(Conclusion::Cancelled),
        Some("skipped") => Some(Conclusion::Skipped),
        _ if event == "action_run_failure" => Some(Conclusion::Failure),
        _ => Some(Conclusion::Success),
    }
}
