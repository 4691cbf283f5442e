//! What a reader sees: every committed row exactly once, frozen at one moment.

use std::sync::Arc;

use arrow::array::RecordBatch;
use manometer_model::Table;

use crate::error::StoreError;
use crate::schema::table_index;
use crate::segment::Segment;

/// A frozen, consistent view. Cheap to take and to keep; the segment files it names stay in place for as
/// long as it lives.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) epoch: u64,
    pub(crate) segments: Vec<Vec<Arc<Segment>>>,
}

impl Snapshot {
    /// Grows with every change that became visible: equal epochs of one store show equal rows.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The segments of a fact table; none for an entity table.
    pub fn segments(&self, table: &Table) -> &[Arc<Segment>] {
        table_index(table).and_then(|index| self.segments.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The rows that are in no segment: of a fact table those not flushed yet, of an entity table all.
    /// Each batch has the schema [`crate::arrow_schema`] of the table.
    ///
    /// # Errors
    /// When stored bytes cannot be read or decoded.
    pub fn batches(&self, _table: &Table) -> Result<Vec<RecordBatch>, StoreError> {
        Err(StoreError::Closed)
    }

    /// How many rows of a table the snapshot shows, in segments and in memory.
    pub fn rows(&self, _table: &Table) -> u64 {
        0
    }

    /// The newest `limit` entries of the ledger, newest first, with the schema [`crate::deliveries_schema`].
    /// Read when called, so it may show deliveries newer than the snapshot.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn deliveries(&self, _limit: usize) -> Result<Vec<RecordBatch>, StoreError> {
        Err(StoreError::Closed)
    }
}
