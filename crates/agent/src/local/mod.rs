//! Measured runs on this machine, without a server: one line of JSON a run, in one file a day (UTC).
//!
//! ```text
//! <project>/.manometer/2026-11-21.jsonl          written here, read here
//! <project>/.panther-metrics/2025-05-30.jsonl    read only: the same shape, from an older program
//!
//! {"run_id":"550e8400-…","type":"build","timestamp":"2026-11-21T14:30:45.123456+00:00","git_commit":"abc123…",
//!  "metrics":{"ram.peak_mb":128.7},"tags":{"ram.peak_mb":{"stage":"link"}},
//!  "operation":"build","duration":12.3,"success":true}
//! ```
//!
//! Writing. A line is appended with one `write` under an advisory lock of the file. A writer that finds the file
//! not ending in a newline (someone was killed inside a write) begins with one, so that only the torn line is lost.
//! A write that comes out short (disk full) is taken back before the lock is released. A lock that cannot be had,
//! because its holder is stopped or the file system has none, is waited for a bounded time; then the line is appended
//! without it, between two newlines.
//!
//! Reading goes backwards by day. Of one day 24 bytes a record are held, and one record at a time; lines that are no
//! records are skipped, counted and named.
//!
//! **Invariant:** nothing here rewrites a line that was written, and no reader ever blocks a writer for longer than it
//! takes to ask for a file's length.

mod append;
mod error;
mod lines;
mod prune;
mod reading;
mod record;
mod sending;
mod store;

pub use error::LocalError;
pub use prune::PrunedDay;
pub use record::{RunRecord, UnreadableRecord};
pub use sending::{DURATION, SUCCESS, TAG_OPERATION, TAG_RECORD, TAG_TYPE};
pub use store::LocalStore;

/// Name of the folder inside a project.
pub const FOLDER: &str = ".manometer";
/// Name of the folder that PANTHER's metrics system keeps in a project; its files are read, never written.
pub const PANTHER_FOLDER: &str = ".panther-metrics";
/// Longest line that is written or read, in bytes.
pub const RECORD_BYTES: usize = 16 << 20;
