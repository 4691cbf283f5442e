//! Drone: builds with their stages and steps, and promotions as deployments.
//!
//! The server signs with HTTP signatures (draft-cavage): `Signature: keyId="…",algorithm="hmac-sha256",
//! headers="date digest",signature="…"` over the named headers, of which `Digest` is the SHA-256 of the body and
//! `Date` is accepted for five minutes. A step of the webhook plugin can send basic credentials or a token.
//! Events: <https://docs.drone.io/webhooks/overview/>.

use manometer_model::records::{Commit, Deployment, Job, Run, Step};
use manometer_model::{Conclusion, Limits, Status};

use crate::reading::{self, first_line, labels};
use crate::repository::{branch_of, change_of, project_of, tag_of};
use crate::rows::WholeRun;
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::{
    DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules, http_signature,
    platform, rows, signature,
};

/// Drone.
#[derive(Debug)]
pub(crate) struct Drone;

const NAME: &str = "drone";

impl Provider for Drone {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        match http_signature::of(delivery) {
            Some(given) => http_signature::verify(given, delivery, secrets),
            None => signature::shared_secret(delivery, secrets, signature::TOKEN_HEADERS),
        }
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
            if root.object("build").is_some() {
                build_event(root, rules, decoded);
                reading::expect_told(decoded, "build.number");
            }
        })
    }
}

/// `build.updated`; the webhook plugin names no action.
fn event_of(root: View<'_>) -> String {
    let subjects = ["build", "user", "repo"];
    let subject = subjects.into_iter().find(|subject| root.object(subject).is_some()).unwrap_or("unknown");
    format!("{subject}.{}", root.text("action").as_deref().unwrap_or("notified"))
}

fn build_event(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let Some(run) = run_of(root, rules) else { return };
    let build = root.object("build");
    let jobs = build.items("stages").filter_map(|stage| {
        let job = job_of(stage, &run)?;
        let steps = stage.items("steps").filter_map(|step| step_of(step, &job)).collect();
        Some((job, steps))
    });
    let told = WholeRun {
        commit: commit_of(build, &run),
        deployment: deployment_of(build, &run),
        jobs: jobs.collect(),
        run,
    };
    told.add_to(decoded);
}

fn project(repo: View<'_>) -> Option<String> {
    let address = repo.text("link").or_else(|| repo.text("git_http_url"));
    address.as_deref().and_then(project_of).or_else(|| {
        let owner = repo.text("namespace").or_else(|| repo.text("owner"))?;
        Some(format!("{NAME}/{owner}/{}", repo.text("name")?))
    })
}

fn run_of(root: View<'_>, rules: &ServiceRules) -> Option<Run> {
    let (repo, build) = (root.object("repo"), root.object("build"));
    let number = build.int("number")?;
    let project = project(repo)?;
    let (status, conclusion) = state(build);
    let reference = build.text("ref").unwrap_or_default();
    let change_id = change_of(&reference);
    let branch = match change_id {
        Some(_) => build.text("source"),
        None => branch_of(&reference).or_else(|| build.text("branch")).or_else(|| tag_of(&reference)),
    };
    let default_branch = repo.text("default_branch").filter(|_| change_id.is_none());
    let finished = build.time("finished").filter(|_| status == Some(Status::Completed));
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, build.object("params").text("CI_SERVICE_NAME").as_deref()),
        project,
        run_id: number.to_string(),
        attempt: 1,
        number: Some(number),
        is_default_branch: default_branch.zip(branch.clone()).map(|(one, other)| one == other),
        branch,
        commit_sha: build.text("after").or_else(|| build.text("commit")),
        trigger: build.text("event").as_deref().map(trigger_word),
        actor: build.text("author_login").or_else(|| build.text("author")).or_else(|| build.text("sender")),
        status,
        conclusion,
        queued_at: build.time("created"),
        started_at: build.time("started"),
        finished_at: finished,
        change_id,
        url: build.text("link"),
        labels: labels([
            ("tag", tag_of(&reference).or_else(|| build.text("tag"))),
            ("target_branch", build.text("target")),
            ("cron", build.text("cron")),
            ("error", build.text("error")),
            ("parent", build.text("parent").filter(|parent| parent != "0")),
        ]),
        updated_at: build
            .time("updated")
            .or(finished)
            .or_else(|| build.time("started"))
            .or_else(|| build.time("created")),
        ..Run::default()
    })
}

