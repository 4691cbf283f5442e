//! Bitbucket Pipelines. Variables:
//! <https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;

pub(super) static SYSTEM: System = System {
    provider: "bitbucket",
    name: "Bitbucket Pipelines",
    detected_by: "BITBUCKET_BUILD_NUMBER",
    is_here: |draft| draft.variable("BITBUCKET_BUILD_NUMBER").is_some(),
    read,
    workspace: "BITBUCKET_CLONE_DIR",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["BITBUCKET_GIT_HTTP_ORIGIN", "BITBUCKET_GIT_SSH_ORIGIN"], project_of);
    draft.take_with(Field::Project, &["BITBUCKET_REPO_FULL_NAME"], |name| {
        project_of(&format!("https://bitbucket.org/{name}"))
    });
    draft.take(Field::RunId, &["BITBUCKET_BUILD_NUMBER"]);
    draft.take(Field::Number, &["BITBUCKET_BUILD_NUMBER"]);
    draft.take(Field::JobId, &["BITBUCKET_STEP_UUID"]);
    draft.take(Field::ChangeId, &["BITBUCKET_PR_ID"]);
    draft.take(Field::Branch, &["BITBUCKET_BRANCH", "BITBUCKET_TAG"]);
    draft.take(Field::CommitSha, &["BITBUCKET_COMMIT"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    draft.set(Field::Trigger, if is_change { "pull_request" } else { "" }, "BITBUCKET_PR_ID");
    if let (Some(origin), Some(number)) =
        (draft.variable("BITBUCKET_GIT_HTTP_ORIGIN"), draft.variable("BITBUCKET_BUILD_NUMBER"))
    {
        let url = format!("{}/pipelines/results/{number}", origin.replacen("http://", "https://", 1));
        draft.set(Field::Url, url, "BITBUCKET_GIT_HTTP_ORIGIN + BITBUCKET_BUILD_NUMBER");
    }
    draft.take(Field::Workspace, &["BITBUCKET_CLONE_DIR"]);
    draft.label("target_branch", &["BITBUCKET_PR_DESTINATION_BRANCH"]);
    draft.label("tag", &["BITBUCKET_TAG"]);
    draft.label("environment", &["BITBUCKET_DEPLOYMENT_ENVIRONMENT"]);
}
