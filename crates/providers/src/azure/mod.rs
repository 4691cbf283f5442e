//! Azure DevOps: runs, stages, jobs and approvals of pipelines, completed builds, classic releases, pushes and merged
//! pull requests.
//!
//! Service hooks do not sign: they send basic credentials or headers of one's choice. Events:
//! <https://learn.microsoft.com/azure/devops/service-hooks/events>.
//!
//! `createdDate` of an event is when the state changed, which gives the times that the payload itself does not: when a
//! run began, when a job began to wait for an agent.

mod code;
mod pipelines;
mod releases;

use manometer_model::{Conclusion, Limits, Status};

use crate::repository::project_of;
use crate::{
    DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules, reading, signature,
};

/// Azure DevOps Services and Server.
#[derive(Debug)]
pub(crate) struct Azure;

const NAME: &str = "azure";

impl Provider for Azure {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        signature::shared_secret(delivery, secrets, signature::TOKEN_HEADERS)
    }

    /// The id is one per event: two subscriptions to the same event send the same.
    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let told = reading::peek(delivery.body, |root| {
            let subscription = root.text("subscriptionId").unwrap_or_else(|| "-".to_owned());
            Some((root.text("eventType"), root.text("id").map(|id| format!("{subscription}/{id}"))))
        });
        let (event, key) = told.unwrap_or_default();
        Identity { event: event.unwrap_or_default(), key }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            decoded.event = root.text("eventType").unwrap_or_default();
            let needed = match decoded.event.as_str() {
                "ms.vss-pipelines.run-state-changed-event" => {
                    pipelines::run(root, rules, decoded);
                    "resource.run.id"
                }
                "ms.vss-pipelines.stage-state-changed-event" => {
                    pipelines::stage(root, rules, decoded);
                    "resource.run.id"
                }
                "ms.vss-pipelines.job-state-changed-event" => {
                    pipelines::job(root, rules, decoded);
                    "resource.job.id"
                }
                "ms.vss-pipelinechecks-events.approval-completed" => {
                    pipelines::approval(root, rules, decoded);
                    "resource.run.id"
                }
                "build.complete" => {
                    pipelines::build(root, rules, decoded);
                    "resource.id"
                }
                "ms.vss-release.deployment-started-event" | "ms.vss-release.deployment-completed-event" => {
                    releases::deployment(root, rules, decoded);
                    "resource.environment.release.url"
                }
                "git.push" => {
                    code::push(root, decoded);
                    "resource.repository.remoteUrl"
                }
                // Most updates of a pull request are no merge.
                "git.pullrequest.updated" | "git.pullrequest.merged" => {
                    return code::pull_request(root, decoded);
                }
                _ => return,
            };
            reading::expect_told(decoded, needed);
        })
    }
}

/// The words of pipelines, builds and releases, in whatever case: a state, and a result where that is completed.
fn state_of(state: Option<String>, result: Option<String>) -> (Option<Status>, Option<Conclusion>) {
    let status = match state.unwrap_or_default().to_ascii_lowercase().as_str() {
        "notstarted" | "queued" | "pending" | "postponed" | "scheduled" => Some(Status::Queued),
        // A job that waits, waits for an agent: it is its turn.
        "waiting" => Some(Status::Queued),
        "inprogress" | "running" | "canceling" | "cancelling" => Some(Status::Running),
        "completed" => Some(Status::Completed),
        _ => None,
    };
    if status != Some(Status::Completed) {
        return (status, None);
    }
    let conclusion = match result.unwrap_or_default().to_ascii_lowercase().as_str() {
        // Only tasks that were allowed to fail did: the run goes on as after a success.
        "succeeded" | "partiallysucceeded" | "succeededwithissues" => Some(Conclusion::Success),
        "failed" | "rejected" => Some(Conclusion::Failure),
        "canceled" | "cancelled" | "stopped" | "abandoned" => Some(Conclusion::Cancelled),
        "skipped" => Some(Conclusion::Skipped),
        _ => None,
    };
    (status, conclusion)
}

/// `https://dev.azure.com/acme/shop/_build/results?buildId=7` is of `dev.azure.com/acme/shop`.
fn project_of_page(page: &str) -> Option<String> {
    let before = page.split("/_").next()?;
    project_of(before)
}
