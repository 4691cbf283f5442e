//! What the events of GitHub's dialect have in common: the repository, and the small shapes they all use. Gitea and
//! Forgejo send the same events under their own names.

use manometer_model::records::Commit;
use manometer_model::{Conclusion, Status, Timestamp};

use crate::ServiceRules;
use crate::reading::{first_line, sha};
use crate::repository::project_of;
use crate::tree::View;

/// One event about one repository.
#[derive(Debug)]
pub(crate) struct Hub<'a> {
    /// The column `provider`.
    pub(crate) provider: &'static str,
    /// `github.com/acme/shop`
    pub(crate) project: String,
    /// `acme/shop`
    pub(crate) full_name: Option<String>,
    /// The branch others start from.
    pub(crate) default_branch: Option<String>,
    /// Is the time of a commit in a payload the author's (Gitea, Forgejo), not the committer's (GitHub)?
    pub(crate) tells_authored_at: bool,
    /// Which service a run builds.
    pub(crate) rules: &'a ServiceRules,
    /// When the event arrived.
    pub(crate) received_at: Timestamp,
}

impl<'a> Hub<'a> {
    /// The event's repository; none where it is about an organisation or an installation.
    pub(crate) fn of(
        provider: &'static str,
        root: View<'_>,
        rules: &'a ServiceRules,
        received_at: Timestamp,
    ) -> Option<Self> {
        let repository = root.object("repository");
        let full_name = repository.text("full_name");
        let project = repository.text("html_url").as_deref().and_then(project_of);
        let on_github = || (provider == "github").then_some("github.com/");
        Some(Self {
            provider,
            project: project.or_else(|| Some(format!("{}{}", on_github()?, full_name.as_deref()?)))?,
            full_name,
            default_branch: repository.text("default_branch"),
            tells_authored_at: provider != "github",
            rules,
            received_at,
        })
    }

    /// The service of a run that says nothing of it itself.
    pub(crate) fn service(&self) -> Option<String> {
        self.rules.service(&self.project, None)
    }

    /// A commit of this repository, as it stands in pushes and runs.
    pub(crate) fn commit(&self, commit: View<'_>) -> Option<Commit> {
        let author = commit.object("author");
        let written_at = moment(commit, "timestamp");
        Some(Commit {
            project: self.project.clone(),
            sha: sha(commit, "id")?,
            author: author.text("username").or_else(|| author.text("name")),
            title: commit.text("message").as_deref().and_then(first_line),
            authored_at: written_at.filter(|_| self.tells_authored_at),
            committed_at: written_at.filter(|_| !self.tells_authored_at),
            url: commit.text("url"),
            ..Commit::default()
        })
    }
}

/// A time that is one: Go programs write the year 1 where they have none.
pub(crate) fn moment(view: View<'_>, key: &'static str) -> Option<Timestamp> {
    view.time(key).filter(|time| time.as_micros() > 0)
}

/// An identity; zero is how some say that there is none.
pub(crate) fn id(view: View<'_>, key: &'static str) -> Option<String> {
    view.text(key).filter(|id| id != "0")
}

/// How far a run, job or check is, and how it ended.
///
/// `action_required` is no end: somebody has to approve the run before it goes on.
pub(crate) fn state(subject: View<'_>, action: Option<&str>) -> (Option<Status>, Option<Conclusion>) {
    let word = subject.text("status");
    let ended = |conclusion| (Some(Status::Completed), conclusion);
    match word.as_deref().or(action).unwrap_or_default() {
        "queued" | "requested" | "pending" | "rerequested" | "created" => (Some(Status::Queued), None),
        "waiting" | "blocked" => (Some(Status::Waiting), None),
        "in_progress" | "running" => (Some(Status::Running), None),
        "completed" => match subject.text("conclusion").as_deref() {
            Some("action_required") => (Some(Status::Waiting), None),
            Some(word) => ended(conclusion(word)),
            None => ended(None),
        },
        // Older servers write the conclusion where the status stands.
        word => match conclusion(word) {
            None => (None, None),
            known => ended(known),
        },
    }
}

/// How a run, job, step or check ended.
pub(crate) fn conclusion(word: &str) -> Option<Conclusion> {
    Some(match word {
        "success" => Conclusion::Success,
        "neutral" => Conclusion::Neutral,
        "skipped" => Conclusion::Skipped,
        "cancelled" => Conclusion::Cancelled,
        "failure" => Conclusion::Failure,
        // GitHub gives up on checks that nobody completed for two weeks.
        "timed_out" | "stale" => Conclusion::TimedOut,
        "startup_failure" | "error" => Conclusion::Error,
        _ => return None,
    })
}
