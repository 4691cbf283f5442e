//! Deliveries as tests send them: a fixture with the headers its sender would set, and what it decodes to.

use std::path::PathBuf;

use manometer_model::records::{Commit, Deployment, Job, Run, Runner};
use manometer_model::{Limits, Record, Timestamp};
use manometer_providers::{DecodeError, Decoded, Delivery, Headers, Refusal, Secrets, ServiceRules};

/// 2026-03-04T05:10:00Z: shortly after most of what the fixtures tell of.
pub(crate) const RECEIVED_AT: i64 = 1_772_601_000;

/// One request, owned.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) provider: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) received_at: Timestamp,
}

impl Sent {
    /// A fixture of a provider, with no headers yet.
    pub(crate) fn fixture(provider: &'static str, name: &str) -> Self {
        let path = fixtures(provider).join(format!("{name}.json"));
        let body = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::body(provider, body)
    }

    pub(crate) fn body(provider: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            provider,
            headers: Vec::new(),
            query: Vec::new(),
            body: body.into(),
            received_at: Timestamp::from_seconds(RECEIVED_AT),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, received so many seconds later.
    pub(crate) fn after(mut self, seconds: i64) -> Self {
        self.received_at = self.received_at.plus_seconds(seconds as f64);
        self
    }

    fn deliver<T>(&self, take: impl FnOnce(&dyn manometer_providers::Provider, &Delivery<'_>) -> T) -> T {
        let headers = Headers::from_pairs(self.headers.iter().cloned());
        let delivery = Delivery {
            headers: &headers,
            query: &self.query,
            body: &self.body,
            received_at: self.received_at,
        };
        let provider = manometer_providers::provider(self.provider).expect("a provider of that name");
        take(provider, &delivery)
    }

    pub(crate) fn try_decode(&self) -> Result<Decoded, DecodeError> {
        let (rules, limits) = (ServiceRules::default(), Limits::default());
        self.deliver(|provider, delivery| manometer_providers::decode(provider, delivery, &rules, &limits))
    }

    pub(crate) fn decode(&self) -> Decoded {
        self.try_decode().expect("a body that is read")
    }

    pub(crate) fn verify(&self, secrets: &Secrets) -> Result<(), Refusal> {
        self.deliver(|provider, delivery| provider.verify(delivery, secrets))
    }

    pub(crate) fn identity(&self) -> manometer_providers::Identity {
        self.deliver(|provider, delivery| provider.identity(delivery))
    }
}

pub(crate) fn fixtures(provider: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(provider)
}

/// A moment of 2026-03-04, which all fixtures are of: `"05:00:42"`.
pub(crate) fn at(time: &str) -> Option<Timestamp> {
    Some(Timestamp::parse_rfc3339(&format!("2026-03-04T{time}Z")).expect("a time of day"))
}

/// The first row of a kind that states more than an assumed service.
macro_rules! first {
    ($name:ident, $variant:ident) => {
        pub(crate) fn $name(decoded: &Decoded) -> $variant {
            let rows = decoded.entities.iter().filter_map(|entity| match entity {
                Record::$variant(row) if row.updated_at.is_some() => Some(row.clone()),
                _ => None,
            });
            rows.into_iter().next().unwrap_or_else(|| panic!("no {}: {decoded:#?}", stringify!($name)))
        }
    };
}

first!(run, Run);
first!(job, Job);
first!(runner, Runner);
first!(deployment, Deployment);
first!(commit, Commit);
