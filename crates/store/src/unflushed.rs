//! Rows of a fact table that no segment holds yet, as readers get them: in Arrow, of the columns they ask for, made
//! when asked and not kept. In their compact form the same rows take a fraction of the memory.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;

use crate::error::StoreError;
use crate::memory::MemoryBatch;

/// Batches of more rows are shown by themselves.
const SMALL_BATCH_ROWS: u64 = 1_024;

/// Rows up to which neighbouring small batches are shown as one.
const JOINED_ROWS: u64 = 8_192;

/// Some rows of one table, of one moment.
#[derive(Debug, Clone)]
pub struct UnflushedRows {
    /// At least one.
    batches: Vec<Arc<MemoryBatch>>,
    rows: u64,
}

impl UnflushedRows {
    /// How many they are.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows, with the columns of [`crate::arrow_schema`] at these positions; with all of them where none are named.
    ///
    /// # Errors
    /// When stored bytes cannot be read or decoded.
    pub fn read(&self, columns: Option<&[usize]>) -> Result<RecordBatch, StoreError> {
        let mut parts = Vec::with_capacity(self.batches.len());
        for batch in &self.batches {
            parts.push(batch.expand(columns)?);
        }
        if let [only] = parts.as_slice() {
            return Ok(only.clone());
        }
        let schema = parts.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        concat_batches(&schema, &parts)
            .map_err(|source| StoreError::Arrow { doing: "join small batches", source })
    }
}

/// Puts runs of small batches together, so that thousands of small deliveries do not make thousands of batches.
pub(crate) fn grouped(batches: &[Arc<MemoryBatch>]) -> Vec<UnflushedRows> {
    let mut groups: Vec<UnflushedRows> = Vec::new();
    let mut joining = false;
    for batch in batches {
        let is_small = batch.rows < SMALL_BATCH_ROWS;
        match groups.last_mut() {
            Some(group) if joining && is_small && group.rows < JOINED_ROWS => {
                group.rows += batch.rows;
                group.batches.push(Arc::clone(batch));
            }
            _ => groups.push(UnflushedRows { batches: vec![Arc::clone(batch)], rows: batch.rows }),
        }
        joining = is_small;
    }
    groups
}
