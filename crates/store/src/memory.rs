//! What is committed, as the running store holds it: journal batches, entities and the list of segments.
//!
//! Changed only right after the transaction that makes the change durable, under the same lock as that
//! transaction; read under its own lock, which is held for copying a few pointers.

use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use manometer_model::{Table, Timestamp, stored_tables};

use crate::batch::CompactBatch;
use crate::catalog::journal::JournalEntry;
use crate::catalog_reader::CatalogReader;
use crate::entity::EntityRows;
use crate::error::StoreError;
use crate::segment::Segment;
use crate::snapshot::{Snapshot, TableView};

/// A journal batch. Its rows are decoded when first asked for; a flush asks before it deletes the journal
/// row, so a reader that still holds the batch afterwards finds them decoded.
#[derive(Debug)]
pub(crate) struct MemoryBatch {
    pub(crate) seq: i64,
    pub(crate) table: &'static Table,
    pub(crate) rows: u64,
    /// Size of its payload.
    pub(crate) size_bytes: u64,
    pub(crate) committed_at: Timestamp,
    checksum: u64,
    source: Arc<CatalogReader>,
    compact: OnceLock<Arc<CompactBatch>>,
    expanded: OnceLock<RecordBatch>,
}

impl MemoryBatch {
    /// A batch whose rows this process has just committed.
    pub(crate) fn committed(
        seq: i64,
        content: Arc<CompactBatch>,
        size_bytes: u64,
        committed_at: Timestamp,
        source: Arc<CatalogReader>,
    ) -> Self {
        Self {
            seq,
            table: content.table,
            rows: content.rows as u64,
            size_bytes,
            committed_at,
            checksum: 0,
            source,
            compact: OnceLock::from(content),
            expanded: OnceLock::new(),
        }
    }

    /// A batch found in the journal.
    pub(crate) fn found(entry: &JournalEntry, table: &'static Table, source: Arc<CatalogReader>) -> Self {
        Self {
            seq: entry.seq,
            table,
            rows: entry.rows,
            size_bytes: entry.size_bytes,
            committed_at: Timestamp::from_micros(entry.committed_at),
            checksum: entry.checksum,
            source,
            compact: OnceLock::new(),
            expanded: OnceLock::new(),
        }
    }

    /// The rows in compact form.
    pub(crate) fn compact(&self) -> Result<Arc<CompactBatch>, StoreError> {
        if let Some(compact) = self.compact.get() {
            return Ok(Arc::clone(compact));
        }
        let payload = self.source.payload(self.seq, self.checksum);
        // While this thread read, a flush may have decoded the batch and deleted its journal row.
        if let Some(compact) = self.compact.get() {
            return Ok(Arc::clone(compact));
        }
        let decoded = CompactBatch::decode(self.table, &payload?, &format!("journal batch {}", self.seq))?;
        if decoded.rows as u64 != self.rows {
            return Err(StoreError::Corrupt {
                what: format!(
                    "journal batch {} has {} rows instead of {}",
                    self.seq, decoded.rows, self.rows
                ),
            });
        }
        Ok(Arc::clone(self.compact.get_or_init(|| Arc::new(decoded))))
    }

    /// The rows as queries see them.
    pub(crate) fn expanded(&self) -> Result<RecordBatch, StoreError> {
        if let Some(expanded) = self.expanded.get() {
            return Ok(expanded.clone());
        }
        let expanded = self.compact()?.expand()?;
        Ok(self.expanded.get_or_init(|| expanded).clone())
    }
}

/// One table.
#[derive(Debug)]
pub(crate) struct TableMemory {
    pub(crate) table: &'static Table,
    /// In the order of their numbers. Shared with snapshots, copied when changed while shared.
    pub(crate) batches: Arc<Vec<Arc<MemoryBatch>>>,
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    pub(crate) entities: EntityRows,
    /// Rows of the batches.
    pub(crate) batch_rows: u64,
    /// Encoded size of the batches.
    pub(crate) batch_bytes: u64,
}

