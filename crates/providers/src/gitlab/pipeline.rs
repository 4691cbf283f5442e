//! `pipeline`: a run with all of its jobs.
//!
//! GitLab tells when a pipeline was created and how long it waited (`queued_duration`), so that the start of work is the
//! sum of both; `duration` leaves the waiting between jobs out. A job that is tried again is a new job of the same
//! pipeline, so that every run has one attempt.

use manometer_model::records::{Job, Run};
use manometer_model::{Status, Timestamp};

use super::job::{self, JobFields};
use super::lab::{Lab, state};
use crate::Decoded;
use crate::reading::{labels, lacks, sha};
use crate::repository::change_of;
use crate::rows::job_of;
use crate::tree::View;
use crate::trigger::trigger_word;

/// A pipeline, and the jobs it told of.
pub(super) fn pipeline(lab: &Lab<'_>, root: View<'_>, decoded: &mut Decoded) {
    let told = root.object("object_attributes");
    let Some(run_id) = told.text("id") else { return lacks(decoded, "object_attributes.id") };
    let said = variable(told, "CI_SERVICE_NAME");
    let change = root.object("merge_request");
    let (status, conclusion) = state(told.text("status").as_deref(), None);
    let created_at = told.time("created_at");
    let waited = told.float("queued_duration").filter(|seconds| *seconds >= 0.0);
    let has_begun = matches!(status, Some(Status::Running | Status::Completed));
    let started_at = created_at.zip(waited).map(|(created, seconds)| created.plus_seconds(seconds));
    let finished_at = told.time("finished_at").filter(|_| status == Some(Status::Completed));
    let reference = told.text("ref");
    let is_tag = told.flag("tag") == Some(true);
    let branch =
        change.text("source_branch").or_else(|| reference.clone().filter(|name| !name.starts_with("refs/")));
    let trigger = told.text("source");
    let row = Run {
        provider: lab.provider(),
        project: lab.project.clone(),
        service: lab.service(said.as_deref()),
        pipeline: told.text("name"),
        run_id,
        attempt: 1,
        number: told.int("iid"),
        is_default_branch: branch
            .clone()
            .zip(lab.default_branch.clone())
            .map(|(branch, default)| branch == default && !change.is_some() && !is_tag),
        branch,
        commit_sha: sha(told, "sha"),
        trigger: trigger.as_deref().map(trigger_word),
        actor: root.object("user").text("username").or_else(|| root.object("user").text("name")),
        status,
        conclusion,
        queued_at: created_at,
        started_at: started_at.filter(|_| has_begun),
        finished_at,
        queue_seconds: waited.filter(|_| has_begun),
        duration_seconds: told.float("duration").filter(|_| status == Some(Status::Completed)),
        change_id: change.text("iid").or_else(|| reference.as_deref().and_then(change_of)),
        url: told.text("url").or_else(|| {
            Some(format!("{}/-/pipelines/{}", root.object("project").text("web_url")?, told.text("id")?))
        }),
        labels: labels([
            ("tag", reference.filter(|_| is_tag)),
            ("detailed_status", told.text("detailed_status").filter(|_| status == Some(Status::Completed))),
            ("parent_pipeline", root.object("source_pipeline").text("pipeline_id")),
        ]),
        updated_at: finished_at.or(started_at.filter(|_| has_begun)).or(created_at).or(Some(lab.received_at)),
        ..Run::default()
    };
    for build in root.items("builds") {
        match job_row(build, &row, lab.received_at) {
            Some(job) => job::add(job, build, decoded),
            None => lacks(decoded, "builds[].id"),
        }
    }
    if let Some(mut commit) = lab.commit(root.object("commit")) {
        commit.branch = row.branch.clone().filter(|_| !is_tag);
        commit.change_id = row.change_id.clone();
        decoded.entities.push(commit.into());
    }
    decoded.entities.push(row.into());
}

fn job_row(build: View<'_>, run: &Run, received_at: Timestamp) -> Option<Job> {
    let key = Job { job_id: build.text("id")?, ..job_of(run) };
    let fields = JobFields {
        status: build.text("status"),
        name: build.text("name"),
        stage: build.text("stage"),
        created_at: build.time("created_at"),
        started_at: build.time("started_at"),
        finished_at: build.time("finished_at"),
        duration: build.float("duration"),
        queued_duration: build.float("queued_duration"),
        failure_reason: build.text("failure_reason"),
        allow_failure: build.flag("allow_failure"),
        is_manual: build.flag("manual"),
    };
    Some(job::row(key, fields, build, received_at))
}

/// A variable the pipeline was started with.
fn variable(told: View<'_>, name: &str) -> Option<String> {
    told.items("variables").find(|one| one.text("key").as_deref() == Some(name))?.text("value")
}
