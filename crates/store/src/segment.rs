//! One immutable, sorted Parquet file of one fact table.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use manometer_model::rollup::ROLLUP_VERSION;
use manometer_model::{Table, Timestamp, rollup_named, rollups_of};

use crate::catalog::segments::SegmentEntry;
use crate::folders::Folders;
use crate::garbage::Garbage;

/// One listed segment. Whoever holds it (through a [`crate::Snapshot`]) keeps its file in place.
#[derive(Debug)]
pub struct Segment {
    entry: SegmentEntry,
    path: PathBuf,
    table: &'static Table,
    obsolete: AtomicBool,
    rolled_up: AtomicBool,
    garbage: Option<Arc<Garbage>>,
}

impl Segment {
    /// `garbage` is told when the segment was merged away and nobody holds it any more; a reader in another
    /// process than the writer's has none.
    pub(crate) fn new(
        entry: SegmentEntry,
        table: &'static Table,
        folders: &Folders,
        garbage: Option<Arc<Garbage>>,
    ) -> Self {
        let path = folders.file(&entry.file);
        let since = rollup_named(table.name).map_or(ROLLUP_VERSION, |rollup| rollup.since);
        let is_current = (since..=ROLLUP_VERSION).contains(&entry.rollup_version);
        let has_rollups = rollups_of(table).next().is_some() || entry.rolls_up.is_some();
        let rolled_up = AtomicBool::new(is_current || !has_rollups);
        Self { entry, path, table, obsolete: AtomicBool::new(false), rolled_up, garbage }
    }

    pub(crate) const fn entry(&self) -> &SegmentEntry {
        &self.entry
    }

    /// From now on the file goes when the last holder lets go.
    pub(crate) fn mark_obsolete(&self) {
        self.obsolete.store(true, Ordering::Release);
    }

    /// Of a segment: its companions were made by today's definitions of the roll-ups, or there is none to be made;
    /// they may have been forgotten since. Of a companion: it was made by today's definition of it.
    pub fn is_rolled_up(&self) -> bool {
        self.rolled_up.load(Ordering::Acquire)
    }

    /// From now on it is rolled up.
    pub(crate) fn set_rolled_up(&self) {
        self.rolled_up.store(true, Ordering::Release);
    }

    /// Of a companion, which holds roll-ups: the segment whose rows it describes, exactly those. That segment may have
    /// been forgotten since; its companion stays.
    pub const fn rolls_up(&self) -> Option<i64> {
        self.entry.rolls_up
    }

    /// Unique in its store, never used again.
    pub const fn id(&self) -> i64 {
        self.entry.id
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
        self.entry.rows
    }

    /// The size of the file.
    pub const fn size_bytes(&self) -> u64 {
        self.entry.size_bytes
    }

    /// The smallest `at` in it.
    pub const fn min_at(&self) -> Timestamp {
        Timestamp::from_micros(self.entry.min_at)
    }

    /// The greatest `at` in it.
    pub const fn max_at(&self) -> Timestamp {
        Timestamp::from_micros(self.entry.max_at)
    }

    /// 0 for a segment from a flush, one more for each time it was merged.
    pub const fn level(&self) -> u8 {
        self.entry.level
    }

    /// The projects whose rows it holds, sorted; `None` when there were too many to list.
    pub fn projects(&self) -> Option<&[String]> {
        self.entry.projects.as_deref()
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if let (true, Some(garbage)) = (self.obsolete.load(Ordering::Acquire), &self.garbage) {
            garbage.add_unread(self.entry.file.clone());
        }
    }
}
