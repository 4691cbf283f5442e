//! Is a delivery from whom it claims to be? Every comparison of secrets and signatures is here, in constant time.
//!
//! All secrets of the source are tried, always, so that the time taken tells neither how much of a signature was
//! right nor which secret fitted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_model::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{Delivery, Secrets};

/// How far the time of a signature may be from the time of receipt, in seconds, as Standard Webhooks has it.
pub const WINDOW_SECONDS: f64 = 300.0;

/// The header for a token, of systems that let their users write the headers.
pub(crate) const TOKEN_HEADERS: &[&str] = &["x-manometer-token"];

/// What a signing secret of Standard Webhooks begins with; base64 follows.
const STANDARD_WEBHOOKS_PREFIX: &[u8] = b"whsec_";

/// Why a delivery is not believed. Tells the sender what to mend, and nothing of the secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No secret is configured, and the source is not open.
    #[error(
        "no secret is configured for this source: configure the one its sender uses, or declare the source open"
    )]
    NoSecret,
    /// Nothing to check.
    #[error("the delivery is not signed: the header {header} is missing; set the secret at the sender")]
    Unsigned {
        /// Where a signature was looked for.
        header: &'static str,
    },
    /// The signature, token or password does not fit.
    #[error(
        "the signature or token does not fit: sender and server have different secrets, or the body was changed on its way"
    )]
    WrongSignature,
    /// There is a signature, but it is not written as such.
    #[error("the header {header} cannot be read as a signature")]
    Malformed {
        /// The header.
        header: &'static str,
    },
    /// Signed too long ago: perhaps somebody recorded the request and sends it again.
    #[error(
        "the delivery was signed {age_seconds:.0} seconds ago, more than {WINDOW_SECONDS} are not accepted; check the clocks"
    )]
    TooOld {
        /// Its age.
        age_seconds: f64,
    },
    /// Signed later than now.
    #[error(
        "the delivery was signed {ahead_seconds:.0} seconds from now, more than {WINDOW_SECONDS} are not accepted; check the clocks"
    )]
    TooNew {
        /// How far ahead it is.
        ahead_seconds: f64,
    },
}

/// Checks a header that holds the HMAC-SHA256 of the body in hexadecimal digits, after an optional prefix.
pub(crate) fn hex_header(
    delivery: &Delivery<'_>,
    secrets: &Secrets,
    header: &'static str,
    prefix: &str,
) -> Result<(), Refusal> {
    match delivery.headers.get(header) {
        Some(value) => {
            let digits = value.strip_prefix(prefix).ok_or(Refusal::Malformed { header })?;
            hex_hmac_sha256(digits, &[delivery.body], secrets)
        }
        None => unsigned(secrets, header),
    }
}

/// Checks hexadecimal digits against the HMAC-SHA256 of the parts, one after the other.
pub(crate) fn hex_hmac_sha256(given: &str, parts: &[&[u8]], secrets: &Secrets) -> Result<(), Refusal> {
    if may_pass_unchecked(secrets)? {
        return Ok(());
    }
    let given = hex::decode(given.trim()).map_err(|_| Refusal::WrongSignature)?;
    accepted(secrets.iter().map(|key| hmac_sha256(key, parts).ct_eq(given.as_slice())))
}

/// Checks base64 text against the HMAC-SHA256 of the parts, one after the other.
pub(crate) fn base64_hmac_sha256(given: &str, parts: &[&[u8]], secrets: &Secrets) -> Result<(), Refusal> {
    if may_pass_unchecked(secrets)? {
        return Ok(());
    }
    let given = STANDARD.decode(given.trim()).map_err(|_| Refusal::WrongSignature)?;
    accepted(secrets.iter().map(|key| hmac_sha256(key, parts).ct_eq(given.as_slice())))
}

