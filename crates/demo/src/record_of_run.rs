//! The records of a planned run, all but its tests.

use manometer_model::records::{Commit, Deployment, Job, Run, Step};
use manometer_model::{Conclusion, Labels, Record, Status};

use crate::chance::{mix, sha_of};
use crate::pipeline::Pipeline;
use crate::plan::{JobPlan, RunPlan, WorkPlan, World};
use crate::products::products_of_job;
use crate::services::Service;

/// The identity of the job at that position of a run.
pub(crate) fn job_id(run: &RunPlan, position: usize) -> String {
    (run.request.run_id * 10 + position as u64).to_string()
}

/// The identity of a deployment: every attempt of a run is one of its own.
pub(crate) fn deployment_id(run_id: u64, attempt: i64, environment: &str) -> String {
    format!("{run_id}-{attempt}-{environment}")
}

/// Everything a finished run reports, but its tests.
pub(crate) fn records_of_run(world: &World, run: &RunPlan) -> Vec<Record> {
    let service = &world.services[run.request.service];
    let mut records = Vec::with_capacity(64);
    if run.request.pipeline == Pipeline::Ci && run.request.attempt == 1 {
        records.push(commit_record(service, run).into());
    }
    records.push(run_record(service, run).into());
    for (position, job) in run.jobs.iter().enumerate() {
        let id = job_id(run, position);
        records.push(job_record(service, run, job, &id).into());
        let Some(work) = &job.work else { continue };
        push_steps(service, run, job, work, &id, &mut records);
        products_of_job(world, run, job, work, &id, &mut records);
        if let Some(environment) = job.template.name.strip_prefix("deploy-") {
            records.push(deployment_record(service, run, job, work, environment).into());
        }
    }
    records
}

fn run_record(service: &Service, run: &RunPlan) -> Run {
    let request = &run.request;
    let project = &service.project;
    Run {
        provider: project.provider.to_owned(),
        project: project.name.to_owned(),
        service: Some(service.name.clone()),
        pipeline: Some(request.pipeline.name().to_owned()),
        run_id: request.run_id.to_string(),
        attempt: request.attempt,
        number: Some(request.number),
        branch: Some(request.branch.clone()),
        is_default_branch: Some(request.is_default_branch),
        commit_sha: Some(request.commit.sha.clone()),
        trigger: Some(request.trigger.to_owned()),
        actor: Some(request.actor.clone()).filter(|actor| !actor.is_empty()),
        status: Some(Status::Completed),
        conclusion: Some(run.conclusion),
        queued_at: Some(request.queued_at),
        started_at: Some(run.started_at),
        finished_at: Some(run.finished_at),
        queue_seconds: Some(run.started_at.seconds_since(request.queued_at)),
        duration_seconds: Some(run.finished_at.seconds_since(run.started_at)),
        change_id: request.change_id.map(|number| number.to_string()),
        url: Some(format!("{}{}", project.run_page, request.run_id)),
        trace_id: Some(sha_of(mix(request.seed, &[request.attempt as u64])).chars().take(32).collect()),
        labels: Labels::new(),
        updated_at: Some(run.finished_at),
    }
}

fn job_record(service: &Service, run: &RunPlan, job: &JobPlan, id: &str) -> Job {
    let request = &run.request;
    let work = job.work.as_ref();
    let seconds = work.map(|work| work.finished_at.seconds_since(work.started_at));
    let runner_name = work.map(|work| work.pool.runner_name(work.runner));
    Job {
        provider: service.project.provider.to_owned(),
        project: service.project.name.to_owned(),
        service: Some(service.name.clone()),
        pipeline: Some(request.pipeline.name().to_owned()),
        run_id: request.run_id.to_string(),
        run_attempt: request.attempt,
        job_id: id.to_owned(),
        name: Some(job.template.name.to_owned()),
        stage: Some(job.template.stage.to_owned()),
        branch: Some(request.branch.clone()),
        commit_sha: Some(request.commit.sha.clone()),
        status: Some(Status::Completed),
        conclusion: Some(job.conclusion),
        queued_at: job.queued_at,
        started_at: work.map(|work| work.started_at),
        finished_at: work.map(|work| work.finished_at),
        queue_seconds: work
            .and_then(|work| job.queued_at.map(|queued_at| work.started_at.seconds_since(queued_at))),
        duration_seconds: seconds,
        runner_id: runner_name.clone(),
        runner_name,
        runner_pool: work.map(|work| work.pool.name.to_owned()),
        runner_os: work.map(|work| work.pool.os.to_owned()),
        runner_arch: work.map(|work| work.pool.arch.to_owned()),
        runner_labels: work.map(|work| work.pool.name.to_owned()),
        priority: None,
        region: None,
        allowed_to_fail: Some(job.allowed_to_fail),
        retried: Some(false),
        failure_reason: job.failure_reason.map(str::to_owned),
        cost: work.zip(seconds).map(|(work, seconds)| (seconds / 60.0).ceil() * work.pool.minute_price),
        url: Some(format!("{}{}/job/{id}", service.project.run_page, request.run_id)),
        labels: Labels::new(),
        updated_at: Some(run.finished_at),
    }
}

