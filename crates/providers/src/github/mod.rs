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

use std::borrow::Cow;

use manometer_model::Limits;

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
        let _ = rules;
        let body = payload(delivery, limits)?;
        let event = self.identity(delivery).event;
        let delivery = Delivery { body: &body, ..*delivery };
        reading::decode(&delivery, limits, event.clone(), |root, decoded| fill(&event, root, decoded))
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

fn fill(event: &str, root: View<'_>, decoded: &mut Decoded) {
    if let Some(action) = root.text("action") {
        decoded.event = format!("{event}.{action}");
    }
    decoded.known = event == "ping";
}
