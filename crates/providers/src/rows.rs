//! Rows begun from the row they belong to, so that a run's jobs, steps, commit and deployment say the same of it.

use manometer_model::Record;
use manometer_model::records::{Commit, Deployment, Job, Run, Step};

use crate::{Decoded, FactGroup};

/// A job of a run, its identity not yet filled in.
pub(crate) fn job_of(run: &Run) -> Job {
    Job {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        pipeline: run.pipeline.clone(),
        run_id: run.run_id.clone(),
        run_attempt: run.attempt,
        branch: run.branch.clone(),
        commit_sha: run.commit_sha.clone(),
        ..Job::default()
    }
}

/// A step of a job, its number not yet filled in.
pub(crate) fn step_of(job: &Job) -> Step {
    Step {
        provider: job.provider.clone(),
        project: job.project.clone(),
        service: job.service.clone(),
        pipeline: job.pipeline.clone(),
        run_id: job.run_id.clone(),
        run_attempt: job.run_attempt,
        job_id: job.job_id.clone(),
        job_name: job.name.clone(),
        branch: job.branch.clone(),
        commit_sha: job.commit_sha.clone(),
        ..Step::default()
    }
}

/// The steps of a job that has ended; before that they may still change.
pub(crate) fn steps_of(job: &Job, steps: impl Iterator<Item = Step>) -> Option<FactGroup> {
    let ended_at = job.finished_at?;
    let records: Vec<Record> = steps
        .map(|step| Step { at: step.finished_at.or(step.started_at).unwrap_or(ended_at), ..step }.into())
        .collect();
    let Job { provider, project, run_id, run_attempt, job_id, .. } = job;
    let natural_key = format!("steps/{provider}/{project}/{run_id}/{run_attempt}/{job_id}");
    (!records.is_empty()).then_some(FactGroup { natural_key, records })
}

/// The commit of a run; none where the run does not tell it.
pub(crate) fn commit_of(run: &Run) -> Option<Commit> {
    Some(Commit {
        project: run.project.clone(),
        sha: run.commit_sha.clone()?,
        branch: run.branch.clone(),
        change_id: run.change_id.clone(),
        updated_at: run.queued_at,
        ..Commit::default()
    })
}

/// The deployment a run is.
pub(crate) fn deployment_of(run: &Run) -> Deployment {
    Deployment {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        deployment_id: run.run_id.clone(),
        commit_sha: run.commit_sha.clone(),
        branch: run.branch.clone(),
        run_id: Some(run.run_id.clone()),
        status: run.status,
        conclusion: run.conclusion,
        queued_at: run.queued_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        actor: run.actor.clone(),
        url: run.url.clone(),
        updated_at: run.updated_at,
        ..Deployment::default()
    }
}

/// A run told as a whole, as systems do that send one document for a pipeline with all its jobs.
pub(crate) struct WholeRun {
    pub(crate) run: Run,
    pub(crate) commit: Option<Commit>,
    pub(crate) deployment: Option<Deployment>,
    /// Each job with its steps.
    pub(crate) jobs: Vec<(Job, Vec<Step>)>,
}

impl WholeRun {
    /// Adds all of it; the event then means something.
    pub(crate) fn add_to(self, decoded: &mut Decoded) {
        decoded.known = true;
        decoded.project = Some(self.run.project.clone());
        decoded.entities.extend(self.commit.map(Record::from));
        decoded.entities.extend(self.deployment.map(Record::from));
        for (job, steps) in self.jobs {
            decoded.facts.extend(steps_of(&job, steps.into_iter()));
            decoded.entities.push(job.into());
        }
        decoded.entities.push(self.run.into());
    }
}
