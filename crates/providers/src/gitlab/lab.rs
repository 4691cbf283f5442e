//! What GitLab's events have in common: the project, and the words and shapes they all use.

use manometer_model::records::Commit;
use manometer_model::{Conclusion, Status, Timestamp};

use super::NAME;
use crate::ServiceRules;
use crate::reading::{first_line, sha};
use crate::repository::project_of;
use crate::tree::View;

/// One event about one project.
#[derive(Debug)]
pub(super) struct Lab<'a> {
    /// `gitlab.com/acme/shop`
    pub(super) project: String,
    pub(super) default_branch: Option<String>,
    pub(super) rules: &'a ServiceRules,
    /// When the event arrived.
    pub(super) received_at: Timestamp,
}

impl<'a> Lab<'a> {
    pub(super) fn of(root: View<'_>, rules: &'a ServiceRules, received_at: Timestamp) -> Option<Self> {
        let (project, repository) = (root.object("project"), root.object("repository"));
        let address = project
            .text("web_url")
            .or_else(|| project.text("git_http_url"))
            .or_else(|| repository.text("homepage"))
            .or_else(|| repository.text("git_http_url"))?;
        Some(Self {
            project: project_of(&address)?,
            default_branch: project.text("default_branch"),
            rules,
            received_at,
        })
    }

    /// The service of a run: what its variables say, else what the rules make of the project.
    pub(super) fn service(&self, said: Option<&str>) -> Option<String> {
        self.rules.service(&self.project, said)
    }

    /// A commit as it stands in pushes and pipelines.
    pub(super) fn commit(&self, commit: View<'_>) -> Option<Commit> {
        Some(Commit {
            project: self.project.clone(),
            sha: sha(commit, "id")?,
            author: commit.object("author").text("name"),
            title: commit.text("title").or_else(|| commit.text("message")).as_deref().and_then(first_line),
            committed_at: commit.time("timestamp"),
            url: commit.text("url"),
            ..Commit::default()
        })
    }

    /// The name in the column `provider`.
    pub(super) fn provider(&self) -> String {
        NAME.to_owned()
    }
}

/// How far a pipeline or job is, and how it ended.
///
/// A manual job that nobody started is waiting; it stays so when its pipeline ends.
pub(super) fn state(word: Option<&str>, reason: Option<&str>) -> (Option<Status>, Option<Conclusion>) {
    let ended = |conclusion| (Some(Status::Completed), Some(conclusion));
    match word.unwrap_or_default() {
        "created" | "preparing" | "pending" => (Some(Status::Queued), None),
        "waiting_for_resource" | "waiting_for_callback" | "manual" | "scheduled" | "blocked" => {
            (Some(Status::Waiting), None)
        }
        "running" | "canceling" => (Some(Status::Running), None),
        "success" => ended(Conclusion::Success),
        "failed" => ended(failure(reason.unwrap_or_default())),
        "canceled" => ended(Conclusion::Cancelled),
        "skipped" => ended(Conclusion::Skipped),
        _ => (None, None),
    }
}

/// Which way of ending badly a `failure_reason` is.
fn failure(reason: &str) -> Conclusion {
    match reason {
        "stuck_or_timeout_failure" | "job_execution_timeout" | "job_execution_server_timeout" => {
            Conclusion::TimedOut
        }
        "api_failure"
        | "runner_system_failure"
        | "runner_unsupported"
        | "scheduler_failure"
        | "data_integrity_failure"
        | "missing_dependency_failure"
        | "stale_schedule" => Conclusion::Error,
        _ => Conclusion::Failure,
    }
}
