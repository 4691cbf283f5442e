//! What an API answered, laid into the shape of a webhook and decoded as one.

use manometer_model::{Limits, Problem, Timestamp};
use serde_json::Value;

use crate::{Decoded, Delivery, Headers, ServiceRules};

/// Decodes `body` as if the provider had sent it just now. What cannot be decoded at all is a problem of an empty answer:
/// one odd run must not keep the others away.
pub(super) fn decoded(
    provider: &str,
    headers: &[(&str, &str)],
    body: &Value,
    rules: &ServiceRules,
    now: Timestamp,
) -> Decoded {
    let bytes = body.to_string().into_bytes();
    let headers = Headers::from_pairs(headers.iter().copied());
    let delivery = Delivery { headers: &headers, query: &[], body: &bytes, received_at: now };
    let known = crate::provider(provider);
    let result = known.map(|known| crate::decode(known, &delivery, rules, &Limits::default()));
    match result {
        Some(Ok(decoded)) => decoded,
        Some(Err(error)) => {
            let mut empty = Decoded::default();
            empty
                .problems
                .push(Problem::new(format!("what the API of {provider} told was not understood: {error}")));
            empty
        }
        None => Decoded::default(),
    }
}

/// The text of a member, whether it is written as text or as a number.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The time of a member.
pub(super) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    match value.get(key)? {
        Value::String(text) => crate::moment::parse(text),
        Value::Number(number) => crate::moment::from_epoch(number.as_i64()?),
        _ => None,
    }
}

/// The members of a list.
pub(super) fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A moment as APIs take it in an address: `2026-03-04T05:00:42Z`.
pub(super) fn seconds_text(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// A part of a path, escaped.
pub(super) fn escaped(part: &str) -> String {
    url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>().replace('+', "%20")
}
