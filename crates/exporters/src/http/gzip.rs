//! Request bodies, packed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Packs a body with gzip. Level 1: what is sent is small and repetitive, and the build is waiting.
pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing to memory cannot fail; should it ever, the body goes out empty and the other side says so.
    match encoder.write_all(body).and_then(|()| encoder.finish()) {
        Ok(packed) => packed,
        Err(error) => {
            tracing::error!(%error, "failed to pack a body");
            Vec::new()
        }
    }
}
