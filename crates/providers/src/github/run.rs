//! `workflow_run`: a run and the commit it builds.
//!
//! GitHub tells when a run was asked for (`created_at`; for re-runs `run_started_at`) and when it last changed
//! (`updated_at`), not when work began: `run_started_at` is the time of asking. Work began when the run first was in
//! progress, so the start is taken from that event. Where it never arrived, the time of asking stands in, as an
//! observation without status that the event outranks in any order.

use manometer_model::records::Run;
use manometer_model::{Status, Timestamp};

use super::hub::{Hub, id, moment, state};
use crate::Decoded;
use crate::reading::{labels, lacks, sha};
use crate::tree::View;
use crate::trigger::trigger_word;

/// A run: requested, in progress, completed.
pub(crate) fn workflow_run(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let run = root.object("workflow_run");
    let Some(run_id) = id(run, "id") else { return lacks(decoded, "workflow_run.id") };
    let (status, conclusion) = state(run, root.text("action").as_deref());
    let attempt = run.int("run_attempt").unwrap_or(1).max(1);
    let asked_at = if attempt == 1 { moment(run, "created_at") } else { None }
        .or_else(|| moment(run, "run_started_at"))
        .or_else(|| (status == Some(Status::Queued) && !run_has_times(run)).then_some(hub.received_at));
    let changed_at = moment(run, "completed_at")
        .or_else(|| moment(run, "updated_at"))
        .or_else(|| moment(run, "started_at"))
        .unwrap_or(hub.received_at);
    let branch = run.text("head_branch");
    let from_fork = fork(hub, run);
    let trigger = run.text("event");
    let is_change = trigger.as_deref().is_some_and(|event| event.starts_with("pull_request"));
    let row = Run {
        provider: hub.provider.to_owned(),
        project: hub.project.clone(),
        service: hub.service(),
        pipeline: run.text("name").or_else(|| root.object("workflow").text("name")),
        run_id,
        attempt,
        number: run.int("run_number"),
        is_default_branch: match (&branch, &hub.default_branch) {
            (Some(branch), Some(default)) => Some(branch == default && from_fork.is_none() && !is_change),
            _ => None,
        },
        branch,
        commit_sha: sha(run, "head_sha"),
        trigger: trigger.as_deref().map(trigger_word),
        actor: actor(run),
        status,
        conclusion,
        queued_at: asked_at,
        started_at: started_at(hub, run, status, asked_at),
        finished_at: (status == Some(Status::Completed)).then_some(changed_at),
        change_id: run.items("pull_requests").find_map(|change| change.text("number")),
        url: run.text("html_url"),
        labels: labels([
            ("workflow_path", run.text("path")),
            ("title", run.text("display_title")),
            ("head_repository", from_fork),
        ]),
        updated_at: Some(changed_at),
        ..Run::default()
    };
    if row.status == Some(Status::Completed) && row.started_at.is_none() {
        decoded.entities.push(stand_in(&row, asked_at).into());
    }
    let commit = hub.commit(run.object("head_commit")).map(|mut commit| {
        commit.branch =
            row.branch.clone().filter(|_| commit.sha == row.commit_sha.as_deref().unwrap_or_default());
        commit.change_id = row.change_id.clone();
        commit
    });
    decoded.entities.extend(commit.map(Into::into));
    decoded.entities.push(row.into());
}

/// When work began, as far as this event can know it.
fn started_at(
    hub: &Hub<'_>,
    run: View<'_>,
    status: Option<Status>,
    asked_at: Option<Timestamp>,
) -> Option<Timestamp> {
    let later = |time: &Timestamp| asked_at.is_none_or(|asked| *time > asked);
    // Gitea tells it.
    if let Some(told) = moment(run, "started_at").filter(later) {
        return Some(told);
    }
    if status != Some(Status::Running) {
        return None;
    }
    moment(run, "updated_at").filter(later).or_else(|| Some(hub.received_at).filter(later))
}

fn stand_in(run: &Run, asked_at: Option<Timestamp>) -> Run {
    Run { started_at: asked_at, ..nameplate(run) }
}

/// The key of a run alone: an observation that claims nothing.
pub(crate) fn nameplate(run: &Run) -> Run {
    Run {
        provider: run.provider.clone(),
        project: run.project.clone(),
        run_id: run.run_id.clone(),
        attempt: run.attempt,
        ..Run::default()
    }
}

fn run_has_times(run: View<'_>) -> bool {
    moment(run, "created_at").or_else(|| moment(run, "run_started_at")).is_some()
}

/// The repository a change comes from, where it is another one.
fn fork(hub: &Hub<'_>, run: View<'_>) -> Option<String> {
    let head = run.object("head_repository").text("full_name")?;
    (Some(&head) != hub.full_name.as_ref()).then_some(head)
}

fn actor(run: View<'_>) -> Option<String> {
    ["triggering_actor", "trigger_actor", "actor"].into_iter().find_map(|role| run.object(role).text("login"))
}