/// Checks a delivery of [Standard Webhooks](https://www.standardwebhooks.com): `webhook-signature` holds one or more
/// `v1,BASE64`, each the HMAC-SHA256 of `ID.TIMESTAMP.BODY`, no older than five minutes.
pub(crate) fn standard_webhooks(delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal> {
    const SIGNATURE: &str = "webhook-signature";
    let Some(signatures) = delivery.headers.get(SIGNATURE) else { return unsigned(secrets, SIGNATURE) };
    if may_pass_unchecked(secrets)? {
        return Ok(());
    }
    let header = |name| delivery.headers.get(name).ok_or(Refusal::Unsigned { header: name });
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let sent_at: i64 = timestamp.parse().map_err(|_| Refusal::Malformed { header: "webhook-timestamp" })?;
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", delivery.body];
    let expected: Vec<_> = secrets.iter().map(|key| hmac_sha256(&signing_key(key), &parts)).collect();
    let given = signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        // A sender that is changing its key sends two; more would only buy time.
        .take(4);
    accepted(given.flat_map(|one| expected.iter().map(move |mac| mac.ct_eq(one.as_slice()))))?;
    within_window(Timestamp::from_seconds(sent_at), delivery.received_at)
}

/// Is one of the secrets a signing secret of Standard Webhooks?
pub(crate) fn has_signing_secret(secrets: &Secrets) -> bool {
    secrets.iter().any(|secret| secret.starts_with(STANDARD_WEBHOOKS_PREFIX))
}

/// Checks a secret that is sent as it is: in the first of these headers that is there, else in `Authorization`, as
/// `Bearer SECRET` or as the password of `Basic`, or with the user's name before it (`user:password`).
pub(crate) fn shared_secret(
    delivery: &Delivery<'_>,
    secrets: &Secrets,
    headers: &'static [&'static str],
) -> Result<(), Refusal> {
    const AUTHORIZATION: &str = "authorization";
    if let Some(token) = delivery.headers.first_of(headers) {
        return fits(token.as_bytes(), secrets);
    }
    let Some(authorization) = delivery.headers.get(AUTHORIZATION) else {
        return unsigned(secrets, headers.first().copied().unwrap_or(AUTHORIZATION));
    };
    let malformed = Refusal::Malformed { header: AUTHORIZATION };
    match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            fits(token.trim().as_bytes(), secrets)
        }
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            let pair = STANDARD.decode(encoded.trim()).map_err(|_| malformed.clone())?;
            let colon = pair.iter().position(|byte| *byte == b':').ok_or(malformed)?;
            let password = pair.get(colon + 1..).unwrap_or_default();
            fits(password, secrets).or_else(|_| fits(&pair, secrets))
        }
        _ => Err(malformed),
    }
}

/// Checks a token that was found somewhere else than in a header of its own.
pub(crate) fn fits(token: &[u8], secrets: &Secrets) -> Result<(), Refusal> {
    if may_pass_unchecked(secrets)? {
        return Ok(());
    }
    // Digests have one length, so that the comparison does not tell the secret's.
    let given = Sha256::digest(token);
    accepted(secrets.iter().map(|secret| Sha256::digest(secret).as_slice().ct_eq(given.as_slice())))
}

/// A delivery without anything to check.
pub(crate) fn unsigned(secrets: &Secrets, header: &'static str) -> Result<(), Refusal> {
    if secrets.is_open() {
        return Ok(());
    }
    Err(if secrets.is_empty() { Refusal::NoSecret } else { Refusal::Unsigned { header } })
}

/// Was the delivery signed within five minutes of its receipt?
pub(crate) fn within_window(sent_at: Timestamp, received_at: Timestamp) -> Result<(), Refusal> {
    let age_seconds = received_at.seconds_since(sent_at);
    if age_seconds > WINDOW_SECONDS {
        return Err(Refusal::TooOld { age_seconds });
    }
    if age_seconds < -WINDOW_SECONDS {
        return Err(Refusal::TooNew { ahead_seconds: -age_seconds });
    }
    Ok(())
}

/// An open source that has no secret cannot check; a closed one without a secret must not take anything.
fn may_pass_unchecked(secrets: &Secrets) -> Result<bool, Refusal> {
    match (secrets.is_empty(), secrets.is_open()) {
        (true, true) => Ok(true),
        (true, false) => Err(Refusal::NoSecret),
        (false, _) => Ok(false),
    }
}

