//! Hashing for tables in memory.

use std::hash::Hasher;

use xxhash_rust::xxh3::xxh3_64;

/// Hashes one run of bytes; a number, which must be a hash already, stays what it is. What is written last counts, so
/// keys are byte slices or numbers, not several of them.
#[derive(Debug, Default)]
pub(crate) struct OneHash(u64);

impl Hasher for OneHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    /// The length of a slice, which comes before its bytes.
    fn write_usize(&mut self, _length: usize) {}
}
