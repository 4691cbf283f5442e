//! GitLab, gitlab.com or a server of one's own: pipelines with their jobs, jobs, deployments, pushes, merge requests and
//! releases, from hooks of projects, of groups and of the whole system.
//!
//! A hook proves itself in one of two ways. `X-Gitlab-Token` is a secret sent as it is. Newer servers sign as
//! [Standard Webhooks](https://www.standardwebhooks.com) do: `webhook-signature` over `webhook-id`, `webhook-timestamp`
//! and the body, at most five minutes old, with a secret that begins with `whsec_`. Where such a secret is configured the
//! signature decides, else the token. `Idempotency-Key` (the same as `webhook-id`) stays the same when a delivery is sent
//! again; older servers send `X-Gitlab-Event-UUID`, which hooks on one event share, together with `X-Gitlab-Webhook-UUID`,
//! which is the hook's.
//!
//! GitLab switches off hooks that are answered with errors, so an event that means nothing here is no error.
//!
//! Payloads: <https://docs.gitlab.com/user/project/integrations/webhook_events/>.

mod deployment;
mod job;
mod lab;
mod pipeline;
mod push;

use manometer_model::{Limits, Timestamp};

use self::lab::Lab;
use crate::reading;
use crate::signature;
use crate::tree::View;
use crate::{DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules};

/// GitLab.
#[derive(Debug)]
pub(crate) struct GitLab;

const NAME: &str = "gitlab";

impl Provider for GitLab {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        let is_signed = delivery.headers.get("webhook-signature").is_some();
        let has_token = delivery.headers.get("x-gitlab-token").is_some();
        if is_signed && (signature::has_signing_secret(secrets) || !has_token) {
            return signature::standard_webhooks(delivery, secrets);
        }
        signature::shared_secret(delivery, secrets, &["x-gitlab-token"])
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let header = |name| delivery.headers.get(name);
        let per_delivery = header("idempotency-key").or_else(|| header("webhook-id")).map(str::to_owned);
        let per_event = || {
            let event = header("x-gitlab-event-uuid")?;
            Some(format!("{}/{event}", header("x-gitlab-webhook-uuid").unwrap_or("-")))
        };
        let event = header("x-gitlab-event").unwrap_or_default();
        let event = event.strip_suffix(" Hook").unwrap_or(event).to_ascii_lowercase().replace(' ', "_");
        Identity { event, key: per_delivery.or_else(per_event) }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        let event = self.identity(delivery).event;
        reading::decode(delivery, limits, event, |root, decoded| {
            fill(root, rules, delivery.received_at, decoded);
        })
    }
}

type Handler = fn(&Lab<'_>, View<'_>, &mut Decoded);

/// The body names the event: hooks of the system send many under one header.
fn fill(root: View<'_>, rules: &ServiceRules, received_at: Timestamp, decoded: &mut Decoded) {
    let Some(kind) = root.text("object_kind").or_else(|| root.text("event_name")) else { return };
    let detail = root
        .object("object_attributes")
        .text("action")
        .or_else(|| root.object("object_attributes").text("status"))
        .or_else(|| root.text("build_status"))
        .or_else(|| root.text("status"))
        .or_else(|| root.text("action"));
    decoded.event = detail.map_or_else(|| kind.clone(), |detail| format!("{kind}.{detail}"));
    let handler: Handler = match kind.as_str() {
        "pipeline" => pipeline::pipeline,
        "build" => job::job_event,
        "deployment" => deployment::deployment,
        "push" | "tag_push" => push::push,
        "merge_request" => push::merge_request,
        "release" => deployment::release,
        _ => return,
    };
    let Some(lab) = Lab::of(root, rules, received_at) else { return };
    decoded.known = true;
    decoded.project = Some(lab.project.clone());
    handler(&lab, root, decoded);
}
