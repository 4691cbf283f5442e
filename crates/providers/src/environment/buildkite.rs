//! Buildkite. Variables: <https://buildkite.com/docs/pipelines/configure/environment-variables>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;
use crate::trigger::trigger_word;

pub(super) static SYSTEM: System = System {
    provider: "buildkite",
    name: "Buildkite",
    detected_by: "BUILDKITE=true",
    is_here: |draft| draft.is("BUILDKITE", "true"),
    read,
    workspace: "BUILDKITE_BUILD_CHECKOUT_PATH",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["BUILDKITE_REPO"], project_of);
    draft.take(Field::Pipeline, &["BUILDKITE_PIPELINE_NAME", "BUILDKITE_PIPELINE_SLUG"]);
    draft.take(Field::RunId, &["BUILDKITE_BUILD_ID"]);
    draft.take(Field::Number, &["BUILDKITE_BUILD_NUMBER"]);
    draft.take(Field::JobId, &["BUILDKITE_JOB_ID"]);
    draft.take(Field::JobName, &["BUILDKITE_LABEL", "BUILDKITE_STEP_KEY"]);
    draft.take_with(Field::ChangeId, &["BUILDKITE_PULL_REQUEST"], |number| {
        (number != "false").then_some(number)
    });
    draft.take(Field::Branch, &["BUILDKITE_BRANCH", "BUILDKITE_TAG"]);
    // `HEAD` until the checkout has resolved it.
    draft.take_with(Field::CommitSha, &["BUILDKITE_COMMIT"], |commit| (commit != "HEAD").then_some(commit));
    let source =
        if draft.get(Field::ChangeId).is_some() { "BUILDKITE_PULL_REQUEST" } else { "BUILDKITE_SOURCE" };
    let word =
        if draft.get(Field::ChangeId).is_some() { Some("pull_request") } else { draft.variable(source) };
    draft.set(Field::Trigger, word.map(trigger_word).unwrap_or_default(), source);
    draft.take(Field::Actor, &["BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_AUTHOR"]);
    draft.take(Field::Url, &["BUILDKITE_BUILD_URL"]);
    if let (Some(branch), Some(default)) =
        (draft.variable("BUILDKITE_BRANCH"), draft.variable("BUILDKITE_PIPELINE_DEFAULT_BRANCH"))
    {
        let is_default = branch == default && draft.get(Field::ChangeId).is_none();
        draft.set(Field::IsDefaultBranch, is_default.to_string(), "BUILDKITE_PIPELINE_DEFAULT_BRANCH");
    }
    draft.take(Field::RunnerName, &["BUILDKITE_AGENT_NAME"]);
    draft.take(Field::RunnerPool, &["BUILDKITE_AGENT_META_DATA_QUEUE"]);
    draft.take(Field::Workspace, &["BUILDKITE_BUILD_CHECKOUT_PATH"]);
    draft.label("target_branch", &["BUILDKITE_PULL_REQUEST_BASE_BRANCH"]);
    draft.label("tag", &["BUILDKITE_TAG"]);
    draft.label("retry_count", &["BUILDKITE_RETRY_COUNT"]);
}
