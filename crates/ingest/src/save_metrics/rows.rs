//! The document as rows of `runs`, `jobs` and `builds`.

use manometer_model::records::{Build, Job, Run};
use manometer_model::{Conclusion, Row, Status};
use manometer_store::{DeliveryWriter, StoreError};

use super::PROVIDER;
use super::document::Document;

/// Branches taken for the default one: the document itself does not say.
const DEFAULT_BRANCHES: &[&str] = &["master", "main"];

pub(super) fn append(document: &Document, writer: &mut DeliveryWriter) -> Result<(), StoreError> {
    let run = run(document);
    writer.append(Run::table(), &run.values())?;
    for job in jobs(document, &run) {
        writer.append(Job::table(), &job.values())?;
    }
    for build in builds(document, &run) {
        writer.append(Build::table(), &build.values())?;
    }
    Ok(())
}

fn run(document: &Document) -> Run {
    let conclusion = document.has_failed_jobs.map(|failed| match failed {
        true => Conclusion::Failure,
        false => Conclusion::Success,
    });
    Run {
        provider: PROVIDER.to_owned(),
        project: document.project.as_str().to_owned(),
        service: Some(document.project.last_segment().into_string()),
        run_id: document.pipeline_id.clone(),
        attempt: 1,
        branch: Some(document.branch.as_str().to_owned()),
        is_default_branch: Some(DEFAULT_BRANCHES.contains(&document.branch.as_str())),
        status: Some(Status::Completed),
        conclusion,
        started_at: Some(document.created_at),
        duration_seconds: Some(document.duration_seconds),
        labels: document.labels.clone(),
        ..Run::default()
    }
}

fn jobs<'a>(document: &'a Document, run: &'a Run) -> impl Iterator<Item = Job> + 'a {
    document.jobs.iter().enumerate().map(|(index, job)| Job {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: run.run_id.clone(),
        run_attempt: run.attempt,
        job_id: format!("{index}:{}", job.name),
        name: Some(job.name.as_str().to_owned()),
        branch: run.branch.clone(),
        started_at: job.started_at,
        finished_at: job.finished_at,
        duration_seconds: job.duration_seconds,
        labels: job.labels.clone(),
        ..Job::default()
    })
}

fn builds<'a>(document: &'a Document, run: &'a Run) -> impl Iterator<Item = Build> + 'a {
    document.builds.iter().map(|(name, seconds)| Build {
        provider: run.provider.clone(),
        project: run.project.clone(),
        service: run.service.clone(),
        run_id: run.run_id.clone(),
        run_attempt: run.attempt,
        branch: run.branch.clone(),
        name: name.as_str().to_owned(),
        duration_seconds: Some(*seconds),
        at: document.created_at,
        ..Build::default()
    })
}
