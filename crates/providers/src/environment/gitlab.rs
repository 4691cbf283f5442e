//! GitLab CI. Variables: <https://docs.gitlab.com/ci/variables/predefined_variables/>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;
use crate::trigger::trigger_word;

pub(super) static SYSTEM: System = System {
    provider: "gitlab",
    name: "GitLab CI",
    detected_by: "GITLAB_CI=true",
    is_here: |draft| draft.is("GITLAB_CI", "true"),
    read,
    workspace: "CI_PROJECT_DIR",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["CI_PROJECT_URL"], project_of);
    draft.take(Field::Pipeline, &["CI_PIPELINE_NAME"]);
    draft.take(Field::RunId, &["CI_PIPELINE_ID"]);
    draft.take(Field::Number, &["CI_PIPELINE_IID"]);
    draft.take(Field::JobId, &["CI_JOB_ID"]);
    draft.take(Field::JobName, &["CI_JOB_NAME"]);
    draft.take(
        Field::Branch,
        &[
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME",
            "CI_COMMIT_BRANCH",
            "CI_COMMIT_TAG",
            "CI_COMMIT_REF_NAME",
        ],
    );
    // The first two are empty unless the pipeline runs on a merge made for testing; then CI_COMMIT_SHA is that merge.
    draft.take(
        Field::CommitSha,
        &[
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA",
            "CI_COMMIT_SHA",
        ],
    );
    draft.take_with(Field::Trigger, &["CI_PIPELINE_SOURCE"], |word| Some(trigger_word(word)));
    draft.take(Field::Actor, &["GITLAB_USER_LOGIN"]);
    draft.take(Field::ChangeId, &["CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"]);
    draft.take(Field::Url, &["CI_PIPELINE_URL"]);
    take_default_branch(draft);
    draft.take(Field::RunnerName, &["CI_RUNNER_DESCRIPTION"]);
    draft.take_with(Field::RunnerOs, &["CI_RUNNER_EXECUTABLE_ARCH"], |platform| {
        platform.split_once('/').map(|(os, _)| os)
    });
    draft.take_with(Field::RunnerArch, &["CI_RUNNER_EXECUTABLE_ARCH"], |platform| {
        platform.split_once('/').map(|(_, arch)| arch)
    });
    draft.take(Field::Workspace, &["CI_PROJECT_DIR"]);
    draft.label("stage", &["CI_JOB_STAGE"]);
    draft.label("target_branch", &["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"]);
    draft.label("tag", &["CI_COMMIT_TAG"]);
    draft.label("environment", &["CI_ENVIRONMENT_NAME"]);
    draft.label("runner_id", &["CI_RUNNER_ID"]);
}

fn take_default_branch(draft: &mut Draft<'_>) {
    let Some(default) = draft.variable("CI_DEFAULT_BRANCH") else { return };
    let is_default = draft.variable("CI_COMMIT_BRANCH") == Some(default);
    draft.set(Field::IsDefaultBranch, is_default.to_string(), "CI_DEFAULT_BRANCH");
}
