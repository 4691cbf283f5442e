//! TeamCity: its own webhooks, and the plugin tcWebHooks.
//!
//! Neither signs: both send basic credentials (`teamcity.internal.webhooks.username` and `.password`; the plugin a
//! bearer token or a header too). A cancelled build sends `BUILD_INTERRUPTED` and never `BUILD_FINISHED`.
//! See <https://www.jetbrains.com/help/teamcity/teamcity-webhooks.html>.
//!
//! A TeamCity build is one agent's work, so it is a run and that run's only job. Its project is `HOST/PROJECT_ID`:
//! payloads name the VCS root, not the repository; a root named after its address stands in the label `repository`.

mod built_in;
mod tc_webhooks;

use manometer_model::records::{Job, Run};
use manometer_model::{Labels, Limits};

use crate::tree::View;
use crate::{
    DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules, reading, rows,
    signature, waits,
};

/// TeamCity.
#[derive(Debug)]
pub(crate) struct TeamCity;

const NAME: &str = "teamcity";

impl Provider for TeamCity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        signature::shared_secret(delivery, secrets, signature::TOKEN_HEADERS)
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        Identity { event: reading::peek(delivery.body, event_of).unwrap_or_default(), key: None }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            let event = event_of(root).unwrap_or_default();
            decoded.event.clone_from(&event);
            if root.text("eventType").is_some() {
                built_in::read(&event, root.object("payload"), delivery.received_at, rules, decoded);
            } else {
                tc_webhooks::read(root, delivery.received_at, rules, decoded);
            }
        })
    }
}

fn event_of(root: View<'_>) -> Option<String> {
    root.text("eventType").or_else(|| tc_webhooks::event_of(root))
}

/// The run and its only job, worked off by the agent.
fn push(run: Run, agent: Agent, decoded: &mut Decoded) {
    let job = Job {
        job_id: run.run_id.clone(),
        name: run.pipeline.clone(),
        status: run.status,
        conclusion: run.conclusion,
        queued_at: run.queued_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        runner_id: agent.id,
        runner_name: agent.name,
        runner_pool: agent.pool,
        runner_os: agent.os,
        failure_reason: agent.failure_reason,
        url: run.url.clone(),
        labels: agent.waits,
        updated_at: run.updated_at,
        ..rows::job_of(&run)
    };
    decoded.known = true;
    decoded.project = Some(run.project.clone());
    decoded.entities.push(job.into());
    decoded.entities.push(run.into());
}

/// What a build tells of its agent and of the way to it.
#[derive(Debug, Default)]
struct Agent {
    id: Option<String>,
    name: Option<String>,
    pool: Option<String>,
    os: Option<String>,
    failure_reason: Option<String>,
    waits: Labels,
}

/// Which kind of waiting one of TeamCity's reasons is: `Build dependencies have not been built yet`, `There are no
/// idle compatible agents which can run this build`, …
fn wait_of(reason: &str) -> Option<&'static str> {
    let lower = reason.to_lowercase();
    let kinds = [
        ("dependenc", waits::DEPENDENCY),
        ("approv", waits::APPROVAL),
        ("limit", waits::CONCURRENCY),
        ("shared resource", waits::CONCURRENCY),
        ("concurrent", waits::CONCURRENCY),
        ("agent", waits::RUNNER),
        ("delay", waits::DELAY),
        ("quiet", waits::DELAY),
    ];
    kinds.into_iter().find(|(part, _)| lower.contains(part)).map(|(_, name)| name)
}
