//! Bitrise. Variables: <https://docs.bitrise.io/en/bitrise-ci/references/available-environment-variables.html>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;

pub(super) static SYSTEM: System = System {
    provider: "bitrise",
    name: "Bitrise",
    detected_by: "BITRISE_IO=true, or BITRISE_BUILD_SLUG",
    is_here: |draft| draft.is("BITRISE_IO", "true") || draft.variable("BITRISE_BUILD_SLUG").is_some(),
    read,
    workspace: "BITRISE_SOURCE_DIR",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["GIT_REPOSITORY_URL"], project_of);
    draft.take(
        Field::Pipeline,
        &["BITRISEIO_PIPELINE_TITLE", "BITRISE_TRIGGERED_WORKFLOW_TITLE", "BITRISE_TRIGGERED_WORKFLOW_ID"],
    );
    draft.take(Field::RunId, &["BITRISE_BUILD_SLUG"]);
    draft.take(Field::Number, &["BITRISE_BUILD_NUMBER"]);
    draft.take(Field::ChangeId, &["BITRISE_PULL_REQUEST"]);
    draft.take(
        Field::Branch,
        &["BITRISEIO_PULL_REQUEST_HEAD_BRANCH", "BITRISE_GIT_BRANCH", "BITRISE_GIT_TAG"],
    );
    draft.take(Field::CommitSha, &["BITRISE_GIT_COMMIT", "GIT_CLONE_COMMIT_HASH"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    draft.set(Field::Trigger, if is_change { "pull_request" } else { "" }, "BITRISE_PULL_REQUEST");
    draft.take(Field::Url, &["BITRISE_BUILD_URL"]);
    draft.take(Field::RunnerPool, &["BITRISEIO_STACK_ID"]);
    draft.take(Field::Workspace, &["BITRISE_SOURCE_DIR"]);
    draft.label("target_branch", &["BITRISEIO_GIT_BRANCH_DEST"]);
    draft.label("tag", &["BITRISE_GIT_TAG"]);
    draft.label("app", &["BITRISE_APP_TITLE"]);
}
