//! AWS CodeBuild. Variables: <https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::{branch_of, project_of, tag_of};

pub(super) static SYSTEM: System = System {
    provider: "codebuild",
    name: "AWS CodeBuild",
    detected_by: "CODEBUILD_BUILD_ID",
    is_here: |draft| draft.variable("CODEBUILD_BUILD_ID").is_some(),
    read,
    workspace: "CODEBUILD_SRC_DIR",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["CODEBUILD_SOURCE_REPO_URL"], project_of);
    // `shop-ci:6d2bc1f8-…`: the build project and the build.
    draft.take_with(Field::Pipeline, &["CODEBUILD_BUILD_ID"], |id| {
        id.split_once(':').map(|(project, _)| project)
    });
    draft.take(Field::RunId, &["CODEBUILD_BUILD_ID"]);
    draft.take(Field::Number, &["CODEBUILD_BUILD_NUMBER"]);
    draft.take(Field::JobName, &["CODEBUILD_BATCH_BUILD_IDENTIFIER"]);
    for name in ["CODEBUILD_WEBHOOK_TRIGGER", "CODEBUILD_SOURCE_VERSION"] {
        take_source(draft, name);
    }
    draft.take_with(Field::Branch, &["CODEBUILD_WEBHOOK_HEAD_REF"], branch_of);
    draft.take_with(Field::Branch, &["CODEBUILD_WEBHOOK_HEAD_REF"], tag_of);
    draft.take(Field::CommitSha, &["CODEBUILD_RESOLVED_SOURCE_VERSION"]);
    let event = draft.variable("CODEBUILD_WEBHOOK_EVENT").unwrap_or_default();
    let trigger = if event.to_lowercase().starts_with("pull_request") {
        "pull_request".to_owned()
    } else {
        event.to_lowercase()
    };
    draft.set(Field::Trigger, trigger, "CODEBUILD_WEBHOOK_EVENT");
    draft.take(Field::Actor, &["CODEBUILD_INITIATOR"]);
    draft.take(Field::Url, &["CODEBUILD_BUILD_URL"]);
    draft.take(Field::Workspace, &["CODEBUILD_SRC_DIR"]);
    draft.label("region", &["AWS_REGION"]);
    draft.label("target_branch", &["CODEBUILD_WEBHOOK_BASE_REF"]);
}

/// `pr/42`, `branch/main`, `tag/v1`; a source version may also be a bare commit or an object of S3.
fn take_source(draft: &mut Draft<'_>, name: &str) {
    match draft.variable(name).and_then(|value| value.split_once('/')) {
        Some(("pr", number)) => draft.set(Field::ChangeId, number, name),
        Some(("branch" | "tag", branch)) => draft.set(Field::Branch, branch, name),
        _ => {}
    }
}
