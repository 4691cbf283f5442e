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

/// Batches of at most so many rows keep what readers see once somebody asked: making thousands of them anew for each
/// query would take longer than it saves memory.
const KEPT_EXPANDED_ROWS: u64 = 64;

/// What one column of a batch that is kept expanded takes besides its rows, and each row in it, in bytes.
const EXPANDED_COLUMN_BYTES: u64 = 160;
const EXPANDED_CELL_BYTES: u64 = 16;

/// A journal batch. Its rows are decoded when first asked for; a flush asks before it deletes the journal
/// row, so a reader that still holds the batch afterwards finds them decoded.
#[derive(Debug)]
pub(crate) struct MemoryBatch {
    pub(crate) seq: i64,
    pub(crate) table: &'static Table,
    pub(crate) rows: u64,
    /// Size of its payload.
    pub(crate) size_bytes: u64,
    /// The memory it takes, or will once it is decoded.
    pub(crate) memory_bytes: u64,
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
            memory_bytes: memory_of(content.table, content.rows as u64, content.memory_bytes() as u64),
            committed_at,
            checksum: 0,
            source,
            compact: OnceLock::from(content),
            expanded: OnceLock::new(),
        }
    }

    /// A batch found in the journal, of which `unpacked_bytes` are the size of its payload once it is unpacked.
    pub(crate) fn found(
        entry: &JournalEntry,
        table: &'static Table,
        unpacked_bytes: u64,
        source: Arc<CatalogReader>,
    ) -> Self {
        Self {
            seq: entry.seq,
            table,
            rows: entry.rows,
            size_bytes: entry.size_bytes,
            memory_bytes: memory_of(table, entry.rows, unpacked_bytes),
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

    /// The rows as queries see them: the columns at these positions, or all of them.
    pub(crate) fn expand(&self, columns: Option<&[usize]>) -> Result<RecordBatch, StoreError> {
        if self.rows > KEPT_EXPANDED_ROWS {
            return self.compact()?.expand(columns);
        }
        let all = match self.expanded.get() {
            Some(expanded) => expanded,
            None => {
                let expanded = self.compact()?.expand(None)?;
                self.expanded.get_or_init(|| expanded)
            }
        };
        match columns {
            None => Ok(all.clone()),
            Some(columns) => all
                .project(columns)
                .map_err(|source| StoreError::Arrow { doing: "choose columns of a batch", source }),
        }
    }
}

fn memory_of(table: &Table, rows: u64, compact_bytes: u64) -> u64 {
    if rows > KEPT_EXPANDED_ROWS {
        return compact_bytes;
    }
    let columns = table.columns.len() as u64;
    compact_bytes + columns * (EXPANDED_COLUMN_BYTES + rows * EXPANDED_CELL_BYTES)
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
    /// Memory of the batches.
    pub(crate) batch_memory: u64,
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
    /// Entities that are forgotten: position of the table, key.
    pub(crate) forgotten: Vec<(usize, String)>,
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
            batch_memory: 0,
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
                table.batch_memory -= batch.memory_bytes;
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
                table.batch_memory += batch.memory_bytes;
                Arc::make_mut(&mut table.batches).push(batch);
            }
        }
        for (index, key) in change.forgotten {
            if let Some(table) = self.tables.get_mut(index) {
                table.entities.forget(&key);
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

    /// Memory of the rows in the journal.
    pub(crate) fn unflushed_memory(&self) -> u64 {
        self.tables.iter().map(|table| table.batch_memory).sum()
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
