//! Buildkite: builds, jobs and agents.
//!
//! A notification service signs with its token: `X-Buildkite-Signature: timestamp=…,signature=…` is the
//! HMAC-SHA256 of `timestamp.body`, accepted for five minutes; services set to send the token itself send
//! `X-Buildkite-Token`. Events: <https://buildkite.com/docs/apis/webhooks/pipelines>.
//!
//! Waiting: `runnable_at` is when a job's dependencies were met, so that what came before it is waiting for
//! dependencies and what comes after it, until an agent began, is waiting for an agent.

use manometer_model::records::{Job, Run, Runner};
use manometer_model::{Conclusion, Limits, Status, Timestamp};

use crate::reading::{self, labels};
use crate::repository::{change_of, project_of};
use crate::tree::View;
use crate::trigger::trigger_word;
use crate::waits;
use crate::{DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules};
use crate::{rows, signature};

/// Buildkite.
#[derive(Debug)]
pub(crate) struct Buildkite;

const NAME: &str = "buildkite";
const SIGNATURE: &str = "x-buildkite-signature";

impl Provider for Buildkite {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        match delivery.headers.get(SIGNATURE) {
            Some(header) => verify_signature(header, delivery, secrets),
            None => signature::shared_secret(delivery, secrets, &["x-buildkite-token"]),
        }
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let event = reading::peek(delivery.body, |root| Some(event_of(delivery, root))).unwrap_or_default();
        Identity { event, key: None }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            let event = event_of(delivery, root);
            decoded.event.clone_from(&event);
            if event.starts_with("agent.") {
                agent_event(&event, root, delivery.received_at, decoded);
            } else if event.starts_with("build.") || event.starts_with("job.") {
                build_event(&event, root, rules, decoded);
                reading::expect_told(decoded, "build.id");
            }
        })
    }
}

/// The header names the event; a body that came some other way says it too.
fn event_of(delivery: &Delivery<'_>, root: View<'_>) -> String {
    let named = delivery.headers.get("x-buildkite-event").map(str::to_owned);
    named.or_else(|| root.text("event")).unwrap_or_default()
}

fn verify_signature(header: &str, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let part = |name: &str| parts().find(|(key, _)| *key == name).map(|(_, value)| value);
    let (Some(timestamp), Some(given)) = (part("timestamp"), part("signature")) else {
        return Err(Refusal::Malformed { header: SIGNATURE });
    };
    let Ok(sent_at) = timestamp.parse().map(Timestamp::from_seconds) else {
        return Err(Refusal::Malformed { header: SIGNATURE });
    };
    signature::hex_hmac_sha256(given, &[timestamp.as_bytes(), b".", delivery.body], secrets)?;
    signature::within_window(sent_at, delivery.received_at)
}

fn build_event(event: &str, root: View<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    let (build, pipeline) = (root.object("build"), root.object("pipeline"));
    let Some(run) = run_of(event, root, rules) else { return };
    decoded.known = true;
    decoded.project = Some(run.project.clone());
    let job = root.object("job");
    if matches!(job.text("type").as_deref(), Some("script" | "trigger"))
        && let Some(row) = job_of(job, build, &run)
    {
        decoded.entities.extend(runner_of(job, row.updated_at).map(Into::into));
        decoded.entities.push(row.into());
    }
    let default_branch = pipeline.text("default_branch");
    let is_default_branch = default_branch.zip(run.branch.clone()).map(|(one, other)| one == other);
    decoded.entities.push(Run { is_default_branch, ..run }.into());
}

