//! Runs of pipelines and tasks, and builds.

use manometer_model::Status;
use manometer_model::records::{Job, Run};

use super::{Event, NAME, conclusion, project_of_source};
use crate::reading::{self, labels};
use crate::{Decoded, ServiceRules, rows};

pub(super) fn pipeline_run(event: &Event<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let name = event.content.text("pipelineName");
    push_run(event, name, rules, decoded);
}

/// A build has no pipeline around it: it is a run of its own. Its finish does not say how it ended.
pub(super) fn build(event: &Event<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    push_run(event, Some("build".to_owned()), rules, decoded);
}

fn push_run(event: &Event<'_>, pipeline: Option<String>, rules: &ServiceRules, decoded: &mut Decoded) {
    let Some(status) = status(event) else { return };
    let (Some(project), Some(run_id)) = (event.project(), event.subject.text("id")) else {
        return reading::expect_told(decoded, "subject.id");
    };
    let at = event.at();
    let outcome = event.content.text("outcome").filter(|_| status == Status::Completed);
    let row = Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project: project.clone(),
        pipeline,
        run_id,
        attempt: 1,
        status: Some(status),
        conclusion: outcome.as_deref().and_then(conclusion),
        queued_at: at.filter(|_| status == Status::Queued),
        started_at: at.filter(|_| status == Status::Running),
        finished_at: at.filter(|_| status == Status::Completed),
        url: event.url(),
        labels: labels([
            ("errors", event.content.text("errors")),
            ("chain_id", event.context.text("chainId")),
            ("artifact", event.content.text("artifactId")),
        ]),
        updated_at: at,
        ..Run::default()
    };
    decoded.known = true;
    decoded.project = Some(project);
    decoded.entities.push(row.into());
}

/// A task outside of a pipeline is the only job of a run of its own.
pub(super) fn task_run(event: &Event<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let Some(status) = status(event) else { return };
    let (Some(own_project), Some(job_id)) = (event.project(), event.subject.text("id")) else {
        return reading::expect_told(decoded, "subject.id");
    };
    let parent = event.content.object("pipelineRun");
    let project = parent.text("source").as_deref().and_then(project_of_source).unwrap_or(own_project);
    let at = event.at();
    let outcome = event.content.text("outcome").filter(|_| status == Status::Completed);
    let run = Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project: project.clone(),
        run_id: parent.text("id").unwrap_or_else(|| job_id.clone()),
        attempt: 1,
        ..Run::default()
    };
    let row = Job {
        job_id,
        name: event.content.text("taskName"),
        status: Some(status),
        conclusion: outcome.as_deref().and_then(conclusion),
        queued_at: at.filter(|_| status == Status::Queued),
        started_at: at.filter(|_| status == Status::Running),
        finished_at: at.filter(|_| status == Status::Completed),
        failure_reason: event.content.text("errors"),
        url: event.url(),
        updated_at: at,
        ..rows::job_of(&run)
    };
    decoded.known = true;
    decoded.project = Some(project);
    decoded.entities.push(row.into());
}

fn status(event: &Event<'_>) -> Option<Status> {
    Some(match event.predicate.as_str() {
        "queued" => Status::Queued,
        "started" => Status::Running,
        "finished" => Status::Completed,
        _ => return None,
    })
}
