//! What a reader sees: every committed row exactly once, frozen at one moment.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray};
use manometer_model::Table;

use crate::catalog_reader::CatalogReader;
use crate::entity::EntityChunk;
use crate::error::StoreError;
use crate::memory::MemoryBatch;
use crate::schema::{deliveries_schema, table_index};
use crate::segment::Segment;
use crate::unflushed::{UnflushedRows, grouped};

/// A frozen, consistent view. Cheap to take and to keep; the segment files it names stay in place for as
/// long as it lives.
#[derive(Debug)]
pub struct Snapshot {
    epoch: u64,
    tables: Vec<TableView>,
    reader: Arc<CatalogReader>,
}

/// One table of a snapshot.
#[derive(Debug)]
pub(crate) struct TableView {
    batches: Arc<Vec<Arc<MemoryBatch>>>,
    segments: Arc<Vec<Arc<Segment>>>,
    chunks: Vec<Arc<EntityChunk>>,
    batch_rows: u64,
}

impl TableView {
    pub(crate) fn new(
        batches: Arc<Vec<Arc<MemoryBatch>>>,
        segments: Arc<Vec<Arc<Segment>>>,
        chunks: Vec<Arc<EntityChunk>>,
        batch_rows: u64,
    ) -> Self {
        Self { batches, segments, chunks, batch_rows }
    }
}

impl Snapshot {
    pub(crate) fn new(epoch: u64, tables: Vec<TableView>, reader: Arc<CatalogReader>) -> Self {
        Self { epoch, tables, reader }
    }

    /// Grows with every change that became visible: equal epochs of one open store show equal rows.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn view(&self, table: &Table) -> Option<&TableView> {
        table_index(table).and_then(|index| self.tables.get(index))
    }

    /// The segments of a fact table; none for an entity table.
    pub fn segments(&self, table: &Table) -> &[Arc<Segment>] {
        self.view(table).map_or(&[], |view| view.segments.as_slice())
    }

    /// The rows that are in no segment: of a fact table those not flushed yet, of an entity table all.
    /// Each batch has the schema [`crate::arrow_schema`] of the table. Of a fact table they are made at each call, all
    /// at once: whoever reads many takes [`Snapshot::unflushed`].
    ///
    /// # Errors
    /// When stored bytes cannot be read or decoded.
    pub fn batches(&self, table: &Table) -> Result<Vec<RecordBatch>, StoreError> {
        let Some(view) = self.view(table) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for chunk in &view.chunks {
            found.extend(chunk.rows()?);
        }
        for rows in self.unflushed(table) {
            found.push(rows.read(None)?);
        }
        Ok(found)
    }

    /// The rows of a fact table that are in no segment, to be read column by column.
    pub fn unflushed(&self, table: &Table) -> Vec<UnflushedRows> {
        self.view(table).map_or_else(Vec::new, |view| grouped(&view.batches))
    }

    /// The stored documents of an entity table.
    pub(crate) fn documents(&self, table: &Table) -> impl Iterator<Item = &[u8]> {
        let chunks = self.view(table).map_or(&[][..], |view| view.chunks.as_slice());
        chunks.iter().flat_map(|chunk| chunk.documents().map(AsRef::as_ref))
    }

    /// How many rows of a table the snapshot shows, in segments and in memory.
    pub fn rows(&self, table: &Table) -> u64 {
        let Some(view) = self.view(table) else { return 0 };
        let entities: u64 = view.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let segments: u64 = view.segments.iter().map(|segment| segment.rows()).sum();
        entities + segments + view.batch_rows
    }

    /// The newest `limit` entries of the ledger, newest first, with the schema [`crate::deliveries_schema`].
    /// Read when called, so on a store that is being written it may show deliveries newer than the snapshot.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn deliveries(&self, limit: usize) -> Result<Vec<RecordBatch>, StoreError> {
        let rows = self.reader.newest_deliveries(limit)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let text = |texts: Vec<&str>| -> arrow::array::ArrayRef {
            Arc::new(StringViewArray::from(&StringArray::from(texts)))
        };
        let total_rows = |counts: &str| {
            let counts: std::collections::BTreeMap<String, i64> =
                serde_json::from_str(counts).unwrap_or_default();
            counts.values().sum::<i64>()
        };
        let received: Vec<i64> = rows.iter().map(|row| row.received_at).collect();
        let projects: Vec<Option<&str>> = rows.iter().map(|row| row.project.as_deref()).collect();
        let batch = RecordBatch::try_new(
            deliveries_schema(),
            vec![
                text(rows.iter().map(|row| row.receipt.as_str()).collect()),
                Arc::new(TimestampMicrosecondArray::from(received).with_timezone("UTC")),
                text(rows.iter().map(|row| row.source.as_str()).collect()),
                text(rows.iter().map(|row| row.kind.as_str()).collect()),
                Arc::new(StringViewArray::from(projects)),
                text(rows.iter().map(|row| row.scope.as_str()).collect()),
                text(rows.iter().map(|row| row.key.as_str()).collect()),
                text(rows.iter().map(|row| row.body_hash.as_str()).collect()),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.size_bytes))),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| total_rows(&row.row_counts)))),
                text(rows.iter().map(|row| row.row_counts.as_str()).collect()),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.problem_count))),
                text(rows.iter().map(|row| row.problems.as_str()).collect()),
                text(rows.iter().map(|row| row.treatment.as_str()).collect()),
            ],
        );
        Ok(vec![batch.map_err(|source| StoreError::Arrow { doing: "show the deliveries", source })?])
    }
}
