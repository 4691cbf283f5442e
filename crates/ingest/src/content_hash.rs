//! The hash that tells one delivery from another.

use xxhash_rust::xxh3::Xxh3Default;

use crate::context::ContextFields;
use crate::decompress::Part;

/// Hashes what a sender meant: where it was sent to, what was said about the run, and every body.
///
/// Each piece is preceded by its length, so that moving a byte from one to the next makes another delivery.
/// File names do not count: the same report under another name is the same report.
pub(crate) struct ContentHash(Xxh3Default);

impl ContentHash {
    pub(crate) fn new() -> Self {
        Self(Xxh3Default::new())
    }

    pub(crate) fn piece(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn fields(&mut self, fields: &ContextFields) {
        for (name, value) in fields.iter() {
            self.piece(name.as_bytes());
            self.piece(value.as_bytes());
        }
    }

    pub(crate) fn part(&mut self, part: &mut Part) -> std::io::Result<()> {
        self.0.update(&part.bytes().to_le_bytes());
        self.0.update(&[part.encoding as u8]);
        part.each_piece(&mut |bytes| self.0.update(bytes))
    }

    pub(crate) fn finish(&self) -> u128 {
        self.0.digest128()
    }
}
