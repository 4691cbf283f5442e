//! A run as a line of the local store.

use serde_json::{Map, Value, json};

use super::{Measured, metrics};
use crate::local::RunRecord;
use crate::measure::megabytes;
use crate::steps::ToldStep;

/// A line holds at most so many steps and artifacts, the first ones; a server gets all.
const LISTED: usize = 500;

/// The record of a run.
pub fn run_record(measured: &Measured) -> RunRecord {
    let mut record = RunRecord::new(measured.plan.kind.clone(), measured.finished_at());
    record.run_id.clone_from(&measured.run_id);
    record.git_commit.clone_from(&measured.surroundings.commit_sha);
    record.operation = Some(measured.plan.name.clone());
    record.duration = Some(measured.wall_seconds);
    record.success = Some(measured.ending.is_success());
    for (name, value) in metrics::metrics(measured) {
        record.measure(name, value);
    }
    record.info = info(measured);
    record
}

fn info(measured: &Measured) -> Map<String, Value> {
    let surroundings = &measured.surroundings;
    let mut info = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            info.insert(name.to_owned(), value);
        }
    };
    put("command", measured.plan.line.shown().into());
    put("exit_code", measured.ending.exit_code().into());
    put("project", surroundings.project.clone().into());
    put("service", surroundings.service.clone().into());
    put("branch", surroundings.branch.clone().into());
    put("trace_id", measured.span.trace_id.to_string().into());
    put(
        "host",
        json!({"os": std::env::consts::OS, "arch": std::env::consts::ARCH, "processors": processors()}),
    );
    if let Some(run) = &surroundings.run_id {
        let (job, url) = (&surroundings.job_name, &surroundings.url);
        put("ci", json!({"provider": surroundings.provider, "run_id": run, "job": job, "url": url}));
    }
    if !measured.plan.tags.is_empty() {
        put("labels", json!(measured.plan.tags));
    }
    if !measured.artifacts.is_empty() {
        put("artifacts", measured.artifacts.iter().take(LISTED).map(artifact).collect());
    }
    if !measured.steps.is_empty() {
        put("step_count", measured.steps.len().into());
        put("steps", measured.steps.iter().take(LISTED).map(step).collect());
    }
    if !measured.series.samples().is_empty() {
        put("samples", measured.series.samples().iter().map(sample).collect());
    }
    info
}

fn processors() -> Option<usize> {
    std::thread::available_parallelism().ok().map(std::num::NonZero::get)
}

fn artifact(artifact: &crate::artifacts::Artifact) -> Value {
    json!({"name": artifact.name, "kind": artifact.kind.as_str(), "size_bytes": artifact.size_bytes})
}

fn step(step: &ToldStep) -> Value {
    json!({
        "name": step.name,
        "span_id": step.span_id,
        "parent_span_id": step.parent_span_id,
        "started_at": step.started_at,
        "duration_seconds": step.end.map(|end| end.duration_seconds),
        "exit_code": step.end.map(|end| end.exit_code),
    })
}

/// `[seconds since the start, processor load in percent, memory in megabytes]`: short, as there are many.
fn sample(sample: &crate::measure::Sample) -> Value {
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    json!([rounded(sample.at_seconds), rounded(sample.cpu_percent), rounded(megabytes(sample.memory_bytes))])
}