fn state(subject: View<'_>) -> (Option<Status>, Option<Conclusion>) {
    subject.text("status").map_or((None, None), |word| state_of(&word))
}

/// The words Drone and Woodpecker share.
pub(crate) fn state_of(word: &str) -> (Option<Status>, Option<Conclusion>) {
    let ended = |conclusion| (Some(Status::Completed), Some(conclusion));
    match word {
        "created" | "pending" => (Some(Status::Queued), None),
        "blocked" | "waiting_on_dependencies" => (Some(Status::Waiting), None),
        "started" | "running" => (Some(Status::Running), None),
        "success" => ended(Conclusion::Success),
        "failure" => ended(Conclusion::Failure),
        "killed" | "declined" | "canceled" => ended(Conclusion::Cancelled),
        "skipped" => ended(Conclusion::Skipped),
        "error" => ended(Conclusion::Error),
        _ => (None, None),
    }
}

fn job_of(stage: View<'_>, run: &Run) -> Option<Job> {
    let (status, conclusion) = state(stage);
    let finished = stage.time("stopped").filter(|_| status == Some(Status::Completed));
    let machine = stage.text("machine");
    let wanted: Vec<String> =
        stage.scalars("labels").map(|(name, value)| format!("{name}={value}")).collect();
    let exit_code = stage.int("exit_code").filter(|code| *code != 0);
    Some(Job {
        job_id: stage.text("number")?,
        name: stage.text("name"),
        status,
        conclusion,
        queued_at: stage.time("created"),
        started_at: stage.time("started"),
        finished_at: finished,
        runner_id: machine.clone(),
        runner_name: machine,
        runner_os: stage.text("os").as_deref().and_then(platform::os),
        runner_arch: stage.text("arch").as_deref().and_then(platform::arch),
        runner_labels: Some(wanted.join(",")).filter(|labels| !labels.is_empty()),
        allowed_to_fail: stage.flag("errignore"),
        failure_reason: stage.text("error").or_else(|| exit_code.map(|code| format!("exit code {code}"))),
        labels: labels([("runner_type", stage.text("type"))]),
        updated_at: stage
            .time("updated")
            .or(finished)
            .or_else(|| stage.time("started"))
            .or_else(|| stage.time("created")),
        ..rows::job_of(run)
    })
}

fn step_of(step: View<'_>, job: &Job) -> Option<Step> {
    let (started, finished) = (step.time("started"), step.time("stopped"));
    Some(Step {
        number: step.int("number")?,
        name: step.text("name"),
        conclusion: state(step).1,
        started_at: started,
        finished_at: finished,
        exit_code: step.int("exit_code"),
        ..rows::step_of(job)
    })
}

fn commit_of(build: View<'_>, run: &Run) -> Option<Commit> {
    let message = build.text("title").or_else(|| build.text("message"))?;
    let written_at = build.time("timestamp");
    Some(Commit {
        author: build
            .text("author_name")
            .or_else(|| build.text("author_login"))
            .or_else(|| build.text("author")),
        title: first_line(&message),
        authored_at: written_at,
        updated_at: written_at.or(run.queued_at),
        ..rows::commit_of(run)?
    })
}

/// `promote` and `rollback` deploy a build again, to the target they name.
fn deployment_of(build: View<'_>, run: &Run) -> Option<Deployment> {
    Some(Deployment {
        environment: Some(build.text("deploy_to")?),
        actor: build.text("sender").or_else(|| run.actor.clone()),
        labels: labels([("kind", build.text("event"))]),
        ..rows::deployment_of(run)
    })
}
