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

mod decoded;
mod delivery;
pub mod environment;
mod github;
mod json;
mod moment;
mod platform;
mod provider;
mod reading;
mod repository;
pub mod rules;
mod secrets;
pub mod signature;
mod tree;
mod waits;

pub use decoded::{DecodeError, Decoded, FactGroup, Identity};
pub use delivery::{Delivery, Headers};
pub use json::MOST_BODY_BYTES;
pub use provider::{Provider, decode};
pub use rules::ServiceRules;
pub use secrets::{Secrets, SecretsError};
pub use signature::Refusal;

/// Every system that sends webhooks, in the order the documentation lists them.
pub static PROVIDERS: &[&dyn Provider] = &[&github::GitHub];

/// The system of that name.
pub fn provider(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.name() == name)
}
