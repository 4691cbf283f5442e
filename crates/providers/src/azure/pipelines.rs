//! Runs, stages and jobs of YAML pipelines, and builds.

use manometer_model::records::{Commit, Job, Run, Sample};
use manometer_model::{Labels, Status};

use super::{NAME, project_of_page, state_of};
use crate::reading::{first_line, labels};
use crate::repository::{branch_of, change_of, project_of, tag_of};
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::{Decoded, ServiceRules, rows, waits};

pub(super) fn run(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let told = root.object("resource").object("run");
    let Some(row) = run_of(root, told, rules) else { return };
    let started = root.time("createdDate").filter(|_| row.status == Some(Status::Running));
    let updated = row.finished_at.or(started).or(row.updated_at);
    known(&row, decoded);
    decoded.entities.extend(commit_of(root, &row).map(Into::into));
    decoded.entities.push(Run { started_at: started, updated_at: updated, ..row }.into());
}

/// There is no table of stages: what the event says of its run is kept.
pub(super) fn stage(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let told = root.object("resource").object("run");
    let Some(row) = run_of(root, told, rules) else { return };
    known(&row, decoded);
    decoded.entities.push(row.into());
}

pub(super) fn job(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let resource = root.object("resource");
    let Some(row) = run_of(root, resource.object("run"), rules) else { return };
    let (told, stage) = (resource.object("job"), resource.object("stage"));
    let Some(job_row) = job_of(root, told, stage, &row) else { return };
    known(&row, decoded);
    decoded.entities.push(job_row.into());
    decoded.entities.push(row.into());
}

fn known(row: &Run, decoded: &mut Decoded) {
    decoded.known = true;
    decoded.project = Some(row.project.clone());
}

/// The repository the pipeline itself is from, else the first one.
fn self_repository(root: View<'_>) -> Option<View<'_>> {
    let repositories: Vec<View<'_>> = root.object("resource").items("repositories").collect();
    let own = repositories.iter().find(|repository| repository.text("alias").as_deref() == Some("self"));
    own.or_else(|| repositories.first()).copied()
}

fn run_of<'t>(root: View<'t>, told: View<'t>, rules: &ServiceRules) -> Option<Run> {
    let repository = self_repository(root);
    let page = told.object("_links").object("web").text("href");
    let address = repository.and_then(|repository| repository.text("url"));
    let project =
        address.as_deref().and_then(project_of).or_else(|| page.as_deref().and_then(project_of_page))?;
    let (status, conclusion) = state_of(told.text("state"), told.text("result"));
    let source = told.object("resources").object("repositories").object("self");
    let reference = source.text("refName").unwrap_or_default();
    let created = told.time("createdDate");
    let finished = told.time("finishedDate").filter(|_| status == Some(Status::Completed));
    let pipeline = told.object("pipeline").or(root.object("resource").object("pipeline"));
    let resource = root.object("resource");
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project,
        pipeline: pipeline.text("name"),
        run_id: told.text("id")?,
        attempt: 1,
        branch: branch_of(&reference).or_else(|| tag_of(&reference)),
        change_id: change_of(&reference),
        // Of a pull request this is the merge made for testing it, not its head.
        commit_sha: source
            .text("version")
            .or_else(|| repository.and_then(|repository| repository.object("change").text("version")))
            .filter(|_| change_of(&reference).is_none()),
        actor: resource.object("requestedFor").text("displayName"),
        status,
        conclusion,
        queued_at: created,
        finished_at: finished,
        url: page,
        labels: labels([
            ("build_number", told.text("name")),
            ("result", told.text("result").filter(|_| status == Some(Status::Completed))),
            ("tag", tag_of(&reference)),
        ]),
        updated_at: finished.or_else(|| root.time("createdDate")).or(created),
        ..Run::default()
    })
}

fn job_of(root: View<'_>, told: View<'_>, stage: View<'_>, run: &Run) -> Option<Job> {
    let (status, conclusion) = state_of(told.text("state"), told.text("result"));
    let ended = status == Some(Status::Completed);
    let happened = root.time("createdDate");
    let (started, finished) = (told.time("startTime"), told.time("finishTime").filter(|_| ended));
    let attempt = told.int("attempt").filter(|attempt| *attempt > 1);
    let id = told.text("id")?;
    let reason = told.text("result").filter(|word| ended && !word.eq_ignore_ascii_case("succeeded"));
    Some(Job {
        // A job that is run again inside a run keeps its id.
        job_id: attempt.map_or_else(|| id.clone(), |attempt| format!("{id}.{attempt}")),
        name: told.text("name"),
        stage: stage.text("displayName").or_else(|| stage.text("name")),
        status,
        conclusion,
        queued_at: happened.filter(|_| status == Some(Status::Queued)),
        started_at: started,
        finished_at: finished,
        failure_reason: reason,
        url: told.object("_links").object("web").text("href"),
        labels: labels([("attempt", told.text("attempt"))]),
        updated_at: finished.or(happened).or(started),
        ..rows::job_of(run)
    })
}

