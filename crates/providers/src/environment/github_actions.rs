//! GitHub Actions, and what systems that imitate it share with it.
//!
//! Variables: <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>. The event file holds the
//! webhook payload that started the run; of a pull request it alone tells the head commit (`GITHUB_SHA` is the test
//! merge).

use crate::trigger::trigger_word;
use serde::Deserialize;

use super::draft::Draft;
use super::{Field, System};
use crate::repository::{change_of, project_of};

pub(super) static SYSTEM: System = System {
    provider: "github",
    name: "GitHub Actions",
    detected_by: "GITHUB_ACTIONS=true",
    is_here: |draft| draft.is("GITHUB_ACTIONS", "true") && !super::gitea::is_gitea_or_forgejo(draft),
    read,
    workspace: "GITHUB_WORKSPACE",
};

/// Largest event file read. GitHub caps payloads at 25 MB.
const EVENT_FILE_BYTES: u64 = 26 * 1024 * 1024;

pub(super) fn read(draft: &mut Draft<'_>) {
    let event = event_file(draft);
    take_project(draft);
    draft.take(Field::Pipeline, &["GITHUB_WORKFLOW"]);
    draft.take(Field::RunId, &["GITHUB_RUN_ID"]);
    draft.take(Field::Attempt, &["GITHUB_RUN_ATTEMPT"]);
    draft.take(Field::Number, &["GITHUB_RUN_NUMBER"]);
    draft.take(Field::JobId, &["CI_JOB_CHECK_RUN_ID"]);
    draft.take(Field::JobName, &["GITHUB_JOB"]);
    draft.take_with(Field::Trigger, &["GITHUB_EVENT_NAME"], |word| Some(trigger_word(word)));
    draft.take(Field::Actor, &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"]);
    take_change(draft, &event);
    take_default_branch(draft, &event);
    take_url(draft);
    draft.take(Field::RunnerName, &["RUNNER_NAME"]);
    draft.take(Field::RunnerOs, &["RUNNER_OS"]);
    draft.take(Field::RunnerArch, &["RUNNER_ARCH"]);
    draft.take(Field::RunnerPool, &["RUNNER_ENVIRONMENT"]);
    draft.take(Field::Workspace, &["GITHUB_WORKSPACE"]);
    draft.label("target_branch", &["GITHUB_BASE_REF"]);
    if draft.is("GITHUB_REF_TYPE", "tag") {
        draft.label("tag", &["GITHUB_REF_NAME"]);
    }
}

fn take_project(draft: &mut Draft<'_>) {
    let server = draft.variable("GITHUB_SERVER_URL").unwrap_or("https://github.com");
    if let Some(repository) = draft.variable("GITHUB_REPOSITORY")
        && let Some(project) = project_of(&format!("{}/{repository}", server.trim_end_matches('/')))
    {
        draft.set(Field::Project, project, "GITHUB_SERVER_URL + GITHUB_REPOSITORY");
    }
}

/// Change, branch and commit. Only the event file knows the head commit of a pull request; without it nothing is said
/// about the commit, and git may see through the test merge.
fn take_change(draft: &mut Draft<'_>, event: &Event) {
    if let Some(change) = &event.pull_request {
        if let Some(number) = change.number.or(event.number) {
            draft.set(Field::ChangeId, number.to_string(), "event file: pull_request.number");
        }
        draft.set(Field::Branch, change.head.name.as_str(), "event file: pull_request.head.ref");
        draft.set(Field::CommitSha, change.head.sha.as_str(), "event file: pull_request.head.sha");
    }
    draft.take_with(Field::ChangeId, &["GITHUB_REF"], change_of);
    draft.take(Field::Branch, &["GITHUB_HEAD_REF"]);
    if draft.get(Field::ChangeId).is_none() && draft.variable("GITHUB_HEAD_REF").is_none() {
        draft.take(Field::Branch, &["GITHUB_REF_NAME"]);
        draft.take(Field::CommitSha, &["GITHUB_SHA"]);
    }
}

fn take_default_branch(draft: &mut Draft<'_>, event: &Event) {
    let Some(default) = event.repository.as_ref().map(|repository| repository.default_branch.as_str()) else {
        return;
    };
    let Some(branch) = draft.get(Field::Branch).filter(|_| !default.is_empty()) else { return };
    let is_default =
        branch == default && draft.get(Field::ChangeId).is_none() && !draft.is("GITHUB_REF_TYPE", "tag");
    draft.set(Field::IsDefaultBranch, is_default.to_string(), "event file: repository.default_branch");
}

fn take_url(draft: &mut Draft<'_>) {
    if let (Some(server), Some(repository), Some(run)) = (
        draft.variable("GITHUB_SERVER_URL"),
        draft.variable("GITHUB_REPOSITORY"),
        draft.variable("GITHUB_RUN_ID"),
    ) {
        let url = format!("{}/{repository}/actions/runs/{run}", server.trim_end_matches('/'));
        draft.set(Field::Url, url, "GITHUB_SERVER_URL + GITHUB_REPOSITORY + GITHUB_RUN_ID");
    }
}

/// The parts of the event file that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    number: Option<u64>,
    pull_request: Option<PullRequest>,
    repository: Option<Repository>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PullRequest {
    number: Option<u64>,
    head: Head,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repository {
    default_branch: String,
}

fn event_file(draft: &mut Draft<'_>) -> Event {
    let Some(path) = draft.variable("GITHUB_EVENT_PATH") else { return Event::default() };
    let Some(content) = draft.file(path, EVENT_FILE_BYTES) else {
        draft.problem(
            "GITHUB_EVENT_PATH",
            format!("cannot read the event file {path}; the run is described without it"),
        );
        return Event::default();
    };
    serde_json::from_slice(&content).unwrap_or_else(|error| {
        draft.problem(
            "GITHUB_EVENT_PATH",
            format!("the event file {path} is not as expected ({error}); the run is described without it"),
        );
        Event::default()
    })
}