fn accepted(comparisons: impl Iterator<Item = Choice>) -> Result<(), Refusal> {
    let any = comparisons.fold(Choice::from(0), |sum, one| sum | one);
    if bool::from(any) { Ok(()) } else { Err(Refusal::WrongSignature) }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Box<[u8]> {
    // HMAC takes a key of any length: the refusal its interface knows belongs to other constructions.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Box::default() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().as_slice().into()
}

fn signing_key(secret: &[u8]) -> Vec<u8> {
    let encoded = secret.strip_prefix(STANDARD_WEBHOOKS_PREFIX);
    encoded.and_then(|text| STANDARD.decode(text.trim_ascii()).ok()).unwrap_or_else(|| secret.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation on validating deliveries.
    const GITHUB_SECRET: &str = "It's a Secret to Everybody";
    const GITHUB_BODY: &[u8] = b"Hello, World!";
    const GITHUB_DIGITS: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    /// The example of the Standard Webhooks specification.
    const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const STANDARD_BODY: &[u8] = br#"{"test": 2432232314}"#;
    const STANDARD_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const STANDARD_SENT_AT: i64 = 1_614_265_330;

    fn standard(signature: &str, body: &[u8], received_at: i64, secrets: &Secrets) -> Result<(), Refusal> {
        let headers = crate::Headers::from_pairs([
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ]);
        let received_at = Timestamp::from_seconds(received_at);
        standard_webhooks(&Delivery { headers: &headers, query: &[], body, received_at }, secrets)
    }

    #[test]
    fn the_documented_examples_fit() {
        let secrets = Secrets::new([GITHUB_SECRET]).unwrap();
        assert_eq!(hex_hmac_sha256(GITHUB_DIGITS, &[GITHUB_BODY], &secrets), Ok(()));
        assert_eq!(hex_hmac_sha256(GITHUB_DIGITS, &[b"Hello, ", b"World!"], &secrets), Ok(()));
        let secrets = Secrets::new([STANDARD_SECRET]).unwrap();
        assert_eq!(standard(STANDARD_SIGNATURE, STANDARD_BODY, STANDARD_SENT_AT, &secrets), Ok(()));
        let two = format!("v1,AAAA {STANDARD_SIGNATURE}");
        assert_eq!(standard(&two, STANDARD_BODY, STANDARD_SENT_AT, &secrets), Ok(()));
    }

    #[test]
    fn either_of_two_secrets_fits_while_they_change() {
        for pair in [[GITHUB_SECRET, "the next one"], ["the next one", GITHUB_SECRET]] {
            let secrets = Secrets::new(pair).unwrap();
            assert_eq!(hex_hmac_sha256(GITHUB_DIGITS, &[GITHUB_BODY], &secrets), Ok(()));
            assert_eq!(fits(b"the next one", &secrets), Ok(()));
        }
    }

    #[test]
    fn a_shared_secret_is_found_in_every_place_it_may_be_sent_in() {
        let secrets = Secrets::new(["s3cret"]).unwrap();
        let check = |name: &str, value: &str| {
            let headers = crate::Headers::from_pairs([(name, value)]);
            let received_at = Timestamp::from_seconds(0);
            let delivery = Delivery { headers: &headers, query: &[], body: b"", received_at };
            shared_secret(&delivery, &secrets, &["x-token"])
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(check("X-Token", "s3cret"), Ok(()));
        assert_eq!(check("Authorization", "bearer s3cret"), Ok(()));
        assert_eq!(check("Authorization", &basic("hook:s3cret")), Ok(()));
        assert_eq!(check("Authorization", &basic("s3cret:hook")), Err(Refusal::WrongSignature));
        assert_eq!(check("Authorization", "Basic ?"), Err(Refusal::Malformed { header: "authorization" }));
        assert_eq!(check("Authorization", "s3cret"), Err(Refusal::Malformed { header: "authorization" }));
        assert_eq!(check("X-Other", "s3cret"), Err(Refusal::Unsigned { header: "x-token" }));
    }

    #[test]
    fn one_byte_more_less_or_changed_does_not_fit() {
        let secrets = Secrets::new([GITHUB_SECRET]).unwrap();
        let short = GITHUB_DIGITS.get(..62).unwrap();
        for (digits, body) in [
            (GITHUB_DIGITS, &b"Hello, World?"[..]),
            (GITHUB_DIGITS, b""),
            (short, GITHUB_BODY),
            ("", GITHUB_BODY),
            ("zz", GITHUB_BODY),
            ("ä", GITHUB_BODY),
        ] {
            assert_eq!(hex_hmac_sha256(digits, &[body], &secrets), Err(Refusal::WrongSignature));
        }
        assert_eq!(fits(b"It's a Secret to Everybod", &secrets), Err(Refusal::WrongSignature));
        assert_eq!(fits(b"", &secrets), Err(Refusal::WrongSignature));
    }

    #[test]
    fn a_recorded_request_is_refused_after_five_minutes() {
        let secrets = Secrets::new([STANDARD_SECRET]).unwrap();
        let at = |moved| standard(STANDARD_SIGNATURE, STANDARD_BODY, STANDARD_SENT_AT + moved, &secrets);
        assert_eq!(at(300), Ok(()));
        assert_eq!(at(301), Err(Refusal::TooOld { age_seconds: 301.0 }));
        assert_eq!(at(-301), Err(Refusal::TooNew { ahead_seconds: 301.0 }));
        assert_eq!(
            standard(STANDARD_SIGNATURE, b"{}", STANDARD_SENT_AT, &secrets),
            Err(Refusal::WrongSignature)
        );
    }

    #[test]
    fn without_a_secret_only_an_open_source_takes_anything() {
        let closed = Secrets::new::<&str>([]).unwrap();
        assert_eq!(fits(b"", &closed), Err(Refusal::NoSecret));
        assert_eq!(hex_hmac_sha256("", &[b""], &closed), Err(Refusal::NoSecret));
        assert_eq!(unsigned(&closed, "x"), Err(Refusal::NoSecret));
        assert_eq!(unsigned(&Secrets::open(), "x"), Ok(()));
        assert_eq!(fits(b"anything", &Secrets::open()), Ok(()));
        let signed_or_not = Secrets::new(["secret"]).unwrap().and_open();
        assert_eq!(unsigned(&signed_or_not, "x"), Ok(()));
        assert_eq!(fits(b"wrong", &signed_or_not), Err(Refusal::WrongSignature));
    }
}