/// How long somebody's approval took. It is of a stage, so it stands as a measurement of the run.
pub(super) fn approval(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let resource = root.object("resource");
    let approval = resource.object("approval");
    let Some(row) = run_of(root, resource.object("run"), rules) else { return };
    let decided_at = approval.time("lastModifiedOn").or_else(|| root.time("createdDate"));
    let asked_at = approval.time("createdOn");
    let (Some(id), Some(at), Some(waited)) =
        (approval.text("id"), decided_at, waits::between(asked_at, decided_at))
    else {
        return;
    };
    let mut tags = Labels::new();
    tags.extend(resource.text("stageName").map(|stage| ("stage".to_owned(), stage)));
    tags.extend(approval.text("status").map(|status| ("status".to_owned(), status)));
    let sample = Sample {
        provider: NAME.to_owned(),
        project: row.project.clone(),
        service: row.service.clone(),
        pipeline: row.pipeline.clone(),
        run_id: Some(row.run_id.clone()),
        run_attempt: 1,
        branch: row.branch.clone(),
        commit_sha: row.commit_sha.clone(),
        name: waits::APPROVAL.to_owned(),
        value: waited,
        unit: Some("seconds".to_owned()),
        tags,
        at,
        ..Sample::default()
    };
    known(&row, decoded);
    decoded.add_facts(format!("approval/{NAME}/{}/{id}", row.project), vec![sample.into()]);
}

pub(super) fn build(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let told = root.object("resource");
    let repository = told.object("repository");
    let page = told.object("_links").object("web").text("href");
    // Azure's own repositories have an address; of others the name is the identity.
    let address = repository.text("url").or_else(|| repository.text("id"));
    let project =
        address.as_deref().and_then(project_of).or_else(|| page.as_deref().and_then(project_of_page));
    let (Some(project), Some(run_id)) = (project, told.text("id")) else { return };
    let (status, conclusion) = state_of(told.text("status"), told.text("result"));
    let reference = told.text("sourceBranch").unwrap_or_default();
    let trigger = told.object("triggerInfo");
    let change_id = trigger.text("pr.number").or_else(|| change_of(&reference));
    let is_change = change_id.is_some();
    let finished = told.time("finishTime").filter(|_| status == Some(Status::Completed));
    let head = trigger.text("pr.sourceSha");
    let row = Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project,
        pipeline: told.object("definition").text("name"),
        run_id,
        attempt: 1,
        branch: trigger
            .text("pr.sourceBranch")
            .as_deref()
            .and_then(branch_of)
            .or_else(|| branch_of(&reference))
            .or_else(|| tag_of(&reference)),
        commit_sha: head.or_else(|| told.text("sourceVersion").filter(|_| !is_change)),
        change_id,
        trigger: told.text("reason").as_deref().map(trigger_word),
        actor: told.object("requestedFor").text("displayName"),
        status,
        conclusion,
        queued_at: told.time("queueTime"),
        started_at: told.time("startTime"),
        finished_at: finished,
        url: page,
        labels: labels([
            ("build_number", told.text("buildNumber")),
            ("result", told.text("result")),
            (
                "pool",
                told.object("queue")
                    .object("pool")
                    .text("name")
                    .or_else(|| told.object("queue").text("name")),
            ),
            ("priority", told.text("priority")),
            ("tag", tag_of(&reference)),
        ]),
        updated_at: told.time("lastChangedDate").or(finished),
        ..Run::default()
    };
    known(&row, decoded);
    decoded.entities.push(row.into());
}

fn commit_of(root: View<'_>, run: &Run) -> Option<Commit> {
    let change = self_repository(root)?.object("change");
    let (author, committer) = (change.object("author"), change.object("committer"));
    let committed_at = committer.time("date");
    Some(Commit {
        author: author.text("name"),
        title: change.text("message").as_deref().and_then(first_line),
        authored_at: author.time("date"),
        committed_at,
        updated_at: committed_at,
        ..rows::commit_of(run)?
    })
}
