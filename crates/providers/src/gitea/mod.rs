//! Gitea and Forgejo: workflow runs and jobs, pushes, pull requests and releases, in GitHub's dialect.
//!
//! Both sign with the HMAC-SHA256 of the body in hexadecimal digits, without a prefix: Gitea in `X-Gitea-Signature`,
//! Forgejo in `X-Forgejo-Signature` too. `X-Gitea-Delivery` is one per hook and event, and stays the same when a delivery
//! is sent again. Each is a provider of its own, so that its name stands in the column `provider`; a source set up under
//! the other's name works all the same.
//!
//! Forgejo sends no workflow runs and jobs: its `action_run_success`, `action_run_failure` and `action_run_recover` tell
//! of runs that ended.
//!
//! Payloads: `modules/structs/hook.go` and `repo_actions.go` of <https://github.com/go-gitea/gitea>, and
//! <https://forgejo.org/docs/latest/user/webhooks/>.

mod action_run;

use manometer_model::Limits;

use crate::github;
use crate::reading;
use crate::signature;
use crate::{DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules};

/// Gitea or Forgejo, by its name: they differ in nothing else.
#[derive(Debug)]
pub(crate) struct Gitea {
    name: &'static str,
}

/// Gitea.
pub(crate) static GITEA: Gitea = Gitea { name: "gitea" };

/// Forgejo.
pub(crate) static FORGEJO: Gitea = Gitea { name: "forgejo" };

impl Provider for Gitea {
    fn name(&self) -> &'static str {
        self.name
    }

    /// Forgejo's own header decides where it is there: a wrong one is not rescued by another.
    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        let header = match delivery.headers.get("x-forgejo-signature") {
            Some(_) => "x-forgejo-signature",
            None => "x-gitea-signature",
        };
        signature::hex_header(delivery, secrets, header, "")
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let header = |names: &[&str]| delivery.headers.first_of(names).map(str::to_owned);
        Identity {
            event: header(&["x-forgejo-event", "x-gitea-event", "x-github-event"]).unwrap_or_default(),
            key: header(&["x-forgejo-delivery", "x-gitea-delivery"]),
        }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        let event = self.identity(delivery).event;
        reading::decode(delivery, limits, event.clone(), |root, decoded| {
            if event.starts_with("action_run_") {
                action_run::action_run(self.name, &event, root, rules, delivery.received_at, decoded);
            } else {
                github::fill(self.name, &event, root, rules, delivery.received_at, decoded);
            }
        })
    }
}