fn push_steps(
    service: &Service,
    run: &RunPlan,
    job: &JobPlan,
    work: &WorkPlan,
    id: &str,
    records: &mut Vec<Record>,
) {
    let request = &run.request;
    records.extend(work.steps.iter().enumerate().map(|(position, step)| {
        Record::from(Step {
            provider: service.project.provider.to_owned(),
            project: service.project.name.to_owned(),
            service: Some(service.name.clone()),
            pipeline: Some(request.pipeline.name().to_owned()),
            run_id: request.run_id.to_string(),
            run_attempt: request.attempt,
            job_id: id.to_owned(),
            job_name: Some(job.template.name.to_owned()),
            branch: Some(request.branch.clone()),
            commit_sha: Some(request.commit.sha.clone()),
            number: position as i64 + 1,
            name: Some(step.name.to_owned()),
            conclusion: Some(step.conclusion),
            started_at: Some(step.started_at),
            finished_at: Some(step.finished_at),
            duration_seconds: Some(step.finished_at.seconds_since(step.started_at)),
            exit_code: Some(step.exit_code),
            at: step.finished_at,
        })
    }));
}

fn commit_record(service: &Service, run: &RunPlan) -> Commit {
    let request = &run.request;
    let commit = &request.commit;
    let written_before = (mix(request.seed, &[0xa074]) % 14_400) as f64;
    Commit {
        project: service.project.name.to_owned(),
        sha: commit.sha.clone(),
        parent_sha: commit.parent_sha.clone(),
        branch: Some(request.branch.clone()),
        author: Some(commit.author.clone()),
        title: Some(commit.title.clone()),
        authored_at: Some(commit.pushed_at.plus_seconds(-written_before - 60.0)),
        committed_at: Some(commit.pushed_at.plus_seconds(-60.0)),
        pushed_at: Some(commit.pushed_at),
        change_id: request.change_id.map(|number| number.to_string()),
        url: None,
        updated_at: Some(commit.pushed_at),
    }
}

fn deployment_record(
    service: &Service,
    run: &RunPlan,
    job: &JobPlan,
    work: &WorkPlan,
    environment: &str,
) -> Deployment {
    let request = &run.request;
    Deployment {
        provider: service.project.provider.to_owned(),
        project: service.project.name.to_owned(),
        service: Some(service.name.clone()),
        deployment_id: deployment_id(request.run_id, request.attempt, environment),
        environment: Some(environment.to_owned()),
        version: Some(format!("1.{}", request.number)),
        commit_sha: Some(request.commit.sha.clone()),
        branch: Some(request.branch.clone()),
        run_id: Some(request.run_id.to_string()),
        status: Some(Status::Completed),
        conclusion: Some(job.conclusion),
        queued_at: job.queued_at,
        started_at: Some(work.started_at),
        finished_at: Some(work.finished_at),
        duration_seconds: Some(work.finished_at.seconds_since(work.started_at)),
        actor: Some(request.actor.clone()),
        url: Some(format!("{}{}", service.project.run_page, request.run_id)),
        labels: Labels::new(),
        updated_at: Some(work.finished_at),
    }
}

/// Did the job do what it should?
pub(crate) fn has_succeeded(job: &JobPlan) -> bool {
    job.conclusion == Conclusion::Success
}
