//! AppVeyor. Variables: <https://www.appveyor.com/docs/environment-variables/>.

use super::draft::Draft;
use super::{Field, System};

pub(super) static SYSTEM: System = System {
    provider: "appveyor",
    name: "AppVeyor",
    detected_by: "APPVEYOR=True",
    is_here: |draft| draft.is("APPVEYOR", "true"),
    read,
    workspace: "APPVEYOR_BUILD_FOLDER",
};

fn read(draft: &mut Draft<'_>) {
    if let (Some(host), Some(name)) = (
        draft.variable("APPVEYOR_REPO_PROVIDER").and_then(host_of_provider),
        draft.variable("APPVEYOR_REPO_NAME"),
    ) {
        draft.set(Field::Project, format!("{host}/{name}"), "APPVEYOR_REPO_PROVIDER + APPVEYOR_REPO_NAME");
    }
    draft.take(Field::Pipeline, &["APPVEYOR_PROJECT_NAME"]);
    draft.take(Field::RunId, &["APPVEYOR_BUILD_ID"]);
    draft.take(Field::Number, &["APPVEYOR_BUILD_NUMBER"]);
    draft.take(Field::JobId, &["APPVEYOR_JOB_ID"]);
    draft.take(Field::JobName, &["APPVEYOR_JOB_NAME"]);
    draft.take(Field::ChangeId, &["APPVEYOR_PULL_REQUEST_NUMBER"]);
    // APPVEYOR_REPO_BRANCH and APPVEYOR_REPO_COMMIT of a pull request are the target branch and the test merge.
    draft.take(Field::Branch, &["APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "APPVEYOR_REPO_TAG_NAME"]);
    draft.take(Field::CommitSha, &["APPVEYOR_PULL_REQUEST_HEAD_COMMIT"]);
    if draft.get(Field::ChangeId).is_none() {
        draft.take(Field::Branch, &["APPVEYOR_REPO_BRANCH"]);
        draft.take(Field::CommitSha, &["APPVEYOR_REPO_COMMIT"]);
        take_trigger(draft);
    } else {
        draft.set(Field::Trigger, "pull_request", "APPVEYOR_PULL_REQUEST_NUMBER");
        draft.label("target_branch", &["APPVEYOR_REPO_BRANCH"]);
    }
    take_url(draft);
    draft.take(Field::RunnerPool, &["APPVEYOR_BUILD_WORKER_IMAGE"]);
    draft.take(Field::Workspace, &["APPVEYOR_BUILD_FOLDER"]);
    draft.label("tag", &["APPVEYOR_REPO_TAG_NAME"]);
    draft.label("version", &["APPVEYOR_BUILD_VERSION"]);
}

fn host_of_provider(provider: &str) -> Option<&'static str> {
    match provider.to_lowercase().as_str() {
        "github" => Some("github.com"),
        "bitbucket" => Some("bitbucket.org"),
        "gitlab" => Some("gitlab.com"),
        _ => None,
    }
}

fn take_trigger(draft: &mut Draft<'_>) {
    for (name, trigger) in [("APPVEYOR_SCHEDULED_BUILD", "schedule"), ("APPVEYOR_FORCED_BUILD", "manual")] {
        if draft.is(name, "true") {
            draft.set(Field::Trigger, trigger, name);
        }
    }
}

fn take_url(draft: &mut Draft<'_>) {
    if let (Some(server), Some(account), Some(project), Some(build)) = (
        draft.variable("APPVEYOR_URL"),
        draft.variable("APPVEYOR_ACCOUNT_NAME"),
        draft.variable("APPVEYOR_PROJECT_SLUG"),
        draft.variable("APPVEYOR_BUILD_ID"),
    ) {
        let url = format!("{}/project/{account}/{project}/builds/{build}", server.trim_end_matches('/'));
        draft.set(Field::Url, url, "APPVEYOR_URL + APPVEYOR_PROJECT_SLUG + APPVEYOR_BUILD_ID");
    }
}
