//! How a store is opened.

use std::path::PathBuf;
use std::sync::Arc;

use manometer_model::{Clock, Limits, Retention, SystemClock};

use crate::delivery::BULK_ROWS;
use crate::filesystem::{Filesystem, LocalFilesystem};

/// When rows move from the journal into segments, and who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlushPolicy {
    /// Flush when the journal holds this many bytes (encoded).
    pub journal_bytes: u64,
    /// Flush a table when this many of its rows are in memory.
    pub rows: u64,
    /// Memory that rows may take which no segment holds yet; past it deliveries are refused as overloaded until a flush
    /// has caught up. Flushing begins at a quarter of it; beyond half of it [`crate::Store::wait_for_room`] waits.
    pub memory_bytes: u64,
    /// Flush rows older than this.
    pub age_seconds: u64,
    /// A delivery of more fact rows than this is written as segments while it is built, so that memory stays
    /// bounded however large it is.
    pub bulk_rows: u64,
    /// Does a thread of the store flush, compact, checkpoint and clean up by itself? Tests turn it off
    /// and call [`crate::Store::flush`] and its siblings.
    pub background: bool,
}

impl Default for FlushPolicy {
    fn default() -> Self {
        Self {
            journal_bytes: 64 << 20,
            rows: 1 << 19,
            memory_bytes: 320 << 20,
            age_seconds: 900,
            bulk_rows: BULK_ROWS,
            background: true,
        }
    }
}

/// Everything a store is opened with.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The data folder; made when it does not exist.
    pub data: PathBuf,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where files are written.
    pub filesystem: Arc<dyn Filesystem>,
    /// `queue_requests` and `queue_bytes` bound what waits for the committer.
    pub limits: Limits,
    /// When rows move into segments.
    pub flush: FlushPolicy,
    /// How long rows are kept.
    pub retention: Retention,
    /// What a second process is told about this one, as `http://127.0.0.1:8420`.
    pub announce: Option<String>,
}

impl StoreOptions {
    /// The usual options for a data folder; everything is kept for ever.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            clock: Arc::new(SystemClock),
            filesystem: Arc::new(LocalFilesystem),
            limits: Limits::default(),
            flush: FlushPolicy::default(),
            retention: Retention::forever(),
            announce: None,
        }
    }
}
