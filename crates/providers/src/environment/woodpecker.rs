//! Woodpecker. Variables: <https://woodpecker-ci.org/docs/usage/environment>. It shares `CI_…` names with GitLab, and
//! older versions set Drone's too.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;
use crate::trigger::trigger_word;

pub(super) static SYSTEM: System = System {
    provider: "woodpecker",
    name: "Woodpecker",
    detected_by: "CI=woodpecker or CI_SYSTEM_NAME=woodpecker",
    is_here: |draft| draft.is("CI", "woodpecker") || draft.is("CI_SYSTEM_NAME", "woodpecker"),
    read,
    workspace: "CI_WORKSPACE",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["CI_REPO_URL", "CI_REPO_CLONE_URL", "CI_REPO_LINK"], project_of);
    draft.take(Field::RunId, &["CI_PIPELINE_NUMBER"]);
    draft.take(Field::Number, &["CI_PIPELINE_NUMBER"]);
    // A job of Woodpecker is a workflow of its pipeline.
    draft.take(Field::JobId, &["CI_WORKFLOW_NUMBER"]);
    draft.take(Field::JobName, &["CI_WORKFLOW_NAME"]);
    draft.take(Field::ChangeId, &["CI_COMMIT_PULL_REQUEST"]);
    // CI_COMMIT_BRANCH of a pull request is the branch it goes to.
    draft.take(Field::Branch, &["CI_COMMIT_SOURCE_BRANCH", "CI_COMMIT_TAG"]);
    if draft.get(Field::ChangeId).is_none() {
        draft.take(Field::Branch, &["CI_COMMIT_BRANCH"]);
    }
    draft.take(Field::CommitSha, &["CI_COMMIT_SHA"]);
    draft.take_with(Field::Trigger, &["CI_PIPELINE_EVENT"], |word| Some(trigger_word(word)));
    draft.take(Field::Actor, &["CI_PIPELINE_AUTHOR", "CI_COMMIT_AUTHOR"]);
    draft.take(Field::Url, &["CI_PIPELINE_URL", "CI_PIPELINE_FORGE_URL"]);
    if let (Some(branch), Some(default)) =
        (draft.variable("CI_COMMIT_BRANCH"), draft.variable("CI_REPO_DEFAULT_BRANCH"))
    {
        let is_default = branch == default
            && draft.get(Field::ChangeId).is_none()
            && draft.variable("CI_COMMIT_TAG").is_none();
        draft.set(Field::IsDefaultBranch, is_default.to_string(), "CI_REPO_DEFAULT_BRANCH");
    }
    draft.take(Field::RunnerName, &["CI_MACHINE"]);
    draft.take_with(Field::RunnerOs, &["CI_SYSTEM_PLATFORM"], |text| text.split_once('/').map(|(os, _)| os));
    draft.take_with(Field::RunnerArch, &["CI_SYSTEM_PLATFORM"], |text| {
        text.split_once('/').map(|(_, arch)| arch)
    });
    draft.take(Field::Workspace, &["CI_WORKSPACE"]);
    draft.label("target_branch", &["CI_COMMIT_TARGET_BRANCH"]);
    draft.label("step", &["CI_STEP_NAME"]);
    draft.label("tag", &["CI_COMMIT_TAG"]);
    draft.label("environment", &["CI_PIPELINE_DEPLOY_TARGET"]);
}
