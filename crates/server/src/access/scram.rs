//! What the server keeps of a token for SCRAM-SHA-256 (RFC 5802, RFC 7677), and how it checks a proof with that.
//!
//! ```text
//! SaltedPassword  = PBKDF2(token, salt, iterations)
//! StoredKey       = SHA-256(HMAC(SaltedPassword, "Client Key"))     kept
//! ServerKey       = HMAC(SaltedPassword, "Server Key")              kept
//! ClientKey       = ClientProof XOR HMAC(StoredKey, AuthMessage)    right when SHA-256(ClientKey) = StoredKey
//! ServerSignature = HMAC(ServerKey, AuthMessage)                    the server's own proof
//! ```
//! What is kept does not log anyone in: that takes the token, or its ClientKey. The salt is one for all tokens, so that
//! a client may come under any user name; tokens are 256 random bits, of which no table can be made in advance.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_query::wire::ScramParameters;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Rounds of PBKDF2: the least the RFC allows, since there is nothing to guess in a token.
pub(super) const ITERATIONS: u32 = 4096;

/// What is kept of a token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ScramKeys {
    /// `StoredKey`.
    pub(super) stored: [u8; 32],
    /// `ServerKey`.
    pub(super) server: [u8; 32],
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ScramKeys(…)")
    }
}

impl ScramKeys {
    /// The keys of a token. Tokens are ASCII, which SASLprep leaves as it is.
    pub(super) fn of(token: &str, parameters: &ScramParameters) -> Self {
        let salted = pbkdf2(token.as_bytes(), &parameters.salt, parameters.iterations);
        let client = hmac(&salted, &[b"Client Key"]);
        Self { stored: Sha256::digest(client).into(), server: hmac(&salted, &[b"Server Key"]) }
    }

    /// The server's own proof, if the client's is right. Takes the same time either way.
    pub(super) fn verify(&self, message: &[u8], proof: &[u8; 32]) -> Option<[u8; 32]> {
        let signature = hmac(&self.stored, &[message]);
        let mut client = [0_u8; 32];
        for (key, (left, right)) in client.iter_mut().zip(proof.iter().zip(signature)) {
            *key = left ^ right;
        }
        let claimed: [u8; 32] = Sha256::digest(client).into();
        let server = hmac(&self.server, &[message]);
        bool::from(claimed.ct_eq(&self.stored)).then_some(server)
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of every length; the error is of other algorithms.
    let Ok(mut state) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| state.update(part));
    state.finalize().into_bytes().into()
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut round = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = round;
    for _ in 1..iterations {
        round = hmac(password, &[&round]);
        sum.iter_mut().zip(round).for_each(|(byte, next)| *byte ^= next);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3: user `user`, password `pencil`.
    #[test]
    fn the_example_of_rfc_7677_is_proved() {
        let salt = vec![
            0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81,
        ];
        let keys = ScramKeys::of("pencil", &ScramParameters { salt, iterations: 4096 });
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let mut right = [0_u8; 32];
        right.copy_from_slice(&from_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        let signature = keys.verify(message.as_bytes(), &right).unwrap();
        assert_eq!(signature.to_vec(), from_base64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        right[31] ^= 1;
        assert_eq!(keys.verify(message.as_bytes(), &right), None);
    }

    fn from_base64(text: &str) -> Vec<u8> {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    }
}
