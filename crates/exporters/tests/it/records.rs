//! The records of one build, with names that are hard to write.

use std::collections::BTreeMap;

use manometer_exporters::TAG_RECORD;
use manometer_model::records::{Artifact, Build, Coverage, Job, Run, Sample, Step, Test};
use manometer_model::{Conclusion, Record, Status, TestStatus, Timestamp};

pub(crate) const COMMIT: &str = "9f3c2a1b8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a";
pub(crate) const PROJECT: &str = "github.com/acme/shop";

/// A name with all that line protocol, StatsD and Prometheus give a meaning to.
pub(crate) const HARD_NAME: &str = r#"adds a=b, c|d #1 "x" \ ü@:"#;

/// A run that ended at `at`, with everything in it.
pub(crate) fn build_of(service: &str, at: Timestamp) -> Vec<Record> {
    let run = run(service, at);
    let mut records: Vec<Record> = vec![
        run.clone().into(),
        job(&run, at).into(),
        step(&run, at).into(),
        Build {
            provider: run.provider.clone(),
            project: run.project.clone(),
            service: run.service.clone(),
            run_id: run.run_id.clone(),
            run_attempt: 1,
            branch: run.branch.clone(),
            commit_sha: run.commit_sha.clone(),
            name: "wheel".into(),
            duration_seconds: Some(12.5),
            success: Some(true),
            at,
            ..Build::default()
        }
        .into(),
        coverage(&run, at).into(),
        sample(&run, "ram.peak_mb", 128.7, at).into(),
        sample(&run, "temperature", -2.5, at).into(),
    ];
    for (name, size_bytes) in [("dist/shop.whl", 1_000_000), ("image shop:latest", 45_000_000)] {
        records.push(artifact(&run, name, size_bytes, at).into());
    }
    for (name, status) in
        [("adds", TestStatus::Passed), (HARD_NAME, TestStatus::Failed), ("later", TestStatus::Skipped)]
    {
        records.push(test(&run, name, status, at).into());
    }
    records
}

pub(crate) fn run(service: &str, at: Timestamp) -> Run {
    Run {
        provider: "github".into(),
        project: PROJECT.into(),
        service: Some(service.into()),
        pipeline: Some("ci".into()),
        run_id: format!("42-{service}"),
        attempt: 1,
        branch: Some("feature/a b".into()),
        commit_sha: Some(COMMIT.into()),
        trigger: Some("push".into()),
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Failure),
        queued_at: Some(at.plus_seconds(-40.0)),
        started_at: Some(at.plus_seconds(-30.0)),
        finished_at: Some(at),
        url: Some("https://github.com/acme/shop/actions/runs/42".into()),
        ..Run::default()
    }
}

fn job(run: &Run, at: Timestamp) -> Job {
    Job {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        pipeline: run.pipeline.clone(),
        run_id: run.run_id.clone(),
        run_attempt: 1,
        job_id: "7".into(),
        name: Some("unit tests".into()),
        branch: run.branch.clone(),
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Failure),
        started_at: Some(at.plus_seconds(-25.0)),
        finished_at: Some(at.plus_seconds(-5.0)),
        runner_name: Some("runner-3".into()),
        failure_reason: Some("script_failure".into()),
        ..Job::default()
    }
}

fn step(run: &Run, at: Timestamp) -> Step {
    Step {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: run.run_id.clone(),
        run_attempt: 1,
        job_id: "7".into(),
        number: 2,
        name: Some("pytest".into()),
        conclusion: Some(Conclusion::Failure),
        started_at: Some(at.plus_seconds(-20.0)),
        duration_seconds: Some(10.0),
        exit_code: Some(1),
        at,
        ..Step::default()
    }
}

pub(crate) fn test(run: &Run, name: &str, status: TestStatus, at: Timestamp) -> Test {
    Test {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: run.run_id.clone(),
        run_attempt: 1,
        job_id: Some("7".into()),
        branch: run.branch.clone(),
        commit_sha: run.commit_sha.clone(),
        suite: Some("shop".into()),
        classname: Some("tests.test_cart".into()),
        name: name.into(),
        status,
        duration_seconds: Some(0.25),
        attempt: 1,
        is_final: true,
        at,
        ..Test::default()
    }
}

fn artifact(run: &Run, name: &str, size_bytes: i64, at: Timestamp) -> Artifact {
    Artifact {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: run.run_id.clone(),
        run_attempt: 1,
        branch: run.branch.clone(),
        name: name.into(),
        kind: Some("file".into()),
        size_bytes,
        at,
        ..Artifact::default()
    }
}

fn coverage(run: &Run, at: Timestamp) -> Coverage {
    Coverage {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: run.run_id.clone(),
        run_attempt: 1,
        scope: "total".into(),
        lines_covered: Some(900),
        lines_valid: Some(1_000),
        at,
        ..Coverage::default()
    }
}

pub(crate) fn sample(run: &Run, name: &str, value: f64, at: Timestamp) -> Sample {
    Sample {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: Some(run.run_id.clone()),
        run_attempt: 1,
        branch: run.branch.clone(),
        commit_sha: run.commit_sha.clone(),
        name: name.into(),
        value,
        unit: Some("megabytes".into()),
        tags: BTreeMap::from([
            ("stage".to_owned(), "build_wheel".to_owned()),
            (TAG_RECORD.to_owned(), "550e8400".to_owned()),
        ]),
        at,
        ..Sample::default()
    }
}
