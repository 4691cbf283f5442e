//! What one upload may still unpack to.

use std::cell::Cell;
use std::io::{self, Read};

use manometer_model::Limits;

/// The limit an upload broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Too many bytes came out.
    #[error(
        "the upload unpacks to more than {limit} bytes (limit `unpacked_bytes`): send it in several uploads"
    )]
    UnpackedBytes {
        /// The limit.
        limit: u64,
    },
    /// Too many bytes came out of too few.
    #[error(
        "the upload unpacks to more than {limit} times its own size (limit `unpack_ratio`): send it packed less tightly"
    )]
    Ratio {
        /// The limit.
        limit: u64,
    },
    /// Too many files.
    #[error(
        "the upload holds more than {limit} files (limit `files_per_upload`): send them in several uploads"
    )]
    Files {
        /// The limit.
        limit: usize,
    },
}

/// Bytes and files one upload may unpack to, all its parts together.
///
/// Counts what comes out of decoders, never what headers claim. The first limit that is exceeded is kept.
#[derive(Debug)]
pub struct Allowance {
    most_bytes: u64,
    beyond_bytes: Exceeded,
    most_files: usize,
    bytes: Cell<u64>,
    files: Cell<usize>,
    exceeded: Cell<Option<Exceeded>>,
}

/// Below this size the ratio is not looked at: a few kilobytes of zeros are no attack.
const RATIO_FREE_BYTES: u64 = 16 * 1024 * 1024;

impl Allowance {
    /// The allowance of an upload of `packed_bytes`, all parts together.
    pub fn new(limits: &Limits, packed_bytes: u64) -> Self {
        let by_ratio = packed_bytes.saturating_mul(limits.unpack_ratio).max(RATIO_FREE_BYTES);
        let (most_bytes, beyond_bytes) = if by_ratio < limits.unpacked_bytes {
            (by_ratio, Exceeded::Ratio { limit: limits.unpack_ratio })
        } else {
            (limits.unpacked_bytes, Exceeded::UnpackedBytes { limit: limits.unpacked_bytes })
        };
        Self {
            most_bytes,
            beyond_bytes,
            most_files: limits.files_per_upload,
            bytes: Cell::new(0),
            files: Cell::new(0),
            exceeded: Cell::new(None),
        }
    }

    /// The first limit the upload broke, if it did.
    pub fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get()
    }

    /// How many files the upload may hold.
    pub(super) fn most_files(&self) -> usize {
        self.most_files
    }

    /// Counts one file; `false` when there are too many.
    pub(super) fn count_file(&self) -> bool {
        self.files.set(self.files.get() + 1);
        if self.files.get() > self.most_files {
            self.exceed(Exceeded::Files { limit: self.most_files });
        }
        self.exceeded().is_none()
    }

    /// Notes a broken limit, unless one was broken before.
    pub(super) fn exceed(&self, limit: Exceeded) {
        if self.exceeded.get().is_none() {
            self.exceeded.set(Some(limit));
        }
    }

    fn count_bytes(&self, count: usize) -> Result<(), Exceeded> {
        self.bytes.set(self.bytes.get().saturating_add(count as u64));
        if self.bytes.get() > self.most_bytes {
            self.exceed(self.beyond_bytes);
        }
        self.exceeded().map_or(Ok(()), Err)
    }
}

/// A decoder whose output is counted.
pub(super) struct Counted<'a, R> {
    decoder: R,
    allowance: &'a Allowance,
}

impl<'a, R> Counted<'a, R> {
    pub(super) fn new(decoder: R, allowance: &'a Allowance) -> Self {
        Self { decoder, allowance }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(limit) = self.allowance.exceeded() {
            return Err(io::Error::other(limit));
        }
        let count = self.decoder.read(buffer)?;
        self.allowance.count_bytes(count).map_err(io::Error::other)?;
        Ok(count)
    }
}
