//! Codefresh. Variables: <https://codefresh.io/docs/docs/pipelines/variables/>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::host_of;

pub(super) static SYSTEM: System = System {
    provider: "codefresh",
    name: "Codefresh",
    detected_by: "CF_BUILD_ID",
    is_here: |draft| draft.variable("CF_BUILD_ID").is_some(),
    read,
    workspace: "CF_VOLUME_PATH",
};

fn read(draft: &mut Draft<'_>) {
    if let (Some(owner), Some(name)) = (draft.variable("CF_REPO_OWNER"), draft.variable("CF_REPO_NAME")) {
        let host =
            draft.variable("CF_COMMIT_URL").and_then(host_of).unwrap_or_else(|| "github.com".to_owned());
        draft.set(
            Field::Project,
            format!("{host}/{owner}/{name}"),
            "CF_COMMIT_URL + CF_REPO_OWNER + CF_REPO_NAME",
        );
    }
    draft.take(Field::Pipeline, &["CF_PIPELINE_NAME"]);
    draft.take(Field::RunId, &["CF_BUILD_ID"]);
    draft.take(Field::JobName, &["CF_STEP_NAME"]);
    draft.take(Field::ChangeId, &["CF_PULL_REQUEST_NUMBER"]);
    draft.take(Field::Branch, &["CF_BRANCH", "CF_RELEASE_TAG"]);
    draft.take(Field::CommitSha, &["CF_PULL_REQUEST_HEAD_SHA", "CF_REVISION"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    draft.set(Field::Trigger, if is_change { "pull_request" } else { "" }, "CF_PULL_REQUEST_NUMBER");
    draft.take(Field::Actor, &["CF_BUILD_INITIATOR"]);
    draft.take(Field::Url, &["CF_BUILD_URL"]);
    draft.take(Field::Workspace, &["CF_VOLUME_PATH"]);
    draft.label("target_branch", &["CF_PULL_REQUEST_TARGET"]);
    draft.label("tag", &["CF_RELEASE_TAG"]);
}
