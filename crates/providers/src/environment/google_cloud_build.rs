//! Google Cloud Build: nothing but `BUILDER_OUTPUT` is set by itself; the rest are substitutions that the build maps
//! into variables with `options: automapSubstitutions: true` or `env:`. See
//! <https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;

pub(super) static SYSTEM: System = System {
    provider: "cloudbuild",
    name: "Google Cloud Build",
    detected_by: "BUILDER_OUTPUT with BUILD_ID, or PROJECT_ID, BUILD_ID and TRIGGER_NAME",
    is_here,
    read,
    workspace: "BUILDER_WORKSPACE",
};

fn is_here(draft: &Draft<'_>) -> bool {
    let has = |name: &str| draft.variable(name).is_some();
    has("BUILD_ID") && (has("BUILDER_OUTPUT") || (has("PROJECT_ID") && has("TRIGGER_NAME")))
}

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["_HEAD_REPO_URL", "_REPO_URL"], project_of);
    draft.take(Field::Pipeline, &["TRIGGER_NAME"]);
    draft.take(Field::RunId, &["BUILD_ID"]);
    draft.take(Field::ChangeId, &["_PR_NUMBER"]);
    draft.take(Field::Branch, &["_HEAD_BRANCH", "TAG_NAME", "BRANCH_NAME"]);
    draft.take(Field::CommitSha, &["COMMIT_SHA", "REVISION_ID"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    draft.set(Field::Trigger, if is_change { "pull_request" } else { "" }, "_PR_NUMBER");
    if let (Some(project), Some(build)) = (draft.variable("PROJECT_ID"), draft.variable("BUILD_ID")) {
        let region = draft.variable("LOCATION").unwrap_or("global");
        let url = format!(
            "https://console.cloud.google.com/cloud-build/builds;region={region}/{build}?project={project}"
        );
        draft.set(Field::Url, url, "LOCATION + BUILD_ID + PROJECT_ID");
    }
    draft.label("target_branch", &["_BASE_BRANCH"]);
    draft.label("tag", &["TAG_NAME"]);
    draft.label("region", &["LOCATION"]);
}
