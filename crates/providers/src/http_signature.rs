//! HTTP signatures as Drone's server makes them: an HMAC-SHA256 over some headers, of which `Digest` stands for the
//! body (draft-cavage-http-signatures, with a shared key).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manometer_model::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{Delivery, Refusal, Secrets, signature};

/// The parameters of the signature of a delivery, where it has one: in `Signature`, or in `Authorization` with the
/// scheme `Signature`.
pub(crate) fn of<'d>(delivery: &'d Delivery<'_>) -> Option<&'d str> {
    let authorization = || delivery.headers.get("authorization")?.trim().strip_prefix("Signature ");
    delivery.headers.get("signature").or_else(authorization)
}

/// Checks the digest of the body, the signature over the headers that include it, and the age.
///
/// # Errors
/// When any of these does not hold, or the parameters cannot be read.
pub(crate) fn verify(given: &str, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
    const MALFORMED: Refusal = Refusal::Malformed { header: "signature" };
    if !matches!(parameter(given, "algorithm"), None | Some("hmac-sha256" | "hs2019")) {
        return Err(MALFORMED);
    }
    let encoded = parameter(given, "signature").ok_or(MALFORMED)?;
    // Without a list, `Date` alone is signed, which says nothing of the body.
    let names: Vec<String> = parameter(given, "headers")
        .unwrap_or("date")
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    if !["digest", "date"].iter().all(|needed| names.iter().any(|name| name == needed)) {
        return Err(MALFORMED);
    }
    let mut signed = String::new();
    for name in &names {
        let value = delivery.headers.get(name).ok_or(MALFORMED)?;
        if !signed.is_empty() {
            signed.push('\n');
        }
        signed.push_str(&format!("{name}: {value}"));
    }
    signature::base64_hmac_sha256(encoded, &[signed.as_bytes()], secrets)?;
    let digest =
        delivery.headers.get("digest").and_then(|value| value.strip_prefix("SHA-256=")).ok_or(MALFORMED)?;
    let claimed = STANDARD.decode(digest.trim()).map_err(|_| MALFORMED)?;
    if !bool::from(Sha256::digest(delivery.body).as_slice().ct_eq(&claimed)) {
        return Err(Refusal::WrongSignature);
    }
    let date = delivery
        .headers
        .get("date")
        .and_then(|value| httpdate::parse_http_date(value).ok())
        .ok_or(MALFORMED)?;
    let seconds = date.duration_since(std::time::UNIX_EPOCH).map_err(|_| MALFORMED)?.as_secs();
    let sent_at = Timestamp::from_seconds(i64::try_from(seconds).map_err(|_| MALFORMED)?);
    signature::within_window(sent_at, delivery.received_at)
}

/// The value of `name="value"` in a list of parameters.
fn parameter<'g>(given: &'g str, name: &str) -> Option<&'g str> {
    let mut parts = given.split(',').filter_map(|part| part.trim().split_once('='));
    parts.find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'))
}
