//! The identity of a test across runs.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// 128 bits that name one test within its service, the same in every run that reports it.
///
/// Made of suite path, class name, name, parameters and the ordinal of repetition inside one file, each
/// preceded by its length, hashed with XXH3-128. The recipe is part of the storage format: changing it
/// would cut every test off from its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TestId(u128);

/// Why a text is not a test id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a test id is 32 hexadecimal digits")]
pub struct ParseTestIdError;

/// What a part's length takes in the hashed bytes.
const LENGTH_BYTES: usize = size_of::<u64>();

/// Identities up to this long are hashed at once, which is several times quicker than piece by piece.
const SHORT_BYTES: usize = 512;

impl TestId {
    /// The id of a test from what identifies it. `ordinal` is 0 for the first test of that identity in a
    /// file, 1 for its first repetition, and so on.
    pub fn new(suite: &str, classname: &str, name: &str, parameters: &str, ordinal: u32) -> Self {
        let parts = [suite, classname, name, parameters];
        let length = parts.iter().map(|part| LENGTH_BYTES + part.len()).sum::<usize>() + size_of::<u32>();
        let mut short = [0_u8; SHORT_BYTES];
        if let Some(bytes) = short.get_mut(..length) {
            write_parts(parts, ordinal, bytes);
            return Self(xxh3_128(bytes));
        }
        let mut hasher = Xxh3Default::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&ordinal.to_le_bytes());
        Self(hasher.digest128())
    }

    /// The id of these 128 bits, as [`TestId::as_u128`] gave them.
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The raw 128 bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The 32 hexadecimal digits, without allocation.
    pub fn to_hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            if let [high, low] = pair {
                *high = DIGITS[usize::from(byte >> 4)];
                *low = DIGITS[usize::from(byte & 15)];
            }
        }
        text
    }
}

/// Lays the parts of an identity out as they are hashed; `bytes` is exactly as long as they are.
fn write_parts(parts: [&str; 4], ordinal: u32, bytes: &mut [u8]) {
    let mut rest = bytes;
    let mut write = |piece: &[u8]| {
        if let Some((head, tail)) = std::mem::take(&mut rest).split_at_mut_checked(piece.len()) {
            head.copy_from_slice(piece);
            rest = tail;
        }
    };
    for part in parts {
        write(&(part.len() as u64).to_le_bytes());
        write(part.as_bytes());
    }
    write(&ordinal.to_le_bytes());
}

impl fmt::Display for TestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl FromStr for TestId {
    type Err = ParseTestIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseTestIdError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| ParseTestIdError)
    }
}

impl Serialize for TestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_never_changes() {
        let id = TestId::new("pytest", "tests.test_cart", "test_total", "eur-2", 0);
        assert_eq!(id.to_string(), "08ed387b3bc442bce247703ffbf78277");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_hex(), *id.to_string().as_bytes().first_chunk::<32>().unwrap());
    }

    #[test]
    fn long_and_short_identities_follow_the_same_recipe() {
        for length in [0, 1, 100, 460, 467, 468, 469, 470, 600, 5_000] {
            let name = "n".repeat(length);
            let mut hasher = Xxh3Default::new();
            for part in ["s", "c", &name, "p"] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            hasher.update(&7_u32.to_le_bytes());
            assert_eq!(TestId::new("s", "c", &name, "p", 7).as_u128(), hasher.digest128(), "{length}");
        }
    }

    #[test]
    fn moving_a_character_between_parts_makes_another_test() {
        assert_ne!(TestId::new("a", "bc", "d", "", 0), TestId::new("ab", "c", "d", "", 0));
        assert_ne!(TestId::new("a", "b", "c", "", 0), TestId::new("a", "b", "c", "", 1));
    }
}
