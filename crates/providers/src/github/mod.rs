//! GitHub, github.com or a server of one's own: workflow runs and jobs, checks, pushes, pull requests, deployments and
//! releases.
//!
//! Deliveries carry `X-Hub-Signature-256: sha256=…`, the HMAC-SHA256 of the body in hexadecimal digits. It covers no
//! time, so a recorded request could be sent again: the ledger of deliveries gives that no effect. The id in
//! `X-GitHub-Delivery` is one per event: two hooks on the same event send the same, and so does a redelivery, so that
//! only together with `X-GitHub-Hook-ID` it tells deliveries apart. Hooks may send the payload as JSON or as the field
//! `payload` of a form; the signature is of the body as sent.
//!
//! Events and payloads: <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.

mod change;
mod checks;
mod deployment;
pub(crate) mod hub;
mod job;
mod run;

use std::borrow::Cow;

use manometer_model::{Limits, Timestamp};

use self::hub::Hub;
use crate::reading;
use crate::signature;
use crate::tree::View;
use crate::{DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules};

/// GitHub.
#[derive(Debug)]
pub(crate) struct GitHub;

const NAME: &str = "github";

impl Provider for GitHub {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        signature::hex_header(delivery, secrets, "x-hub-signature-256", "sha256=")
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let header = |name| delivery.headers.get(name);
        let key = header("x-github-delivery")
            .map(|guid| format!("{}/{guid}", header("x-github-hook-id").unwrap_or("-")));
        Identity { event: header("x-github-event").unwrap_or_default().to_owned(), key }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        let body = payload(delivery, limits)?;
        let event = self.identity(delivery).event;
        let delivery = Delivery { body: &body, ..*delivery };
        reading::decode(&delivery, limits, event.clone(), |root, decoded| {
            fill(NAME, &event, root, rules, delivery.received_at, decoded);
        })
    }
}

/// The JSON of a delivery: its body, or the field `payload` of the form it is.
fn payload<'d>(delivery: &Delivery<'d>, limits: &Limits) -> Result<Cow<'d, [u8]>, DecodeError> {
    let content_type = delivery.headers.get("content-type").unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Ok(Cow::Borrowed(delivery.body));
    }
    crate::json::check_size(delivery.body, limits)?;
    let mut fields = url::form_urlencoded::parse(delivery.body);
    let (_, payload) =
        fields.find(|(name, _)| name == "payload").ok_or(DecodeError::NoPayload { field: "payload" })?;
    Ok(Cow::Owned(payload.into_owned().into_bytes()))
}

/// Takes from an event of GitHub's dialect what it tells; `provider` is whose dialect it is.
pub(crate) fn fill(
    provider: &'static str,
    event: &str,
    root: View<'_>,
    rules: &ServiceRules,
    received_at: Timestamp,
    decoded: &mut Decoded,
) {
    if let Some(action) = root.text("action") {
        decoded.event = format!("{event}.{action}");
    }
    let hub = Hub::of(provider, root, rules, received_at);
    decoded.project = hub.as_ref().map(|hub| hub.project.clone());
    if event == "ping" {
        decoded.known = true;
        return;
    }
    let (Some(handler), Some(hub)) = (handler(event, root), hub) else { return };
    decoded.known = true;
    handler(&hub, root, decoded);
}

type Handler = fn(&Hub<'_>, View<'_>, &mut Decoded);

/// The events that mean something here.
fn handler(event: &str, root: View<'_>) -> Option<Handler> {
    Some(match event {
        "workflow_run" => run::workflow_run,
        "workflow_job" => job::workflow_job,
        "check_suite" if !checks::is_of_actions(root.object("check_suite")) => checks::check_suite,
        "check_run" if !checks::is_of_actions(root.object("check_run")) => checks::check_run,
        "push" => change::push,
        "pull_request" => change::pull_request,
        "pull_request_review" => change::pull_request_review,
        "deployment" => deployment::deployment,
        "deployment_status" => deployment::deployment_status,
        "release" => deployment::release,
        _ => return None,
    })
}