fn run_of(event: &str, root: View<'_>, rules: &ServiceRules) -> Option<Run> {
    let (build, pipeline) = (root.object("build"), root.object("pipeline"));
    let run_id = build.text("id")?;
    let project = pipeline.text("repository").as_deref().and_then(project_of).or_else(|| {
        // A pipeline without a repository: its place at Buildkite stands for it.
        Some(format!("buildkite.com/{}", crate::repository::path_of(&pipeline.text("web_url")?)?))
    })?;
    let blocked = build.flag("blocked") == Some(true);
    let word = build.text("state");
    let (status, conclusion) = state_of_build(word.as_deref(), blocked);
    let ended = status == Some(Status::Completed);
    let (created, started) = (build.time("created_at"), build.time("started_at"));
    let finished = if ended { build.time("finished_at") } else { None };
    let job = root.object("job");
    let job_time =
        || job.time("finished_at").or_else(|| job.time("started_at")).or_else(|| job.time("scheduled_at"));
    let updated = finished.or_else(job_time).or(started).or_else(|| build.time("scheduled_at")).or(created);
    let branch = build.text("branch");
    let pull_request = build.object("pull_request");
    Some(Run {
        provider: NAME.to_owned(),
        service: rules.service(&project, build.object("env").text("CI_SERVICE_NAME").as_deref()),
        project,
        pipeline: pipeline.text("slug").or_else(|| pipeline.text("name")),
        run_id,
        attempt: 1,
        number: build.int("number"),
        change_id: pull_request.text("id").or_else(|| branch.as_deref().and_then(change_of)),
        branch,
        commit_sha: build.text("commit").filter(|commit| commit != "HEAD"),
        trigger: build.text("source").as_deref().map(trigger_word),
        actor: build.object("creator").text("name"),
        status,
        conclusion,
        queued_at: created,
        started_at: started,
        finished_at: finished,
        url: build.text("web_url"),
        labels: labels([
            ("tag", build.text("tag")),
            ("rebuilt_from", build.object("rebuilt_from").text("id")),
            ("blocked", (blocked && event == "build.finished").then(|| "true".to_owned())),
        ]),
        updated_at: updated,
        ..Run::default()
    })
}

/// A blocked build sends `build.finished` and waits for somebody to unblock it: it has not ended.
fn state_of_build(word: Option<&str>, blocked: bool) -> (Option<Status>, Option<Conclusion>) {
    if blocked {
        return (Some(Status::Waiting), None);
    }
    let ended = |conclusion| (Some(Status::Completed), Some(conclusion));
    match word.unwrap_or_default() {
        "creating" | "scheduled" => (Some(Status::Queued), None),
        "blocked" | "waiting" => (Some(Status::Waiting), None),
        "started" | "running" | "failing" | "canceling" => (Some(Status::Running), None),
        "passed" => ended(Conclusion::Success),
        "failed" | "waiting_failed" => ended(Conclusion::Failure),
        "canceled" => ended(Conclusion::Cancelled),
        "skipped" | "not_run" => ended(Conclusion::Skipped),
        _ => (None, None),
    }
}

fn job_of(job: View<'_>, build: View<'_>, run: &Run) -> Option<Job> {
    let agent = job.object("agent");
    let (status, conclusion) = state_of_job(job);
    let ended = status == Some(Status::Completed);
    let (created, runnable) = (job.time("created_at"), job.time("runnable_at"));
    let (started, finished) = (job.time("started_at"), job.time("finished_at").filter(|_| ended));
    let waited_for_agent = waits::between(runnable, started);
    let mut wait_labels = labels([
        ("step_key", job.text("step_key")),
        ("state", job.text("state").filter(|_| ended)),
        ("build_number", build.text("number")),
    ]);
    waits::put(&mut wait_labels, waits::DEPENDENCY, waits::between(created, runnable));
    waits::put(&mut wait_labels, waits::RUNNER, waited_for_agent);
    let exit_status = job.int("exit_status").filter(|status| *status != 0);
    Some(Job {
        job_id: job.text("id")?,
        name: job.text("name").or_else(|| job.text("label")).or_else(|| job.text("step_key")),
        stage: job.text("group_key"),
        status,
        conclusion,
        queued_at: job.time("scheduled_at").or(created),
        started_at: started,
        finished_at: finished,
        queue_seconds: waited_for_agent,
        runner_id: agent.text("id"),
        runner_name: agent.text("name"),
        runner_pool: pool_of(agent),
        runner_os: platform_of(agent).0,
        runner_arch: platform_of(agent).1,
        runner_labels: Some(job.texts("agent_query_rules").join(",")).filter(|rules| !rules.is_empty()),
        priority: job.object("priority").text("number"),
        allowed_to_fail: job.flag("soft_failed").filter(|_| ended),
        retried: job.flag("retried").filter(|_| ended),
        failure_reason: exit_status.filter(|_| ended).map(|status| format!("exit status {status}")),
        url: job.text("web_url"),
        labels: wait_labels,
        updated_at: finished.or(started).or(runnable).or_else(|| job.time("scheduled_at")).or(created),
        ..rows::job_of(run)
    })
}

