//! Webhooks: what a CI system tells by itself, verified before it is read.
//!
//! ```text
//! request ──► Hook::verify (raw bytes) ──► decode ──► entities, facts under natural keys ──► Delivery
//!                                            └ what cannot be read is kept as it came, with the reason
//! ```
//!
//! A verified delivery is always taken: one that means nothing here is entered as *ignored*, one that cannot be read as
//! *failed*. Both are kept as they came, so that a later version can read them again. Reading takes microseconds, so
//! it happens before the commit: what was acknowledged is what queries show.

use bytes::Bytes;
use manometer_model::{Limits, Problem, Problems, Timestamp};
use manometer_providers::{Decoded, Headers, Provider, Refusal, Secrets, ServiceRules};
use manometer_store::{DeliveryInfo, DeliveryKey, DeliveryWriter, Store, Treatment};
use serde::{Deserialize, Serialize};

use crate::content_hash::ContentHash;
use crate::error::IngestError;
use crate::prepared::{Fresh, Prepared};
use crate::records::set_time;

/// A place webhooks come in at: a provider, and one of its senders.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The system that sends.
    pub provider: &'static dyn Provider,
    /// Which of its senders: the last part of `/webhooks/{provider}/{source}`, empty where there is none.
    pub source: String,
    /// What deliveries are checked with.
    pub secrets: Secrets,
}

/// One webhook request, owned, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its headers.
    pub headers: Headers,
    /// Parameters of its address, decoded.
    pub query: Vec<(String, String)>,
    /// Its body, raw.
    pub body: Bytes,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// What is kept of a request besides its body; the first line of what the store keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    provider: String,
    source: String,
    received_at: Timestamp,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

/// Headers that are not kept: they hold secrets, and reading a delivery again needs none.
const SECRET_HEADERS: &[&str] = &["authorization", "x-gitlab-token", "x-buildkite-token", "cookie"];

impl Hook {
    /// Checks that a request comes from somebody who knows a secret of this place.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify(&self, request: &Request) -> Result<(), Refusal> {
        self.provider.verify(&request.delivery(), &self.secrets)
    }
}

impl Request {
    fn delivery(&self) -> manometer_providers::Delivery<'_> {
        manometer_providers::Delivery {
            headers: &self.headers,
            query: &self.query,
            body: &self.body,
            received_at: self.received_at,
        }
    }

    fn hash(&self) -> u128 {
        let mut hash = ContentHash::new();
        hash.piece(&self.body);
        hash.finish()
    }

    fn to_raw(&self, provider: &str, source: &str) -> Result<Vec<u8>, serde_json::Error> {
        let kept = |(name, _): &(&str, &str)| !SECRET_HEADERS.contains(name);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let envelope = Envelope {
            provider: provider.to_owned(),
            source: source.to_owned(),
            received_at: self.received_at,
            headers: self.headers.iter().filter(kept).map(owned).collect(),
            query: self.query.clone(),
        };
        let mut raw = serde_json::to_vec(&envelope)?;
        raw.push(b'\n');
        raw.extend_from_slice(&self.body);
        Ok(raw)
    }
}

/// Reads a verified request and makes its delivery.
///
/// # Errors
/// When the store cannot take its rows. A request that cannot be read is no error: it is entered as failed.
pub fn prepare(
    store: &Store,
    hook: &Hook,
    request: &Request,
    rules: &ServiceRules,
    limits: &Limits,
) -> Result<Prepared, IngestError> {
    let provider = hook.provider.name();
    let body_hash = request.hash();
    let identity = hook.provider.identity(&request.delivery());
    // The same id with another body is another delivery: what it tells merges, so nothing is told twice.
    let key = match &identity.key {
        Some(key) => format!("{key}/{body_hash:032x}"),
        None => format!("{body_hash:032x}"),
    };
    let key = DeliveryKey { scope: format!("webhook:{provider}:{}", hook.source), key };
    if let Some(repetition) = Prepared::of_known(store, &key, body_hash, request.body.len() as u64)? {
        return Ok(repetition);
    }
    let mut writer = store.writer();
    writer.keep_raw(&request.to_raw(provider, &hook.source)?)?;
    let read = read(hook.provider, &identity.event, request, rules, limits);
    read.finish(writer, key, provider, request, request.received_at)
}

