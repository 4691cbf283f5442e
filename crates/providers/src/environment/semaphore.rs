//! Semaphore. Variables: <https://docs.semaphore.io/reference/env-vars>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::project_of;

pub(super) static SYSTEM: System = System {
    provider: "semaphore",
    name: "Semaphore",
    detected_by: "SEMAPHORE=true",
    is_here: |draft| draft.is("SEMAPHORE", "true"),
    read,
    workspace: "SEMAPHORE_GIT_DIR",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["SEMAPHORE_GIT_URL"], project_of);
    draft.take(Field::Pipeline, &["SEMAPHORE_PIPELINE_NAME", "SEMAPHORE_PROJECT_NAME"]);
    draft.take(Field::RunId, &["SEMAPHORE_WORKFLOW_ID"]);
    draft.take(Field::Number, &["SEMAPHORE_WORKFLOW_NUMBER"]);
    draft.take(Field::JobId, &["SEMAPHORE_JOB_ID"]);
    draft.take(Field::JobName, &["SEMAPHORE_JOB_NAME"]);
    draft.take(Field::ChangeId, &["SEMAPHORE_GIT_PR_NUMBER"]);
    // SEMAPHORE_GIT_BRANCH and SEMAPHORE_GIT_SHA of a pull request are the target branch and the test merge.
    draft.take(Field::Branch, &["SEMAPHORE_GIT_PR_BRANCH", "SEMAPHORE_GIT_TAG_NAME"]);
    draft.take(Field::CommitSha, &["SEMAPHORE_GIT_PR_SHA"]);
    if draft.get(Field::ChangeId).is_none() {
        draft.take(Field::Branch, &["SEMAPHORE_GIT_BRANCH"]);
        draft.take(Field::CommitSha, &["SEMAPHORE_GIT_SHA"]);
    } else {
        draft.set(Field::Trigger, "pull_request", "SEMAPHORE_GIT_PR_NUMBER");
        draft.label("target_branch", &["SEMAPHORE_GIT_BRANCH"]);
    }
    for (name, trigger) in [
        ("SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE", "schedule"),
        ("SEMAPHORE_WORKFLOW_TRIGGERED_BY_API", "api"),
        ("SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK", "push"),
    ] {
        if draft.is(name, "true") {
            draft.set(Field::Trigger, trigger, name);
        }
    }
    draft.take(Field::Actor, &["SEMAPHORE_GIT_COMMITTER"]);
    if let (Some(server), Some(workflow)) =
        (draft.variable("SEMAPHORE_ORGANIZATION_URL"), draft.variable("SEMAPHORE_WORKFLOW_ID"))
    {
        let url = format!("{}/workflows/{workflow}", server.trim_end_matches('/'));
        draft.set(Field::Url, url, "SEMAPHORE_ORGANIZATION_URL + SEMAPHORE_WORKFLOW_ID");
    }
    draft.take(Field::RunnerPool, &["SEMAPHORE_AGENT_MACHINE_TYPE"]);
    draft.take(Field::Workspace, &["SEMAPHORE_GIT_DIR"]);
    draft.label("tag", &["SEMAPHORE_GIT_TAG_NAME"]);
}
