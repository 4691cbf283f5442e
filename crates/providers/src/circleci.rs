//! CircleCI: workflows and jobs, told when they have ended.
//!
//! `circleci-signature: v1=…` is the HMAC-SHA256 of the body in hexadecimal, one of several signatures joined with
//! commas. Events: <https://circleci.com/docs/webhooks-reference/>.
//!
//! A workflow is the run. CircleCI does not tell when its first job began: the time from `created_at` to
//! `stopped_at` is what CircleCI calls the duration of a workflow, waiting included, and so is ours.

use manometer_model::records::{Commit, Job, Run};
use manometer_model::{Conclusion, Limits, Status};

use crate::reading::{self, labels};
use crate::repository::{change_of, project_of};
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::waits;
use crate::{DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules};
use crate::{rows, signature};

/// CircleCI.
#[derive(Debug)]
pub(crate) struct CircleCi;

const NAME: &str = "circleci";
const SIGNATURE: &str = "circleci-signature";

impl Provider for CircleCi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        let Some(header) = delivery.headers.get(SIGNATURE) else {
            return signature::unsigned(secrets, SIGNATURE);
        };
        let first = header.split(',').find_map(|part| part.trim().strip_prefix("v1="));
        let given = first.ok_or(Refusal::Malformed { header: SIGNATURE })?;
        signature::hex_hmac_sha256(given, &[delivery.body], secrets)
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let told = reading::peek(delivery.body, |root| Some((event_of(delivery, root), root.text("id"))));
        let (event, key) = told.unwrap_or_default();
        Identity { event, key }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            decoded.event = event_of(delivery, root);
            if matches!(decoded.event.as_str(), "workflow-completed" | "job-completed") {
                completed(root, rules, decoded);
                reading::expect_told(decoded, "workflow.id");
            }
        })
    }
}

fn event_of(delivery: &Delivery<'_>, root: View<'_>) -> String {
    let named = || delivery.headers.get("circleci-event-type").map(str::to_owned);
    root.text("type").or_else(named).unwrap_or_default()
}

fn completed(root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let (workflow, job) = (root.object("workflow"), root.object("job"));
    let Some(project) = project(root) else { return };
    let of_job = decoded.event == "job-completed";
    let Some(run) = run_of(!of_job, root, rules, project) else { return };
    decoded.known = true;
    decoded.project = Some(run.project.clone());
    decoded.entities.extend(commit_of(root, &run).map(Into::into));
    if of_job {
        decoded.entities.extend(job_of(job, workflow, &run).map(Into::into));
    }
    decoded.entities.push(run.into());
}

/// GitHub and Bitbucket projects carry the address of the repository, those of other systems in the parameters
/// of their trigger; the last resort is the project's own place at CircleCI.
fn project(root: View<'_>) -> Option<String> {
    let pipeline = root.object("pipeline");
    let parameters = pipeline.object("trigger_parameters");
    let address = pipeline
        .object("vcs")
        .text("origin_repository_url")
        .or_else(|| parameters.object("gitlab").text("web_url"))
        .or_else(|| parameters.object("github_app").text("repo_url"))
        .or_else(|| parameters.object("git").text("checkout_url"))
        .or_else(|| parameters.object("git").text("repo_url"));
    address.as_deref().and_then(project_of).or_else(|| {
        let slug = root.object("project").text("slug")?;
        Some(match slug.split_once('/') {
            Some(("gh" | "github", rest)) => format!("github.com/{rest}"),
            Some(("bb" | "bitbucket", rest)) => format!("bitbucket.org/{rest}"),
            _ => format!("circleci.com/{slug}"),
        })
    })
}

fn run_of(has_ended: bool, root: View<'_>, rules: &ServiceRules, project: String) -> Option<Run> {
    let (workflow, pipeline) = (root.object("workflow"), root.object("pipeline"));
    let (vcs, git) = (pipeline.object("vcs"), pipeline.object("trigger_parameters").object("git"));
    let branch = vcs.text("branch").or_else(|| git.text("branch"));
    let tag = vcs.text("tag").or_else(|| git.text("tag"));
    let created = workflow.time("created_at").or_else(|| pipeline.time("created_at"));
    let stopped = workflow.time("stopped_at").filter(|_| has_ended);
    let word = workflow.text("status").filter(|_| has_ended);
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, None),
        project,
        pipeline: workflow.text("name"),
        run_id: workflow.text("id")?,
        attempt: 1,
        number: pipeline.int("number"),
        change_id: vcs.text("review_id").or_else(|| branch.as_deref().and_then(change_of)),
        // A pull request from a fork builds as the branch `pull/42`, which no repository has.
        branch: branch.filter(|name| change_of(name).is_none()).or_else(|| tag.clone()),
        commit_sha: vcs.text("revision").or_else(|| git.text("checkout_sha")),
        trigger: pipeline.object("trigger").text("type").as_deref().map(trigger_word),
        actor: pipeline.object("trigger_parameters").object("gitlab").text("user_username"),
        status: Some(if has_ended { Status::Completed } else { Status::Running }),
        conclusion: word.as_deref().and_then(conclusion),
        queued_at: created,
        finished_at: stopped,
        duration_seconds: waits::between(created, stopped),
        url: workflow.text("url"),
        labels: labels([("tag", tag), ("pipeline_id", pipeline.text("id"))]),
        updated_at: stopped.or_else(|| root.time("happened_at")),
        ..Run::default()
    })
}

fn job_of(job: View<'_>, workflow: View<'_>, run: &Run) -> Option<Job> {
    let word = job.text("status");
    let number = job.text("number");
    let page = workflow.text("url").zip(number.clone());
    Some(Job {
        job_id: job.text("id")?,
        name: job.text("name"),
        status: Some(Status::Completed),
        conclusion: word.as_deref().and_then(conclusion),
        started_at: job.time("started_at"),
        finished_at: job.time("stopped_at").or(run.updated_at),
        failure_reason: word.filter(|word| !matches!(word.as_str(), "success" | "failed")),
        url: page.map(|(workflow, number)| format!("{workflow}/jobs/{number}")),
        labels: labels([("job_number", number)]),
        updated_at: job.time("stopped_at").or(run.updated_at),
        ..rows::job_of(run)
    })
}

fn conclusion(word: &str) -> Option<Conclusion> {
    Some(match word {
        "success" | "fixed" => Conclusion::Success,
        "failed" | "failing" => Conclusion::Failure,
        "timedout" => Conclusion::TimedOut,
        "canceled" => Conclusion::Cancelled,
        "not_run" | "not_running" => Conclusion::Skipped,
        "error" | "infrastructure_fail" | "unauthorized" | "terminated-unknown" => Conclusion::Error,
        _ => return None,
    })
}

fn commit_of(root: View<'_>, run: &Run) -> Option<Commit> {
    let vcs = root.object("pipeline").object("vcs");
    let commit = vcs.object("commit");
    let gitlab = root.object("pipeline").object("trigger_parameters").object("gitlab");
    let title = commit.text("subject").or_else(|| gitlab.text("commit_title"))?;
    let committed_at = commit.time("committed_at").or_else(|| gitlab.time("commit_timestamp"));
    Some(Commit {
        author: commit.object("author").text("name").or_else(|| gitlab.text("commit_author_name")),
        title: Some(title),
        authored_at: commit.time("authored_at"),
        committed_at,
        updated_at: committed_at,
        ..rows::commit_of(run)?
    })
}
