//! CircleCI. Variables: <https://circleci.com/docs/reference/variables/>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;

pub(super) static SYSTEM: System = System {
    provider: "circleci",
    name: "CircleCI",
    detected_by: "CIRCLECI=true",
    is_here: |draft| draft.is("CIRCLECI", "true"),
    read,
    workspace: "CIRCLE_WORKING_DIRECTORY",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["CIRCLE_REPOSITORY_URL"], project_of);
    draft.take(Field::RunId, &["CIRCLE_WORKFLOW_ID"]);
    draft.take(Field::JobId, &["CIRCLE_WORKFLOW_JOB_ID"]);
    draft.take(Field::JobName, &["CIRCLE_JOB"]);
    draft.take(Field::ChangeId, &["CIRCLE_PR_NUMBER"]);
    draft.take_with(Field::ChangeId, &["CIRCLE_PULL_REQUEST"], number_at_end);
    // A pull request from a fork builds as the branch `pull/42`, which no repository has.
    draft.take_with(Field::Branch, &["CIRCLE_BRANCH"], |branch| (!is_fork_branch(branch)).then_some(branch));
    draft.take(Field::Branch, &["CIRCLE_TAG"]);
    draft.take(Field::CommitSha, &["CIRCLE_SHA1"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    draft.set(Field::Trigger, if is_change { "pull_request" } else { "" }, "CIRCLE_PULL_REQUEST");
    draft.take(Field::Actor, &["CIRCLE_USERNAME", "CIRCLE_PR_USERNAME"]);
    // CIRCLE_BUILD_URL is the page of the job.
    draft.take_with(Field::Url, &["CIRCLE_WORKFLOW_ID"], |id| {
        Some(format!("https://app.circleci.com/pipelines/workflows/{id}"))
    });
    draft.label("job_url", &["CIRCLE_BUILD_URL"]);
    draft.take(Field::Workspace, &["CIRCLE_WORKING_DIRECTORY"]);
    draft.label("tag", &["CIRCLE_TAG"]);
    draft.label("job_number", &["CIRCLE_BUILD_NUM"]);
}

fn is_fork_branch(branch: &str) -> bool {
    branch.strip_prefix("pull/").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn number_at_end(url: &str) -> Option<&str> {
    url.trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
