//! SCRAM-SHA-256 (RFC 5802, RFC 7677): the messages. The keys are the [`Gate`](super::Gate)'s.
//!
//! ```text
//! client  n,,n=USER,r=NONCE                                       (the user name is ignored, as in PostgreSQL)
//! server  r=NONCE+OURS,s=SALT,i=ITERATIONS
//! client  c=biws,r=NONCE+OURS,p=PROOF
//! server  v=SIGNATURE
//! ```

use super::failure::Failure;
use super::gate::ScramParameters;

/// The one mechanism.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// What was said so far.
#[derive(Debug)]
pub(super) struct Exchange {
    first_bare: String,
    gs2: String,
    nonce: String,
    /// The server's first message.
    pub(super) challenge: String,
}

/// What the client claims.
#[derive(Debug)]
pub(super) struct Claim {
    /// `AuthMessage`.
    pub(super) message: String,
    /// `ClientProof`.
    pub(super) proof: [u8; 32],
}

impl Exchange {
    /// Reads the client's first message and makes the challenge.
    pub(super) fn begin(first: &[u8], parameters: &ScramParameters) -> Result<Self, Failure> {
        let text = std::str::from_utf8(first).map_err(|_| malformed("is not UTF-8"))?;
        let (flag, after_flag) =
            text.split_once(',').ok_or_else(|| malformed("has no channel binding flag"))?;
        let (identity, bare) = after_flag.split_once(',').ok_or_else(|| malformed("has no identity"))?;
        if flag.starts_with("p=") {
            return Err(malformed("asks for channel binding, which is not offered"));
        }
        if !matches!(flag, "n" | "y") {
            return Err(malformed("has an unknown channel binding flag"));
        }
        let attributes: Vec<&str> = bare.split(',').collect();
        if attributes.first().is_some_and(|first| first.starts_with("m=")) {
            return Err(malformed("asks for an extension, of which there are none"));
        }
        let client_nonce = attributes
            .iter()
            .find_map(|attribute| attribute.strip_prefix("r="))
            .filter(|nonce| !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| malformed("has no nonce"))?;
        let mut random = [0_u8; 18];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::fatal("58000", format!("no random bytes: {error}")))?;
        let nonce = format!("{client_nonce}{}", base64_encode(&random));
        let salt = base64_encode(&parameters.salt);
        Ok(Self {
            first_bare: bare.to_owned(),
            gs2: format!("{flag},{identity},"),
            challenge: format!("r={nonce},s={salt},i={}", parameters.iterations),
            nonce,
        })
    }

    /// Reads the client's last message.
    pub(super) fn claim(&self, last: &[u8]) -> Result<Claim, Failure> {
        let text = std::str::from_utf8(last).map_err(|_| malformed("is not UTF-8"))?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or_else(|| malformed("has no proof"))?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next().and_then(|attribute| attribute.strip_prefix("c="));
        if binding.and_then(base64_decode).as_deref() != Some(self.gs2.as_bytes()) {
            return Err(malformed("has another channel binding than the first"));
        }
        if attributes.next().and_then(|attribute| attribute.strip_prefix("r=")) != Some(self.nonce.as_str()) {
            return Err(malformed("has another nonce than the challenge"));
        }
        let proof = base64_decode(proof)
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| malformed("has a proof that is not 32 bytes in base64"))?;
        Ok(Claim { message: format!("{},{},{without_proof}", self.first_bare, self.challenge), proof })
    }
}

/// The server's last message.
pub(super) fn verdict(signature: &[u8; 32]) -> String {
    format!("v={}", base64_encode(signature))
}

fn malformed(what: &str) -> Failure {
    Failure::protocol(format!("a message of SCRAM {what}"))
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, section 4.
fn base64_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for position in 0..4 {
            let letter = LETTERS.get(((bits >> (18 - 6 * position)) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if position <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let mut decoded = Vec::with_capacity(bytes.len() / 4 * 3);
    for (number, group) in bytes.chunks(4).enumerate() {
        let is_last = (number + 1) * 4 == bytes.len();
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && !is_last) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in group.iter().take(4 - padding) {
            let value = LETTERS.iter().position(|letter| letter == byte)?;
            bits = (bits << 6) | u32::try_from(value).ok()?;
        }
        bits <<= 6 * padding;
        decoded.extend(bits.to_be_bytes().iter().skip(1).take(3 - padding));
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> ScramParameters {
        ScramParameters { salt: b"0123456789abcdef".to_vec(), iterations: 4096 }
    }

    #[test]
    fn base64_agrees_with_the_examples_of_rfc_4648() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64_encode(plain.as_bytes()), encoded);
            assert_eq!(base64_decode(encoded).unwrap(), plain.as_bytes());
        }
        for wrong in ["Z", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9!"] {
            assert_eq!(base64_decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn messages_that_are_no_scram_are_refused() {
        for first in
            ["", "n", "n,", "n,,", "n,,n=x", "n,,n=x,r=", "p=tls-unique,,n=x,r=a", "z,,n=x,r=a", "n,,m=1,r=a"]
        {
            assert_eq!(
                Exchange::begin(first.as_bytes(), &parameters()).unwrap_err().code,
                "08P01",
                "{first}"
            );
        }
        let exchange = Exchange::begin(b"n,,n=anyone,r=abc", &parameters()).unwrap();
        let proof = base64_encode(&[7; 32]);
        let nonce = exchange.nonce.clone();
        for last in [
            String::new(),
            format!("c=biws,r={nonce}"),
            format!("c=biws,r=abc,p={proof}"),
            format!("c=eSws,r={nonce},p={proof}"),
            format!("c=biws,r={nonce},p=AAAA"),
        ] {
            assert_eq!(exchange.claim(last.as_bytes()).unwrap_err().code, "08P01", "{last}");
        }
        let claim = exchange.claim(format!("c=biws,r={nonce},p={proof}").as_bytes()).unwrap();
        assert_eq!(claim.proof, [7; 32]);
        assert_eq!(claim.message, format!("n=anyone,r=abc,{},c=biws,r={nonce}", exchange.challenge));
    }
}
