//! Jenkins, through the plugins that tell of builds: Generic Event, Notification and CloudEvents.
//!
//! None of them signs. The URL may carry basic credentials (Notification plugin) or, for plugins that can set no
//! header at all, the token as the parameter `token`: use HTTPS and keep query strings out of proxy logs.
//!
//! A run is `FULL/JOB/NAME#BUILD`. Its project is `HOST/FULL/JOB/NAME` (without the branch of a multibranch
//! project): what every event of every plugin tells from the first on, while the repository comes late or never;
//! where it is known it stands in the label `repository`.
//!
//! Waiting: the Notification plugin's phase `QUEUED` carries when the build was queued; builds of a Jenkins with the
//! Metrics plugin carry how long they were held back, blocked and waiting for an executor.

mod cloudevents;
mod generic;
mod notification;

use manometer_model::{Conclusion, Limits};

use crate::repository::host_of;
use crate::tree::View;
use crate::{
    DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules, reading, signature,
};

/// Jenkins.
#[derive(Debug)]
pub(crate) struct Jenkins;

const NAME: &str = "jenkins";

/// Which plugin sent a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Generic,
    Notification,
    CloudEvents,
    Other,
}

impl Provider for Jenkins {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        let in_url = delivery.query.iter().find(|(name, _)| name == "token");
        match (delivery.headers.get("authorization"), in_url) {
            (None, Some((_, token))) => signature::fits(token.as_bytes(), secrets),
            _ => signature::shared_secret(delivery, secrets, signature::TOKEN_HEADERS),
        }
    }

    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        reading::peek(delivery.body, |root| Some(identity_of(root, delivery))).unwrap_or_default()
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            let event = identity_of(root, delivery).event;
            decoded.event.clone_from(&event);
            match sender_of(root, delivery) {
                Sender::Generic => generic::read(&event, root, &host(delivery), rules, decoded),
                Sender::Notification => notification::read(root, rules, decoded),
                Sender::CloudEvents => cloudevents::read(&event, root, delivery, rules, decoded),
                Sender::Other => {}
            }
        })
    }
}

fn identity_of(root: View<'_>, delivery: &Delivery<'_>) -> Identity {
    let (event, key) = match sender_of(root, delivery) {
        Sender::Generic => (root.text("type"), root.text("id")),
        Sender::Notification => {
            let phase = root.object("build").text("phase");
            (phase.map(|phase| format!("notification.{}", phase.to_lowercase())), None)
        }
        Sender::CloudEvents => (cloudevents::event_of(delivery), cloudevents::id_of(delivery)),
        Sender::Other => (root.text("type"), None),
    };
    Identity { event: event.unwrap_or_default(), key }
}

fn sender_of(root: View<'_>, delivery: &Delivery<'_>) -> Sender {
    if cloudevents::event_of(delivery).is_some() {
        Sender::CloudEvents
    } else if root.object("build").text("phase").is_some() {
        Sender::Notification
    } else if root.text("source").is_some() && root.object("data").is_some() {
        Sender::Generic
    } else {
        Sender::Other
    }
}

/// The Generic Event plugin names its Jenkins in the header `Referrer`; a Jenkins without a root URL names none.
fn host(delivery: &Delivery<'_>) -> String {
    let root = delivery.headers.get("referrer").or_else(|| delivery.headers.get("referer"));
    root.and_then(host_of).unwrap_or_else(|| NAME.to_owned())
}

/// Folders and name of a job, from the path of its page: `job/acme/job/shop/job/main/` is `acme`, `shop`, `main`.
fn job_path(path: &str) -> Vec<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let mut names = Vec::new();
    while let Some(part) = parts.next() {
        if part == "job"
            && let Some(name) = parts.next()
        {
            names.push(percent_decoded(name));
        }
    }
    names
}

/// `feature%2Frefunds` is `feature/refunds`; what is no escape stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte =
            escaped.and_then(|digits| hex::decode(digits).ok()).and_then(|decoded| decoded.first().copied());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Unstable means that tests failed while the build as such went through; for the tables that is a failure.
fn conclusion(result: &str) -> Option<Conclusion> {
    Some(match result {
        "SUCCESS" => Conclusion::Success,
        "UNSTABLE" | "FAILURE" => Conclusion::Failure,
        "ABORTED" => Conclusion::Cancelled,
        "NOT_BUILT" => Conclusion::Skipped,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_job_tells_its_folders() {
        assert_eq!(
            job_path("job/acme/job/shop/job/feature%2Frefunds/57/"),
            ["acme", "shop", "feature/refunds"]
        );
        assert_eq!(job_path("jenkins/job/job/"), ["job"]);
        assert_eq!(job_path("job/100%/"), ["100%"]);
        assert_eq!(job_path("job/%FF%FE/"), ["%FF%FE"]);
        assert!(job_path("").is_empty());
    }
}