/// All tables at one moment.
#[derive(Debug)]
pub(crate) struct Memory {
    epoch: u64,
    /// In the order of [`stored_tables`].
    pub(crate) tables: Vec<TableMemory>,
}

/// What one committed transaction changes.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// New journal batches with the position of their table, in the order of their numbers.
    pub(crate) batches: Vec<(usize, Arc<MemoryBatch>)>,
    /// New documents: position of the table, key, document.
    pub(crate) entities: Vec<(usize, String, Arc<[u8]>)>,
    /// New segments with the position of their table.
    pub(crate) segments: Vec<(usize, Arc<Segment>)>,
    /// Journal batches that went into segments: position of the table, and how many of its first batches.
    pub(crate) flushed: Option<(usize, usize)>,
    /// Segments that are no longer listed: their numbers, whatever their table.
    pub(crate) replaced: Vec<i64>,
    /// Segments that were rolled up by today's definitions.
    pub(crate) rolled_up: Vec<Arc<Segment>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let empty = |table: &&'static Table| TableMemory {
            table,
            batches: Arc::default(),
            segments: Arc::default(),
            entities: EntityRows::new(table),
            batch_rows: 0,
            batch_bytes: 0,
        };
        Self { epoch: 0, tables: stored_tables().iter().map(empty).collect() }
    }

    /// Makes a committed change visible, all of it at once.
    pub(crate) fn apply(&mut self, change: Change) {
        self.epoch += 1;
        if let Some((index, count)) = change.flushed
            && let Some(table) = self.tables.get_mut(index)
        {
            let batches = Arc::make_mut(&mut table.batches);
            for batch in batches.drain(..count.min(batches.len())) {
                table.batch_rows -= batch.rows;
                table.batch_bytes -= batch.size_bytes;
            }
        }
        self.remove_segments(&change.replaced);
        for segment in &change.rolled_up {
            segment.set_rolled_up();
        }
        for (index, segment) in change.segments {
            if let Some(table) = self.tables.get_mut(index) {
                Arc::make_mut(&mut table.segments).push(segment);
            }
        }
        for (index, batch) in change.batches {
            if let Some(table) = self.tables.get_mut(index) {
                table.batch_rows += batch.rows;
                table.batch_bytes += batch.size_bytes;
                Arc::make_mut(&mut table.batches).push(batch);
            }
        }
        for (index, key, doc) in change.entities {
            if let Some(table) = self.tables.get_mut(index) {
                table.entities.put(&key, doc);
            }
        }
    }

    fn remove_segments(&mut self, numbers: &[i64]) {
        for table in &mut self.tables {
            if !table.segments.iter().any(|segment| numbers.contains(&segment.id())) {
                continue;
            }
            Arc::make_mut(&mut table.segments).retain(|segment| {
                let obsolete = numbers.contains(&segment.id());
                if obsolete {
                    segment.mark_obsolete();
                }
                !obsolete
            });
        }
    }

    /// The companions of some segments, listed by their numbers.
    pub(crate) fn companions_of(&self, numbers: &[i64]) -> Vec<Arc<Segment>> {
        let all = self.tables.iter().flat_map(|table| table.segments.iter());
        let of_these =
            |segment: &&Arc<Segment>| segment.rolls_up().is_some_and(|segment| numbers.contains(&segment));
        all.filter(of_these).map(Arc::clone).collect()
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Encoded bytes in the journal.
    pub(crate) fn journal_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.batch_bytes).sum()
    }

    /// Rows in the journal.
    pub(crate) fn journal_rows(&self) -> u64 {
        self.tables.iter().map(|table| table.batch_rows).sum()
    }

    /// A frozen copy; copies pointers only.
    pub(crate) fn snapshot(&self, reader: &Arc<CatalogReader>) -> Snapshot {
        let views = self.tables.iter().map(|table| {
            TableView::new(
                Arc::clone(&table.batches),
                Arc::clone(&table.segments),
                table.entities.chunks(),
                table.batch_rows,
            )
        });
        Snapshot::new(self.epoch, views.collect(), Arc::clone(reader))
    }
}
