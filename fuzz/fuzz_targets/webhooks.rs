//! Any bytes are a webhook of any provider: never a panic, never believed without its secret, read the same twice.
//!
//! The first byte chooses the provider, the rest of the first line is the value of the headers that name events and carry
//! signatures, and everything behind it is the body. The corpus of one provider is found by every other one too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_model::{EntityKey, Limits, Problems, Timestamp};
use manometer_providers::{Delivery, Headers, PROVIDERS, Secrets, ServiceRules, decode};

/// Headers that name an event or a delivery, and those a signature is looked for in.
const HEADERS: &[&str] = &[
    "x-github-event",
    "x-gitlab-event",
    "x-gitea-event",
    "x-forgejo-event",
    "x-buildkite-event",
    "x-event-key",
    "ce-type",
    "referrer",
    "content-type",
    "x-hub-signature-256",
    "x-hub-signature",
    "x-gitlab-token",
    "x-gitea-signature",
    "x-forgejo-signature",
    "x-buildkite-signature",
    "circleci-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "authorization",
    "signature",
    "digest",
    "date",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((chosen, rest)) = bytes.split_first() else { return };
    let provider = PROVIDERS[usize::from(*chosen) % PROVIDERS.len()];
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let line = String::from_utf8_lossy(&rest[..end]);
    let body = rest.get(end + 1..).unwrap_or_default();
    let headers = Headers::from_pairs(HEADERS.iter().map(|name| (*name, line.as_ref())));
    let delivery = Delivery { headers: &headers, query: &[], body, received_at: Timestamp::from_seconds(1_772_601_000) };

    let secrets = Secrets::new(["0f5c9a1e7b3d2468", "8642d3b7e1a9c5f0"]).expect("two secrets");
    assert!(provider.verify(&delivery, &secrets).is_err(), "a forged delivery is believed");

    let (rules, limits) = (ServiceRules::default(), Limits::default());
    let Ok(decoded) = decode(provider, &delivery, &rules, &limits) else { return };
    assert!(provider.identity(&delivery).event.len() <= line.len() + body.len() + 64);
    assert!(decoded.problems.first.len() <= Problems::KEPT);
    assert!(decoded.known || decoded.entities.is_empty(), "records of an event that means nothing");
    for entity in &decoded.entities {
        let row = entity.row();
        assert!(EntityKey::of_values(row.table_of(), &row.cells()).is_some(), "{entity:?} is no entity");
    }
    for group in &decoded.facts {
        assert!(!group.records.is_empty(), "{} holds nothing", group.natural_key);
    }
    let again = decode(provider, &delivery, &rules, &limits).expect("what was read before");
    // Not compared with `==`: not-a-number is no part of JSON, but a field may be one by arithmetic.
    assert_eq!(format!("{decoded:?}"), format!("{again:?}"));
});
