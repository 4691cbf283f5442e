//! CDEvents 0.4.1 and 0.5.1, the vocabulary of the CD Foundation, over CloudEvents.
//!
//! Taken are the binary mode of CloudEvents (attributes in `ce-…` headers, the CDEvent as the body), its structured mode
//! (`{"specversion": …, "data": CDEVENT}`), its batches, and the bare CDEvent. The envelope adds nothing that the CDEvent
//! does not say itself. Verified is a signature of Standard Webhooks, a token or basic credentials.
//! Specification: <https://github.com/cdevents/spec>.
//!
//! CDEvents knows no repository of a run: the source of the subject (`https://tekton.acme.example/acme`) stands for the
//! project. Each event carries only the moment it tells of, so a run's times come together from its events.

mod changes;
mod operations;
mod pipelines;
mod test_cases;

use manometer_model::{Conclusion, Limits, Timestamp};

use crate::repository::project_of;
use crate::tree::View;
use crate::{
    DecodeError, Decoded, Delivery, Identity, Provider, Refusal, Secrets, ServiceRules, reading, signature,
};

/// Any system that speaks CDEvents.
#[derive(Debug)]
pub(crate) struct CdEvents;

const NAME: &str = "cdevents";

/// Most events read of one batch.
const MOST_EVENTS: usize = 1_000;

impl Provider for CdEvents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
        if delivery.headers.get("webhook-signature").is_some() {
            return signature::standard_webhooks(delivery, secrets);
        }
        signature::shared_secret(delivery, secrets, signature::TOKEN_HEADERS)
    }

    /// `id` and `source` together are unique. A batch has no identity of its own.
    fn identity(&self, delivery: &Delivery<'_>) -> Identity {
        let told = reading::peek(delivery.body, |root| {
            let [only] = <[View<'_>; 1]>::try_from(root.one_or_many()).ok()?;
            let event = Event::of(only)?;
            Some((event.name(), event.context.text("source").zip(event.context.text("id"))))
        });
        let (event, key) = told.unwrap_or_else(|| ("batch".to_owned(), None));
        Identity { event, key: key.map(|(source, id)| format!("{source}/{id}")) }
    }

    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError> {
        reading::decode(delivery, limits, String::new(), |root, decoded| {
            let items = root.one_or_many();
            let is_batch = items.len() != 1;
            for event in items.into_iter().take(MOST_EVENTS).filter_map(Event::of) {
                decoded.event = event.name();
                read(&event, rules, decoded);
            }
            if is_batch {
                decoded.event = "batch".to_owned();
            }
        })
    }
}

fn read(event: &Event<'_>, rules: &ServiceRules, decoded: &mut Decoded) {
    match event.subject_kind.as_str() {
        "pipelinerun" => pipelines::pipeline_run(event, rules, decoded),
        "taskrun" => pipelines::task_run(event, rules, decoded),
        "build" => pipelines::build(event, rules, decoded),
        "testcaserun" => test_cases::case_run(event, rules, decoded),
        "service" => operations::service(event, decoded),
        "incident" => operations::incident(event, decoded),
        "change" => changes::change(event, decoded),
        _ => {}
    }
}

/// One CDEvent.
#[derive(Debug, Clone)]
struct Event<'t> {
    context: View<'t>,
    subject: View<'t>,
    content: View<'t>,
    custom: View<'t>,
    /// `pipelinerun`
    subject_kind: String,
    /// `finished`
    predicate: String,
}

impl<'t> Event<'t> {
    /// The event of a CDEvent or of the CloudEvent around it; none where it is something else.
    fn of(item: View<'t>) -> Option<Self> {
        let event = if item.object("context").is_some() { item } else { item.object("data") };
        let (context, subject) = (event.object("context"), event.object("subject"));
        let full = context.text("type")?;
        // `dev.cdevents.pipelinerun.finished.0.2.0`; custom types are `dev.cdeventsx.…`.
        let mut parts = full.strip_prefix("dev.cdevents.")?.split('.');
        let (subject_kind, predicate) =
            (parts.next()?.to_ascii_lowercase(), parts.next()?.to_ascii_lowercase());
        let (content, custom) = (subject.object("content"), event.object("customData"));
        Some(Self { context, subject, content, custom, subject_kind, predicate })
    }

    fn name(&self) -> String {
        format!("{}.{}", self.subject_kind, self.predicate)
    }

    fn at(&self) -> Option<Timestamp> {
        self.context.time("timestamp")
    }

    /// Host and path of the subject's source, without the scheme; a path alone stands as it is.
    fn project(&self) -> Option<String> {
        let source = self.subject.text("source").or_else(|| self.context.text("source"))?;
        project_of_source(&source)
    }

    fn url(&self) -> Option<String> {
        self.content.text("url").or_else(|| self.content.text("uri"))
    }

    fn is(&self, predicate: &str) -> bool {
        self.predicate == predicate
    }
}

fn project_of_source(source: &str) -> Option<String> {
    let trimmed = source.trim().trim_matches('/');
    if source.contains("://")
        && let Some(project) = project_of(source)
    {
        return Some(project);
    }
    let bare = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
    (!bare.is_empty()).then(|| bare.to_owned())
}

fn conclusion(word: &str) -> Option<Conclusion> {
    Some(match word {
        "success" | "pass" => Conclusion::Success,
        "failure" | "fail" => Conclusion::Failure,
        "cancel" => Conclusion::Cancelled,
        "error" => Conclusion::Error,
        _ => return None,
    })
}
