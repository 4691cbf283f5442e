//! Entities: what a CI system runs, and what runs it. Observations of one key merge into one row.

use crate::table::TableKind::{Entity, Fact};
use crate::{Conclusion, Labels, Status, Timestamp};

pub(super) fn first() -> i64 {
    1
}

record! {
    /// One execution of a pipeline (GitHub: workflow run; GitLab: pipeline; Jenkins: build). A re-run is a new attempt.
    "run" => "runs", Run, RUNS, Entity { key: &["provider", "project", "run_id", "attempt"] };
    /// CI system: `github`, `gitlab`, `jenkins`, `local`, …
    provider: String,
    /// Repository: `github.com/acme/shop`.
    project: String,
    /// Part of a monorepo the run builds: `payments`.
    service: Option<String>,
    /// Name of the pipeline or workflow.
    pipeline: Option<String>,
    /// Identity of the run within provider and project.
    run_id: String,
    /// 1 for the first execution, counted up by re-runs.
    #[serde(default = "first")]
    attempt: i64,
    /// Number shown to people.
    number: Option<i64>,
    /// Source branch.
    branch: Option<String>,
    /// Is that the branch others start from?
    is_default_branch: Option<bool>,
    /// Commit built.
    commit_sha: Option<String>,
    /// What started it: `push`, `pull_request`, `schedule`, `manual`, …
    trigger: Option<String>,
    /// Who started it.
    actor: Option<String>,
    /// How far it is: queued, waiting, running, completed.
    status: Option<Status>,
    /// How it ended: success, failure, cancelled, skipped, timed_out, neutral, error.
    conclusion: Option<Conclusion>,
    /// When it was asked for.
    queued_at: Option<Timestamp>,
    /// When work began.
    started_at: Option<Timestamp>,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// Waiting time; from the times where not given.
    queue_seconds: Option<f64>,
    /// Working time; from the times where not given.
    duration_seconds: Option<f64>,
    /// Pull or merge request number.
    change_id: Option<String>,
    /// Page of the run at its provider.
    url: Option<String>,
    /// W3C trace id of the run.
    trace_id: Option<String>,
    /// Free key-value pairs.
    #[serde(default)]
    labels: Labels,
    /// When the sender saw this state; decides which of two different values is kept.
    updated_at: Option<Timestamp>,
}

