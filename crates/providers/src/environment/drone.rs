//! Drone. Variables: <https://docs.drone.io/pipeline/environment/reference/>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;
use crate::trigger::trigger_word;

pub(super) static SYSTEM: System = System {
    provider: "drone",
    name: "Drone",
    detected_by: "DRONE=true",
    is_here: |draft| draft.is("DRONE", "true"),
    read,
    workspace: "DRONE_WORKSPACE",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(
        Field::Project,
        &["DRONE_REPO_LINK", "DRONE_GIT_HTTP_URL", "DRONE_REMOTE_URL"],
        project_of,
    );
    draft.take(Field::RunId, &["DRONE_BUILD_NUMBER"]);
    draft.take(Field::Number, &["DRONE_BUILD_NUMBER"]);
    // A job of Drone is a stage of its build.
    draft.take(Field::JobId, &["DRONE_STAGE_NUMBER"]);
    draft.take(Field::JobName, &["DRONE_STAGE_NAME"]);
    draft.take(Field::ChangeId, &["DRONE_PULL_REQUEST"]);
    // DRONE_BRANCH of a pull request is the branch it goes to.
    draft.take(Field::Branch, &["DRONE_TAG"]);
    if draft.get(Field::ChangeId).is_some() {
        draft.take(Field::Branch, &["DRONE_SOURCE_BRANCH"]);
        draft.label("target_branch", &["DRONE_TARGET_BRANCH"]);
    } else {
        draft.take(Field::Branch, &["DRONE_BRANCH", "DRONE_COMMIT_BRANCH"]);
    }
    draft.take(Field::CommitSha, &["DRONE_COMMIT_SHA", "DRONE_COMMIT"]);
    draft.take_with(Field::Trigger, &["DRONE_BUILD_EVENT"], |word| Some(trigger_word(word)));
    draft.take(Field::Actor, &["DRONE_COMMIT_AUTHOR", "DRONE_BUILD_TRIGGER"]);
    draft.take(Field::Url, &["DRONE_BUILD_LINK"]);
    if let (Some(branch), Some(default)) =
        (draft.variable("DRONE_BRANCH"), draft.variable("DRONE_REPO_BRANCH"))
    {
        let is_default = branch == default
            && draft.get(Field::ChangeId).is_none()
            && draft.variable("DRONE_TAG").is_none();
        draft.set(Field::IsDefaultBranch, is_default.to_string(), "DRONE_REPO_BRANCH");
    }
    draft.take(Field::RunnerName, &["DRONE_STAGE_MACHINE", "DRONE_RUNNER_HOST"]);
    draft.take(Field::RunnerOs, &["DRONE_STAGE_OS"]);
    draft.take(Field::RunnerArch, &["DRONE_STAGE_ARCH"]);
    draft.take(Field::Workspace, &["DRONE_WORKSPACE"]);
    draft.label("step", &["DRONE_STEP_NAME"]);
    draft.label("tag", &["DRONE_TAG"]);
    draft.label("environment", &["DRONE_DEPLOY_TO"]);
}