/// Reads a delivery again that was kept as it came: what it tells merges with what is known, and facts that are stored
/// are not stored again.
///
/// # Errors
/// When it is not kept any more, or is no webhook.
pub fn prepare_again(
    store: &Store,
    receipt: &str,
    rules: &ServiceRules,
    limits: &Limits,
    now: Timestamp,
) -> Result<Prepared, IngestError> {
    let raw = store.raw(receipt)?.ok_or_else(|| IngestError::NotKept { receipt: receipt.to_owned() })?;
    let (provider, source, request) = of_raw(&raw, receipt)?;
    let identity = provider.identity(&request.delivery());
    let read = read(provider, &identity.event, &request, rules, limits);
    let key = DeliveryKey {
        scope: format!("replay:{}:{source}", provider.name()),
        key: format!("{receipt}/{}", now.as_micros()),
    };
    read.finish(store.writer(), key, provider.name(), &request, now)
}

fn of_raw(raw: &[u8], receipt: &str) -> Result<(&'static dyn Provider, String, Request), IngestError> {
    let unreadable = |why: String| IngestError::UnreadableRaw { receipt: receipt.to_owned(), why };
    let end = raw
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| unreadable("it has no end of line".to_owned()))?;
    let (head, body) = raw.split_at(end);
    let envelope: Envelope = serde_json::from_slice(head).map_err(|error| unreadable(error.to_string()))?;
    let provider = manometer_providers::provider(&envelope.provider)
        .ok_or_else(|| unreadable(format!("the provider `{}` is not known", envelope.provider)))?;
    let request = Request {
        headers: Headers::from_pairs(envelope.headers),
        query: envelope.query,
        body: Bytes::copy_from_slice(body.get(1..).unwrap_or_default()),
        received_at: envelope.received_at,
    };
    Ok((provider, envelope.source, request))
}

/// A delivery that was read, or could not be.
struct Read {
    event: String,
    treatment: Treatment,
    decoded: Decoded,
}

fn read(
    provider: &dyn Provider,
    event: &str,
    request: &Request,
    rules: &ServiceRules,
    limits: &Limits,
) -> Read {
    match manometer_providers::decode(provider, &request.delivery(), rules, limits) {
        Ok(decoded) => {
            let treatment = if decoded.known { Treatment::Stored } else { Treatment::Ignored };
            Read { event: decoded.event.clone(), treatment, decoded }
        }
        Err(error) => {
            let mut problems = Problems::new();
            problems.push(Problem::new(error.to_string()));
            let decoded = Decoded { problems, ..Decoded::default() };
            Read { event: event.to_owned(), treatment: Treatment::Failed, decoded }
        }
    }
}

impl Read {
    /// Makes the delivery that is entered at a time. What it tells is of the time the request arrived at.
    fn finish(
        self,
        mut writer: DeliveryWriter,
        key: DeliveryKey,
        provider: &str,
        request: &Request,
        entered_at: Timestamp,
    ) -> Result<Prepared, IngestError> {
        writer.set_treatment(self.treatment);
        append(&self.decoded, &mut writer, request.received_at)?;
        let Decoded { project, problems, .. } = self.decoded;
        let delivery = writer.finish(DeliveryInfo {
            key,
            body_hash: request.hash(),
            source: provider.to_owned(),
            kind: self.event,
            project,
            received_at: entered_at,
            size_bytes: request.body.len() as u64,
            problems: problems.clone(),
            permanent: false,
        })?;
        Ok(Prepared::Fresh(Box::new(Fresh { delivery, files: Vec::new(), problems })))
    }
}

/// Writes what a delivery or a poll of an API tells.
///
/// # Errors
/// When a row does not fit its table.
pub fn append(
    decoded: &Decoded,
    writer: &mut DeliveryWriter,
    received_at: Timestamp,
) -> Result<(), IngestError> {
    for record in &decoded.entities {
        let row = record.row();
        let (table, mut cells) = (row.table_of(), row.cells());
        set_time(table, &mut cells, received_at);
        writer.append(table, &cells)?;
    }
    for group in &decoded.facts {
        writer.append_once(&group.natural_key, &group.records)?;
    }
    Ok(())
}