record! {
    /// One job of a run: what a single runner worked off.
    "job" => "jobs", Job, JOBS, Entity { key: &["provider", "project", "run_id", "run_attempt", "job_id"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run the job belongs to.
    run_id: String,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Identity of the job within the run.
    job_id: String,
    /// Name of the job.
    name: Option<String>,
    /// Stage it stands in.
    stage: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Commit built.
    commit_sha: Option<String>,
    /// How far it is.
    status: Option<Status>,
    /// How it ended.
    conclusion: Option<Conclusion>,
    /// When it was asked for.
    queued_at: Option<Timestamp>,
    /// When a runner began.
    started_at: Option<Timestamp>,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// Waiting time for a runner; from the times where not given.
    queue_seconds: Option<f64>,
    /// Working time; from the times where not given.
    duration_seconds: Option<f64>,
    /// Identity of the runner.
    runner_id: Option<String>,
    /// Name of the runner.
    runner_name: Option<String>,
    /// Pool or group of the runner.
    runner_pool: Option<String>,
    /// Operating system of the runner: `linux`, `windows`, `macos`.
    runner_os: Option<String>,
    /// Processor of the runner: `x86_64`, `aarch64`.
    runner_arch: Option<String>,
    /// Labels the job asked for, joined with commas.
    runner_labels: Option<String>,
    /// Priority it was queued with.
    priority: Option<String>,
    /// Region it ran in.
    region: Option<String>,
    /// May it fail without failing the run?
    allowed_to_fail: Option<bool>,
    /// Was it started again inside the same attempt?
    retried: Option<bool>,
    /// Why it failed, in the provider's words.
    failure_reason: Option<String>,
    /// What it cost, in the currency the prices are configured in.
    cost: Option<f64>,
    /// Page of the job at its provider.
    url: Option<String>,
    /// Free key-value pairs.
    #[serde(default)]
    labels: Labels,
    /// When the sender saw this state.
    updated_at: Option<Timestamp>,
}

record! {
    /// One step of a job that has ended.
    "step" => "steps", Step, STEPS, Fact { order: &["project", "service", "name", "at"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Name of the pipeline.
    pipeline: Option<String>,
    /// Run the step belongs to.
    run_id: String,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job the step belongs to.
    job_id: String,
    /// Name of that job.
    job_name: Option<String>,
    /// Source branch.
    branch: Option<String>,
    /// Commit built.
    commit_sha: Option<String>,
    /// Position in the job, from 1.
    number: i64,
    /// Name of the step.
    name: Option<String>,
    /// How it ended.
    conclusion: Option<Conclusion>,
    /// When it began.
    started_at: Option<Timestamp>,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// How long it took; from the times where not given.
    duration_seconds: Option<f64>,
    /// Exit code of its command.
    exit_code: Option<i64>,
    /// When: its end, else its start, else its arrival.
    #[serde(default)]
    at: Timestamp,
}

record! {
    /// One release of something to an environment.
    "deployment" => "deployments", Deployment, DEPLOYMENTS, Entity { key: &["provider", "project", "deployment_id"] };
    /// System that deploys.
    provider: String,
    /// Repository.
    project: String,
    /// What is deployed.
    service: Option<String>,
    /// Identity within provider and project.
    deployment_id: String,
    /// Where to: `production`, `staging`, …
    environment: Option<String>,
    /// Version deployed.
    version: Option<String>,
    /// Commit deployed.
    commit_sha: Option<String>,
    /// Branch or tag deployed from.
    branch: Option<String>,
    /// Run that deployed it.
    run_id: Option<String>,
    /// How far it is.
    status: Option<Status>,
    /// How it ended.
    conclusion: Option<Conclusion>,
    /// When it was asked for.
    queued_at: Option<Timestamp>,
    /// When it began.
    started_at: Option<Timestamp>,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// How long it took; from the times where not given.
    duration_seconds: Option<f64>,
    /// Who deployed.
    actor: Option<String>,
    /// Page of the deployment.
    url: Option<String>,
    /// Free key-value pairs.
    #[serde(default)]
    labels: Labels,
    /// When the sender saw this state.
    updated_at: Option<Timestamp>,
}

record! {
    /// One incident in a running service.
    "incident" => "incidents", Incident, INCIDENTS, Entity { key: &["provider", "incident_id"] };
    /// System that tracks it.
    provider: String,
    /// Repository of what broke, where known.
    project: Option<String>,
    /// What broke.
    service: Option<String>,
    /// Identity within the provider.
    incident_id: String,
    /// Short description.
    title: Option<String>,
    /// How bad, in the provider's words.
    severity: Option<String>,
    /// Where: `production`, …
    environment: Option<String>,
    /// Deployment held responsible.
    deployment_id: Option<String>,
    /// When it began or was detected.
    opened_at: Option<Timestamp>,
    /// When it was over.
    resolved_at: Option<Timestamp>,
    /// Page of the incident.
    url: Option<String>,
    /// Free key-value pairs.
    #[serde(default)]
    labels: Labels,
    /// When the sender saw this state.
    updated_at: Option<Timestamp>,
}

record! {
    /// One commit, as far as a sender told of it.
    "commit" => "commits", Commit, COMMITS, Entity { key: &["project", "sha"] };
    /// Repository.
    project: String,
    /// Full hash.
    sha: String,
    /// First parent.
    parent_sha: Option<String>,
    /// Branch it was pushed to.
    branch: Option<String>,
    /// Who wrote it.
    author: Option<String>,
    /// First line of its message.
    title: Option<String>,
    /// When it was written.
    authored_at: Option<Timestamp>,
    /// When it was committed.
    committed_at: Option<Timestamp>,
    /// When it was pushed.
    pushed_at: Option<Timestamp>,
    /// Pull or merge request it came from.
    change_id: Option<String>,
    /// Page of the commit.
    url: Option<String>,
    /// When the sender saw this state.
    updated_at: Option<Timestamp>,
}

record! {
    /// One machine or container that works jobs off.
    "runner" => "runners", Runner, RUNNERS, Entity { key: &["provider", "runner_id"] };
    /// CI system.
    provider: String,
    /// Repository it is bound to, where it is.
    project: Option<String>,
    /// Identity within the provider.
    runner_id: String,
    /// Name.
    name: Option<String>,
    /// Pool or group.
    pool: Option<String>,
    /// Operating system.
    os: Option<String>,
    /// Processor.
    arch: Option<String>,
    /// Labels, joined with commas.
    runner_labels: Option<String>,
    /// `available`, `busy` or `offline`.
    state: Option<String>,
    /// When it was last heard of.
    seen_at: Option<Timestamp>,
    /// When the sender saw this state.
    updated_at: Option<Timestamp>,
}

record! {
    /// One use of a build cache.
    "cache" => "caches", Cache, CACHES, Fact { order: &["project", "service", "cache_type", "at"] };
    /// CI system.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Run that used it.
    run_id: Option<String>,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job that used it.
    job_id: Option<String>,
    /// Kind of cache: `dependencies`, `compiler`, `docker`, …
    cache_type: String,
    /// Key asked for.
    cache_key: Option<String>,
    /// `restore` or `save`.
    operation: Option<String>,
    /// Was something found?
    hit: Option<bool>,
    /// Size of what was moved.
    size_bytes: Option<i64>,
    /// How long it took.
    duration_seconds: Option<f64>,
    /// When.
    #[serde(default)]
    at: Timestamp,
}
