//! `check_suite` and `check_run`: what other CI systems report to GitHub, as runs and jobs.
//!
//! GitHub Actions reports its own runs and jobs as checks too. Those are left out, `workflow_run` and `workflow_job`
//! tell them better.

use manometer_model::Status;
use manometer_model::records::{Job, Run};

use super::hub::{Hub, id, moment, state};
use super::run::nameplate;
use crate::Decoded;
use crate::reading::{labels, lacks, sha};
use crate::rows::job_of;
use crate::tree::View;

/// Where a check is one of GitHub Actions' own.
pub(crate) fn is_of_actions(check: View<'_>) -> bool {
    let app = check.object("app").or(check.object("check_suite").object("app"));
    app.text("slug")
        .or_else(|| app.text("name"))
        .is_some_and(|app| app == "github-actions" || app == "GitHub Actions")
}

/// A suite: all checks of one app for one commit.
pub(crate) fn check_suite(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let suite = root.object("check_suite");
    let Some(key) = run_of_suite(hub, suite) else { return lacks(decoded, "check_suite.id") };
    let (status, conclusion) = state(suite, root.text("action").as_deref());
    let changed_at = moment(suite, "updated_at").unwrap_or(hub.received_at);
    let run = Run {
        is_default_branch: key
            .branch
            .clone()
            .zip(hub.default_branch.clone())
            .map(|(one, other)| one == other),
        actor: root.object("sender").text("login"),
        status,
        conclusion,
        queued_at: moment(suite, "created_at"),
        started_at: (status == Some(Status::Running)).then_some(changed_at),
        finished_at: (status == Some(Status::Completed)).then_some(changed_at),
        updated_at: Some(changed_at),
        ..key
    };
    decoded.entities.extend(hub.commit(suite.object("head_commit")).map(Into::into));
    decoded.entities.push(run.into());
}

/// One check of a suite.
pub(crate) fn check_run(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let check = root.object("check_run");
    let suite = check.object("check_suite");
    let (Some(job_id), Some(run)) = (id(check, "id"), run_of_suite(hub, suite)) else {
        return lacks(decoded, "check_run.id or check_run.check_suite.id");
    };
    let (status, conclusion) = state(check, root.text("action").as_deref());
    // A check that nobody began has its creation in `started_at`.
    let told_at = moment(check, "started_at");
    let has_begun = matches!(status, Some(Status::Running | Status::Completed));
    let finished_at = moment(check, "completed_at").filter(|_| status == Some(Status::Completed));
    let job = Job {
        job_id,
        name: check.text("name"),
        commit_sha: sha(check, "head_sha").or_else(|| run.commit_sha.clone()),
        status,
        conclusion,
        queued_at: told_at.filter(|_| status == Some(Status::Queued)),
        started_at: told_at.filter(|_| has_begun),
        finished_at,
        failure_reason: check
            .object("output")
            .text("title")
            .filter(|_| conclusion.is_some_and(|end| end > manometer_model::Conclusion::Cancelled)),
        url: check.text("html_url").or_else(|| check.text("details_url")),
        labels: labels([("external_id", check.text("external_id"))]),
        updated_at: finished_at.or(told_at).or(Some(hub.received_at)),
        ..job_of(&run)
    };
    decoded.entities.push(run.into());
    decoded.entities.push(job.into());
}

/// A suite as the run it is, claiming neither status nor time. Its id may be that of a workflow run too.
fn run_of_suite(hub: &Hub<'_>, suite: View<'_>) -> Option<Run> {
    let key = Run {
        provider: hub.provider.to_owned(),
        project: hub.project.clone(),
        run_id: format!("suite-{}", id(suite, "id")?),
        attempt: 1,
        ..Run::default()
    };
    let app = suite.object("app");
    Some(Run {
        service: hub.service(),
        pipeline: app.text("name").or_else(|| app.text("slug")),
        branch: suite.text("head_branch"),
        commit_sha: sha(suite, "head_sha"),
        trigger: Some("check_suite".to_owned()),
        change_id: suite.items("pull_requests").find_map(|change| change.text("number")),
        ..nameplate(&key)
    })
}
