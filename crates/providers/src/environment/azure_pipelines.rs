//! Azure Pipelines. Variables: <https://learn.microsoft.com/azure/devops/pipelines/build/variables>.

use super::draft::Draft;
use super::{Field, System};
use crate::repository::{branch_of, change_of, project_of, tag_of};
use crate::trigger::trigger_word;

pub(super) static SYSTEM: System = System {
    provider: "azure",
    name: "Azure Pipelines",
    detected_by: "TF_BUILD=True",
    is_here: |draft| draft.is("TF_BUILD", "true"),
    read,
    workspace: "BUILD_SOURCESDIRECTORY",
};

fn read(draft: &mut Draft<'_>) {
    draft.take_with(Field::Project, &["BUILD_REPOSITORY_URI"], project_of);
    draft.take(Field::Pipeline, &["BUILD_DEFINITIONNAME"]);
    draft.take(Field::RunId, &["BUILD_BUILDID"]);
    take_job(draft);
    draft.take(Field::JobName, &["SYSTEM_JOBDISPLAYNAME", "AGENT_JOBNAME"]);
    // The number is GitHub's, the id Azure's own; for Azure Repos only the id is there, and it is the number.
    draft
        .take(Field::ChangeId, &["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"]);
    draft.take_with(Field::ChangeId, &["BUILD_SOURCEBRANCH"], change_of);
    draft.take_with(Field::Branch, &["SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"], branch_of);
    draft.take_with(Field::Branch, &["BUILD_SOURCEBRANCH"], tag_of);
    draft.take(Field::CommitSha, &["SYSTEM_PULLREQUEST_SOURCECOMMITID"]);
    if draft.get(Field::ChangeId).is_none() {
        draft.take(Field::CommitSha, &["BUILD_SOURCEVERSION"]);
    }
    draft.take_with(Field::Trigger, &["BUILD_REASON"], |word| Some(trigger_word(word)));
    draft.take(Field::Actor, &["BUILD_REQUESTEDFOR", "BUILD_QUEUEDBY"]);
    take_url(draft);
    draft.take(Field::RunnerName, &["AGENT_NAME"]);
    draft.take(Field::RunnerOs, &["AGENT_OS"]);
    draft.take(Field::RunnerArch, &["AGENT_OSARCHITECTURE"]);
    draft.take(Field::Workspace, &["BUILD_SOURCESDIRECTORY"]);
    draft.label("stage", &["SYSTEM_STAGEDISPLAYNAME", "SYSTEM_STAGENAME"]);
    draft.label("build_number", &["BUILD_BUILDNUMBER"]);
    draft.label("job_attempt", &["SYSTEM_JOBATTEMPT"]);
    draft.label("target_branch", &["SYSTEM_PULLREQUEST_TARGETBRANCHNAME"]);
}

/// A job that is run again inside a run keeps its id, so the attempt is part of its identity.
fn take_job(draft: &mut Draft<'_>) {
    let Some(id) = draft.variable("SYSTEM_JOBID") else { return };
    match draft.variable("SYSTEM_JOBATTEMPT").filter(|attempt| *attempt != "1") {
        Some(attempt) => {
            draft.set(Field::JobId, format!("{id}.{attempt}"), "SYSTEM_JOBID + SYSTEM_JOBATTEMPT")
        }
        None => draft.set(Field::JobId, id, "SYSTEM_JOBID"),
    }
}

fn take_url(draft: &mut Draft<'_>) {
    let collection = draft
        .variable("SYSTEM_COLLECTIONURI")
        .or_else(|| draft.variable("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"));
    if let (Some(collection), Some(project), Some(build)) =
        (collection, draft.variable("SYSTEM_TEAMPROJECT"), draft.variable("BUILD_BUILDID"))
    {
        let collection = collection.trim_end_matches('/');
        let project = project.replace(' ', "%20");
        let url = format!("{collection}/{project}/_build/results?buildId={build}");
        draft.set(Field::Url, url, "SYSTEM_COLLECTIONURI + SYSTEM_TEAMPROJECT + BUILD_BUILDID");
    }
}
