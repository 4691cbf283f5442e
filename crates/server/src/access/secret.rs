//! The random text of a token or session, and the hash it is known by.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::AccessError;

/// What every token begins with, so that secret scanners find one that leaked.
const TOKEN_PREFIX: &str = "mano_";

/// 32 bytes in base64url without padding.
const ENCODED_LENGTH: usize = 43;

/// A secret in the clear: shown to its owner once, then only its hash is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SecretHash(pub(crate) [u8; 32]);

impl Secret {
    /// A new token: `mano_` and 43 letters of 256 random bits.
    pub(crate) fn new_token() -> Result<Self, AccessError> {
        Ok(Self(format!("{TOKEN_PREFIX}{}", base64url(&random_bytes::<32>()?))))
    }

    /// A new session.
    pub(crate) fn new_session() -> Result<Self, AccessError> {
        Ok(Self(base64url(&random_bytes::<32>()?)))
    }

    /// The text of a token as a caller sent it; `None` when it cannot be one.
    pub(crate) fn parse_token(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(TOKEN_PREFIX)?;
        Self::is_encoded(encoded).then(|| Self(text.to_owned()))
    }

    /// The text of a session as a browser sent it; `None` when it cannot be one.
    pub(crate) fn parse_session(text: &str) -> Option<Self> {
        Self::is_encoded(text).then(|| Self(text.to_owned()))
    }

    fn is_encoded(text: &str) -> bool {
        text.len() == ENCODED_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    /// The text itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl SecretHash {
    /// Equality in constant time.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretHash(…)")
    }
}

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const COUNT: usize>() -> Result<[u8; COUNT], AccessError> {
    let mut bytes = [0_u8; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| AccessError::Random { why: error.to_string() })?;
    Ok(bytes)
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for position in 0..=group.len() {
            let letter = (bits >> (18 - 6 * position)) & 63;
            text.push(char::from(LETTERS[letter as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_agrees_with_the_examples_of_rfc_4648() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")]
        {
            assert_eq!(base64url(plain.as_bytes()), encoded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_new_token_has_the_documented_shape_and_is_never_the_same() {
        let token = Secret::new_token().unwrap();
        assert_eq!(token.reveal().len(), 5 + 43);
        assert_eq!(Secret::parse_token(token.reveal()), Some(token.clone()));
        assert_ne!(token, Secret::new_token().unwrap());
        assert_eq!(format!("{token:?}"), "Secret(…)");
    }

    #[test]
    fn what_cannot_be_a_token_is_not_even_hashed() {
        for text in ["", "mano_", "mano_short", &format!("mano_{}", "é".repeat(43)), &"x".repeat(48)] {
            assert_eq!(Secret::parse_token(text), None, "{text}");
        }
    }
}
