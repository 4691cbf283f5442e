//! Jenkins. Variables: `JENKINS_URL/env-vars.html`, the branch API's `CHANGE_*`, the Git plugin's `GIT_*`, and the
//! GitHub pull request builder's `ghprb*`.
//!
//! The project is `HOST/FULL/JOB/NAME`, without the branch of a multibranch project, as its webhooks tell it: the
//! repository, which they often do not know, is the label `repository`.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::{branch_of, host_of, project_of};

pub(super) static SYSTEM: System = System {
    provider: "jenkins",
    name: "Jenkins",
    detected_by: "JENKINS_URL or JENKINS_HOME, with BUILD_NUMBER and JOB_NAME",
    is_here,
    read,
    workspace: "WORKSPACE",
};

fn is_here(draft: &Draft<'_>) -> bool {
    let is_jenkins = ["JENKINS_URL", "JENKINS_HOME"].iter().any(|name| draft.variable(name).is_some());
    is_jenkins && draft.variable("BUILD_NUMBER").is_some() && draft.variable("JOB_NAME").is_some()
}

fn read(draft: &mut Draft<'_>) {
    take_project(draft);
    if let (Some(job), Some(build)) = (draft.variable("JOB_NAME"), draft.variable("BUILD_NUMBER")) {
        draft.set(Field::RunId, format!("{job}#{build}"), "JOB_NAME + BUILD_NUMBER");
    }
    draft.take(Field::Number, &["BUILD_NUMBER"]);
    draft.take(Field::JobName, &["STAGE_NAME"]);
    draft.take(Field::Branch, &["CHANGE_BRANCH", "ghprbSourceBranch", "TAG_NAME"]);
    draft.take(Field::ChangeId, &["CHANGE_ID", "ghprbPullId"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    if !is_change {
        draft.take(Field::Branch, &["BRANCH_NAME", "GIT_LOCAL_BRANCH"]);
        draft.take_with(Field::Branch, &["GIT_BRANCH"], |branch| {
            branch_of(branch).filter(|name| name != "detached")
        });
    }
    draft.take(Field::CommitSha, &["ghprbActualCommit", "GIT_COMMIT"]);
    let trigger = if is_change { "pull_request" } else { "" };
    draft.set(Field::Trigger, trigger, "CHANGE_ID");
    draft.take(Field::Actor, &["BUILD_USER_ID", "CHANGE_AUTHOR", "ghprbPullAuthorLogin"]);
    draft.take(Field::Url, &["BUILD_URL", "RUN_DISPLAY_URL"]);
    if draft.variable("BRANCH_NAME").is_some() {
        let is_primary = draft.is("BRANCH_IS_PRIMARY", "true") && !is_change;
        draft.set(Field::IsDefaultBranch, is_primary.to_string(), "BRANCH_IS_PRIMARY");
    }
    draft.take(Field::RunnerName, &["NODE_NAME"]);
    draft.take(Field::RunnerPool, &["NODE_LABELS"]);
    draft.take(Field::Workspace, &["WORKSPACE"]);
    for name in ["GIT_URL", "GIT_URL_1"] {
        if let Some(repository) = draft.variable(name).and_then(project_of) {
            draft.labels.entry("repository".to_owned()).or_insert(repository);
        }
    }
    draft.label("target_branch", &["CHANGE_TARGET", "ghprbTargetBranch"]);
    draft.label("tag", &["TAG_NAME"]);
}

/// Host and job, and the job's own name as the pipeline.
fn take_project(draft: &mut Draft<'_>) {
    let Some(full_name) = draft.variable("JOB_NAME") else { return };
    let job = match full_name.rsplit_once('/') {
        Some((project, _branch)) if draft.variable("BRANCH_NAME").is_some() => project,
        _ => full_name,
    };
    let host = draft.variable("JENKINS_URL").and_then(host_of).unwrap_or_else(|| "jenkins".to_owned());
    draft.set(Field::Project, format!("{host}/{job}"), "JENKINS_URL + JOB_NAME");
    draft.set(Field::Pipeline, job.rsplit('/').next().unwrap_or(job), "JOB_NAME");
}
