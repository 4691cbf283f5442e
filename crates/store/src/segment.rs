//! One immutable, sorted Parquet file of one fact table.

use std::path::{Path, PathBuf};

use manometer_model::{Table, Timestamp};

/// One listed segment. Whoever holds it (through a [`crate::Snapshot`]) keeps its file in place.
#[derive(Debug)]
pub struct Segment {
    pub(crate) id: i64,
    pub(crate) path: PathBuf,
    pub(crate) table: &'static Table,
    pub(crate) rows: u64,
    pub(crate) size_bytes: u64,
    pub(crate) min_at: Timestamp,
    pub(crate) max_at: Timestamp,
    pub(crate) level: u8,
    pub(crate) projects: Option<Vec<String>>,
}

impl Segment {
    /// Unique in its store, never used again.
    pub const fn id(&self) -> i64 {
        self.id
    }

    /// The Parquet file; its schema is [`crate::arrow_schema`] of the table, or an older form of it with
    /// fewer columns.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The fact table its rows belong to.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// Its number of rows.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The size of the file.
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The smallest `at` in it.
    pub const fn min_at(&self) -> Timestamp {
        self.min_at
    }

    /// The greatest `at` in it.
    pub const fn max_at(&self) -> Timestamp {
        self.max_at
    }

    /// 0 for a segment from a flush, one more for each time it was merged.
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// The projects whose rows it holds, sorted; `None` when there were too many to list.
    pub fn projects(&self) -> Option<&[String]> {
        self.projects.as_deref()
    }
}
