//! Builds one delivery on the sender's thread: rows become encoded batches before the committer sees them.

use manometer_model::{Table, Value};

use crate::error::StoreError;
use crate::receipt::DeliveryInfo;

/// More fact rows than this in one delivery are written as segments while it is built, so that memory
/// stays bounded however large the delivery is.
pub const BULK_ROWS: u64 = 524_288;

/// Most observations of entities in one delivery.
pub const MAX_ENTITIES_PER_DELIVERY: usize = 1 << 18;

/// Longest text of one cell.
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// Collects the rows of one delivery. Use it on a thread that may block.
///
/// After an error from [`DeliveryWriter::append`] the delivery cannot be finished any more; nothing of it
/// is stored.
#[derive(Debug)]
pub struct DeliveryWriter {
    pub(crate) rows: u64,
}

impl DeliveryWriter {
    /// Adds a fact row or an observation of an entity, by the kind of the table. `values` are the cells in
    /// the order of the table's columns.
    ///
    /// # Errors
    /// When the cells do not fit the table, or a full batch could not be encoded or written.
    pub fn append(&mut self, _table: &'static Table, _values: &[Value<'_>]) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Rows and observations taken so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Encodes what is left and closes the delivery.
    ///
    /// # Errors
    /// When the last rows could not be encoded or written, or a row was refused before.
    pub fn finish(self, _info: DeliveryInfo) -> Result<Delivery, StoreError> {
        Err(StoreError::Closed)
    }
}

/// A delivery, encoded and ready to be committed. Dropping it discards it.
#[derive(Debug)]
pub struct Delivery {
    pub(crate) info: DeliveryInfo,
}

impl Delivery {
    /// What is known about it besides its rows.
    pub const fn info(&self) -> &DeliveryInfo {
        &self.info
    }
}
