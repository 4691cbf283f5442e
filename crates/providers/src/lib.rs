//! CI systems: their webhooks, their environments and their APIs, turned into records.
//!
//! ```text
//! request ──► Delivery ──► Provider::verify ──► decode ──► Decoded: entities, facts, problems ──► ingest
//!             raw bytes    secrets, constant    tree of        (records of the model)
//!                          time                 bounded size
//! ```
//!
//! A system is one file (or one folder) with a [`Provider`] in it, and one line in [`PROVIDERS`].
//!
//! **Invariants**
//! - Nothing is decoded before it was verified, over the bytes as they came, in constant time ([`signature`]).
//! - No clock: a delivery brings the time it was received at.
//! - No panic and no recursion over what strangers send. Size and depth of a body are checked before it is read, the
//!   memory of reading it is bounded, and one bad value costs its field and is reported, never the delivery.
//! - Decoding has no memory of other deliveries. What comes out are observations that merge: deliveries may come in any
//!   order, twice or not at all, and what the last one states is the same in the end.
//! - Times are the provider's own where it tells them believably; the time of receipt stands in where it does not.
//!   Equal times of asking and starting prove nothing and give no waiting time of zero.

mod azure;
mod bitbucket;
mod buildkite;
mod cdevents;
mod circleci;
mod decoded;
mod delivery;
mod drone;
pub mod environment;
mod gitea;
mod github;
mod gitlab;
mod http_signature;
mod jenkins;
mod json;
mod moment;
mod platform;
pub mod poll;
mod provider;
mod reading;
mod repository;
mod rows;
pub mod rules;
mod secrets;
pub mod signature;
mod teamcity;
mod tree;
mod trigger;
mod waits;
mod woodpecker;

pub use decoded::{DecodeError, Decoded, FactGroup, Identity};
pub use delivery::{Delivery, Headers};
pub use json::MOST_BODY_BYTES;
pub use provider::{Provider, decode};
pub use rules::ServiceRules;
pub use secrets::{Secrets, SecretsError};
pub use signature::Refusal;

/// Every system that sends webhooks, in the order the documentation lists them.
pub static PROVIDERS: &[&dyn Provider] = &[
    &github::GitHub,
    &gitlab::GitLab,
    &gitea::GITEA,
    &gitea::FORGEJO,
    &jenkins::Jenkins,
    &teamcity::TeamCity,
    &buildkite::Buildkite,
    &circleci::CircleCi,
    &azure::Azure,
    &bitbucket::Bitbucket,
    &drone::Drone,
    &woodpecker::Woodpecker,
    &cdevents::CdEvents,
];

/// The system of that name.
pub fn provider(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.name() == name)
}
