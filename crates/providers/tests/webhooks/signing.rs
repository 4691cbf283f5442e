//! Signatures as senders make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_providers::{Refusal, Secrets};
use sha2::{Digest as _, Sha256};

use crate::sent::Sent;

pub(crate) const SECRET: &str = "7f3b9d0c5e1a48e2";
pub(crate) const NEXT_SECRET: &str = "c04d1e8fb6a24d77";

fn mac(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex_hmac(secret: &str, parts: &[&[u8]]) -> String {
    hex::encode(mac(secret, parts))
}

pub(crate) fn base64_hmac(secret: &str, parts: &[&[u8]]) -> String {
    STANDARD.encode(mac(secret, parts))
}

pub(crate) fn base64_digest(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// What holds of every provider that signs: `sign` puts a signature made with a secret on a delivery.
pub(crate) fn assert_signature_is_checked(sent: &Sent, sign: impl Fn(Sent, &str) -> Sent) {
    let secrets = Secrets::new([SECRET]).unwrap();
    let both = Secrets::new([NEXT_SECRET, SECRET]).unwrap();
    let signed = sign(sent.clone(), SECRET);
    assert_eq!(signed.verify(&secrets), Ok(()));
    assert_eq!(signed.verify(&both), Ok(()), "either secret fits while they change");
    assert_eq!(sign(sent.clone(), NEXT_SECRET).verify(&both), Ok(()));
    assert_eq!(sign(sent.clone(), NEXT_SECRET).verify(&secrets), Err(Refusal::WrongSignature));

    let mut changed = signed.clone();
    let middle = changed.body.len() / 2;
    changed.body[middle] ^= 1;
    assert_eq!(changed.verify(&secrets), Err(Refusal::WrongSignature), "one bit of the body");

    for (position, (name, value)) in signed.headers.iter().enumerate() {
        let Some(cut) = value.len().checked_sub(3) else { continue };
        if !name.to_lowercase().contains("signature") {
            continue;
        }
        let mut short = signed.clone();
        short.headers[position].1.truncate(cut);
        assert!(short.verify(&secrets).is_err(), "{name} without its last letters");
    }
    assert_unsigned_is_refused(sent);
}

/// What holds of every provider whose sender tells a shared secret.
pub(crate) fn assert_shared_secret_is_checked(sent: &Sent) {
    let secrets = Secrets::new([SECRET]).unwrap();
    let both = Secrets::new([NEXT_SECRET, SECRET]).unwrap();
    let basic = |password| sent.clone().with("Authorization", &basic("manometer", password));
    let bearer = |token: &str| sent.clone().with("Authorization", &format!("Bearer {token}"));
    let header = |token| sent.clone().with("X-Manometer-Token", token);
    for (right, wrong) in [
        (basic(SECRET), basic(NEXT_SECRET)),
        (bearer(SECRET), bearer(NEXT_SECRET)),
        (header(SECRET), header(NEXT_SECRET)),
    ] {
        assert_eq!(right.verify(&secrets), Ok(()));
        assert_eq!(right.verify(&both), Ok(()));
        assert_eq!(wrong.verify(&both), Ok(()));
        assert_eq!(wrong.verify(&secrets), Err(Refusal::WrongSignature));
    }
    assert_unsigned_is_refused(sent);
}

fn assert_unsigned_is_refused(sent: &Sent) {
    let refused = sent.verify(&Secrets::new([SECRET]).unwrap());
    assert!(matches!(refused, Err(Refusal::Unsigned { .. })), "{refused:?}");
    assert_eq!(sent.verify(&Secrets::new::<&str>([]).unwrap()), Err(Refusal::NoSecret));
    assert_eq!(sent.verify(&Secrets::open()), Ok(()), "a source that was declared open");
}
