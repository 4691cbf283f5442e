//! Woodpecker: pipelines with their workflows and steps.
//!
//! Woodpecker's server sends no notifications of its own; what arrives is its model of a pipeline, as `{"repo": …,
//! "pipeline": …}`, sent by a step (`curl` of the API's answer, the webhook plugin with a template) or by whoever
//! passes on what the server's extensions receive. Such senders share a secret with us: a token or basic credentials.
//! Model: <https://woodpecker-ci.org/api>.

use manometer_model::records::{Commit, Deployment, Job, Run, Step};
use manometer_model::{Limits, Status, Timestamp};

use crate::drone::state_of;
use crate::reading::{self, first_line, labels};
use crate::repository::{branch_of, change_of, project_of, tag_of};
use crate::rows::WholeRun;
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::{
    DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules, platform, rows,
    signature,
};

/// Woodpecker.
#[derive(Debug)]
pub(crate) struct Woodpecker;

const NAME: &str = "woodpecker";

impl Provider for Woodpecker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        signature::shared_secret(delivery, secrets, signature::TOKEN_HEADERS)
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let event = reading::peek(delivery.body, |root| Some(event_of(root))).unwrap_or_default();
        Identity { event, key: None }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            decoded.event = event_of(root);
            if pipeline(root).is_some() {
                pipeline_event(root, rules, decoded);
                reading::expect_told(decoded, "pipeline.number");
            }
        })
    }
}

fn event_of(root: View<'_>) -> String {
    format!("pipeline.{}", pipeline(root).text("status").as_deref().unwrap_or("unknown"))
}

/// Version 1 said `build` for what is a pipeline now.
fn pipeline(root: View<'_>) -> View<'_> {
    root.object("pipeline").or(root.object("build"))
}

fn pipeline_event(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let pipeline = pipeline(root);
    let Some(run) = run_of(root, pipeline, rules) else { return };
    let jobs = pipeline.items("workflows").filter_map(|workflow| {
        let job = job_of(workflow, &run)?;
        let numbered = workflow.items("children").zip(1..);
        let steps = numbered.map(|(step, number)| step_of(step, number, &job)).collect();
        Some((job, steps))
    });
    let told = WholeRun {
        commit: commit_of(pipeline, &run),
        deployment: deployment_of(pipeline, &run),
        jobs: jobs.collect(),
        run,
    };
    told.add_to(decoded);
}

fn project(repo: View<'_>) -> Option<String> {
    let address = repo.text("forge_url").or_else(|| repo.text("clone_url")).or_else(|| repo.text("link"));
    address
        .as_deref()
        .and_then(project_of)
        .or_else(|| Some(format!("{NAME}/{}/{}", repo.text("owner")?, repo.text("name")?)))
}

fn run_of(root: View<'_>, pipeline: View<'_>, rules: &ServiceRules) -> Option<Run> {
    let repo = root.object("repo");
    let number = pipeline.int("number")?;
    let project = project(repo)?;
    let (status, conclusion) = pipeline.text("status").map_or((None, None), |word| state_of(&word));
    let reference = pipeline.text("ref").unwrap_or_default();
    let change_id = change_of(&reference);
    // Of a pull request, `branch` is where it goes to and `refspec` is `source:target`.
    let source =
        pipeline.text("refspec").and_then(|spec| spec.split_once(':').map(|(source, _)| source.to_owned()));
    let branch = match change_id {
        Some(_) => source,
        None => tag_of(&reference).or_else(|| branch_of(&reference)).or_else(|| pipeline.text("branch")),
    };
    let default_branch = repo.text("default_branch").filter(|_| change_id.is_none());
    let finished = pipeline.time("finished").filter(|_| status == Some(Status::Completed));
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, pipeline.object("variables").text("CI_SERVICE_NAME").as_deref()),
        project,
        run_id: number.to_string(),
        attempt: 1,
        number: Some(number),
        is_default_branch: default_branch.zip(branch.clone()).map(|(one, other)| one == other),
        branch,
        // Newer versions say more of the commit than its hash.
        commit_sha: pipeline.text_or_in("commit", "sha"),
        trigger: pipeline.text("event").as_deref().map(trigger_word),
        actor: pipeline.text("author").or_else(|| pipeline.text("sender")),
        status,
        conclusion,
        queued_at: pipeline.time("created"),
        started_at: pipeline.time("started"),
        finished_at: finished,
        change_id,
        url: pipeline.text("forge_url"),
        labels: labels([
            ("tag", tag_of(&reference)),
            ("parent", pipeline.text("parent").filter(|parent| parent != "0")),
        ]),
        updated_at: pipeline
            .time("updated")
            .or(finished)
            .or_else(|| pipeline.time("started"))
            .or_else(|| pipeline.time("created")),
        ..Run::default()
    })
}

fn job_of(workflow: View<'_>, run: &Run) -> Option<Job> {
    let (status, conclusion) = workflow.text("state").map_or((None, None), |word| state_of(&word));
    let started = started_at(workflow);
    let finished = finished_at(workflow).filter(|_| status == Some(Status::Completed));
    let (os, arch) =
        workflow.text("platform").map_or((None, None), |platform| match platform.split_once('/') {
            Some((os, arch)) => (platform::os(os), platform::arch(arch)),
            None => (platform::os(&platform), None),
        });
    Some(Job {
        job_id: workflow.text("pid")?,
        name: workflow.text("name"),
        status,
        conclusion,
        queued_at: run.queued_at,
        started_at: started,
        finished_at: finished,
        runner_id: workflow.text("agent_id").filter(|id| id != "0"),
        runner_os: os,
        runner_arch: arch,
        failure_reason: workflow.text("error"),
        updated_at: finished.or(started).or(run.queued_at),
        ..rows::job_of(run)
    })
}

fn started_at(subject: View<'_>) -> Option<Timestamp> {
    subject.time("started").or_else(|| subject.time("start_time"))
}

fn finished_at(subject: View<'_>) -> Option<Timestamp> {
    subject.time("finished").or_else(|| subject.time("end_time"))
}

fn step_of(step: View<'_>, number: i64, job: &Job) -> Step {
    let (started, finished) = (started_at(step), finished_at(step));
    Step {
        number,
        name: step.text("name"),
        conclusion: step.text("state").and_then(|word| state_of(&word).1),
        started_at: started,
        finished_at: finished,
        exit_code: step.int("exit_code"),
        ..rows::step_of(job)
    }
}

fn commit_of(pipeline: View<'_>, run: &Run) -> Option<Commit> {
    let message = pipeline.text("message").or_else(|| pipeline.text("title"))?;
    let written_at = pipeline.time("timestamp");
    Some(Commit {
        author: pipeline.text("author"),
        title: first_line(&message),
        authored_at: written_at,
        updated_at: written_at.or(run.queued_at),
        ..rows::commit_of(run)?
    })
}

fn deployment_of(pipeline: View<'_>, run: &Run) -> Option<Deployment> {
    Some(Deployment { environment: Some(pipeline.text("deploy_to")?), ..rows::deployment_of(run) })
}
