//! What the store's longer operations tell about themselves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use manometer_model::Table;
use serde::{Deserialize, Serialize};

use crate::segment::Segment;

/// What a flush did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FlushReport {
    /// Rows moved from the journal into segments.
    pub rows: u64,
    /// Segments written.
    pub segments: u64,
    /// Their size.
    pub size_bytes: u64,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Segments merged away.
    pub segments_before: u64,
    /// Segments that took their place.
    pub segments_after: u64,
    /// Rows rewritten.
    pub rows: u64,
    /// Size of the segments merged away.
    pub bytes_before: u64,
    /// Size of those that took their place.
    pub bytes_after: u64,
}

/// What retention removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetainReport {
    /// By table.
    pub tables: BTreeMap<String, RetainedTable>,
    /// Segments of which no row was needed.
    pub segments_removed: u64,
    /// Segments written anew without some of their rows.
    pub segments_rewritten: u64,
}

/// What retention removed of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetainedTable {
    /// Rows.
    pub rows: u64,
    /// By how much its segments became smaller.
    pub bytes: u64,
}

impl RetainReport {
    pub(crate) fn removed(&mut self, table: &Table, rows: u64, bytes: u64) {
        let removed = self.tables.entry(table.name.to_owned()).or_default();
        removed.rows += rows;
        removed.bytes += bytes;
    }
}

/// What retention would remove of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePlan {
    /// SQL name.
    pub table: String,
    /// Rows that go now.
    pub rows: u64,
    /// By about how much its segments become smaller.
    pub bytes: u64,
    /// Segments of which no row is needed.
    pub segments_removed: u64,
    /// Segments written anew without some of their rows.
    pub segments_rewritten: u64,
    /// Rows that are over and wait inside segments whose other rows are not; they go with them, or when they have
    /// waited for an eighth of their term.
    pub waiting_rows: u64,
    /// Rows that are over and not in a segment yet; they go after their flush.
    pub unflushed_rows: u64,
}

impl TablePlan {
    pub(crate) fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            rows: 0,
            bytes: 0,
            segments_removed: 0,
            segments_rewritten: 0,
            waiting_rows: 0,
            unflushed_rows: 0,
        }
    }

    pub(crate) fn remove_whole(&mut self, segment: &Segment) {
        self.segments_removed += 1;
        self.rows += segment.rows();
        self.bytes += segment.size_bytes();
    }
}

/// What a backup wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// The backup's folder.
    pub destination: PathBuf,
    /// Files in it, without the manifest.
    pub files: u64,
    /// Their size.
    pub size_bytes: u64,
    /// How many of them share their bytes with the data folder (hard links).
    pub linked: u64,
}

/// What a restore wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The new data folder.
    pub destination: PathBuf,
    /// Files written.
    pub files: u64,
    /// Their size.
    pub size_bytes: u64,
}

/// One thing [`crate::check()`] found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckProblem {
    /// The file, relative to the data folder.
    pub file: PathBuf,
    /// What is wrong, with the journal number, key or receipt where there is one.
    pub what: String,
}

/// What [`crate::check()`] looked at and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// What is wrong; empty when all is well.
    pub problems: Vec<CheckProblem>,
    /// What is odd and harmless: files not listed, which the next start removes.
    pub notes: Vec<CheckProblem>,
    /// Segments read from end to end.
    pub segments: u64,
    /// Journal batches decoded.
    pub journal_batches: u64,
    /// Entities decoded.
    pub entities: u64,
    /// Ledger entries read.
    pub deliveries: u64,
    /// Rows counted, by table.
    pub rows: BTreeMap<String, u64>,
}

impl CheckReport {
    /// Is nothing wrong?
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Can the store take deliveries?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Health {
    /// Yes.
    Ready,
    /// Not while the disk is full; it tries again by itself.
    DiskFull,
    /// Not until the program is started again.
    Poisoned {
        /// The failure that stopped it.
        reason: String,
    },
}

/// Numbers of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableStats {
    /// SQL name.
    pub table: &'static str,
    /// Rows in all.
    pub rows: u64,
    /// Rows not yet in a segment (all rows of an entity table).
    pub rows_in_memory: u64,
    /// Segments.
    pub segments: u64,
    /// Size of the segments.
    pub segment_bytes: u64,
    /// Rows that retention removed since the store was opened.
    pub retired_rows: u64,
    /// By how much the segments became smaller by that.
    pub retired_bytes: u64,
}

/// Numbers of the store, for health pages and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreStats {
    /// Per table, in the order of the model's `TABLES`.
    pub tables: Vec<TableStats>,
    /// Encoded bytes in the journal that no segment holds yet.
    pub journal_bytes: u64,
    /// Memory that the rows of the journal take.
    pub unflushed_memory_bytes: u64,
    /// Journal batches that no segment holds yet.
    pub journal_batches: u64,
    /// Deliveries waiting for the committer.
    pub queue_requests: u64,
    /// Their encoded bytes.
    pub queue_bytes: u64,
    /// Deliveries committed since the store was opened.
    pub committed: u64,
    /// Deliveries recognised as repetitions since the store was opened.
    pub repeated: u64,
    /// Transactions of the committer since the store was opened.
    pub commit_groups: u64,
    /// Flushes and compactions that failed since the store was opened; each is tried again.
    pub maintenance_failures: u64,
    /// Can it take deliveries?
    pub health: Health,
}