fn state_of_job(job: View<'_>) -> (Option<Status>, Option<Conclusion>) {
    let ended = |conclusion| (Some(Status::Completed), Some(conclusion));
    match job.text("state").unwrap_or_default().as_str() {
        "pending" | "scheduled" | "assigned" | "accepted" | "reserved" | "platform_limiting"
        | "platform_limited" => (Some(Status::Queued), None),
        "waiting" | "limiting" | "limited" | "blocked" => (Some(Status::Waiting), None),
        "running" | "canceling" | "timing_out" => (Some(Status::Running), None),
        // `finished` says only that it ended; `passed` how.
        "finished" if job.flag("passed") == Some(false) => ended(Conclusion::Failure),
        "passed" | "finished" => ended(Conclusion::Success),
        "failed" | "waiting_failed" | "blocked_failed" | "unblocked_failed" => ended(Conclusion::Failure),
        "canceled" => ended(Conclusion::Cancelled),
        "timed_out" => ended(Conclusion::TimedOut),
        // Broken: what it depended on did not end well, so that it never ran.
        "broken" | "skipped" => ended(Conclusion::Skipped),
        "expired" => ended(Conclusion::Error),
        _ => (None, None),
    }
}

fn agent_event(event: &str, root: View<'_>, received_at: Timestamp, decoded: &mut Decoded) {
    let agent = root.object("agent");
    let state = match event {
        "agent.connected" => "available",
        "agent.disconnected" | "agent.lost" | "agent.stopping" | "agent.stopped" => "offline",
        _ => return,
    };
    if let Some(runner) = runner(agent, state, Some(received_at)) {
        decoded.known = true;
        decoded.entities.push(runner.into());
    }
    reading::expect_told(decoded, "agent.id");
}

/// The agent of a job is busy from the job's start to its end.
fn runner_of(job: View<'_>, at: Option<Timestamp>) -> Option<Runner> {
    let busy = job.time("finished_at").is_none();
    runner(job.object("agent"), if busy { "busy" } else { "available" }, at)
}

fn runner(agent: View<'_>, state: &str, at: Option<Timestamp>) -> Option<Runner> {
    let (os, arch) = platform_of(agent);
    Some(Runner {
        provider: NAME.to_owned(),
        runner_id: agent.text("id")?,
        name: agent.text("name").or_else(|| agent.text("hostname")),
        pool: pool_of(agent),
        os,
        arch,
        runner_labels: Some(agent.texts("meta_data").join(",")).filter(|tags| !tags.is_empty()),
        state: Some(state.to_owned()),
        seen_at: at,
        updated_at: at,
        ..Runner::default()
    })
}

/// Agents carry their queue as the tag `queue=…`.
fn pool_of(agent: View<'_>) -> Option<String> {
    agent.texts("meta_data").iter().find_map(|tag| tag.strip_prefix("queue=").map(str::to_owned))
}

/// `buildkite-agent/3.90.0 (linux; amd64)`.
fn platform_of(agent: View<'_>) -> (Option<String>, Option<String>) {
    let user_agent = agent.text("user_agent").unwrap_or_default();
    let platform =
        user_agent.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    match platform.and_then(|text| text.split_once(';')) {
        Some((os, arch)) => (crate::platform::os(os), crate::platform::arch(arch)),
        None => (None, None),
    }
}
