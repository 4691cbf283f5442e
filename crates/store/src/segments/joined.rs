//! The rows of several batches as one, to be gathered in any order.
//!
//! ```text
//! project │ a       b    │  one value a batch       name │ x y z   z y  │  one value a row
//! batch   │ 0 0 0   1 1  │                          row  │ 0 1 2   3 4  │
//! ```
//!
//! What all rows of a batch share (project, run and branch of a delivery) stands here once a batch, as in its compact
//! form: in Arrow a text takes sixteen bytes a row and more, and most columns are of this kind.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat, take};
use arrow::error::ArrowError;
use manometer_model::Table;

use crate::batch::CompactBatch;
use crate::schema::arrow_schema;

/// Batches of one table, joined.
pub(super) struct Joined {
    pub(super) table: &'static Table,
    /// In the order of the table.
    columns: Vec<JoinedColumn>,
    /// For each row the number of its batch.
    batch_of: UInt32Array,
}

/// A column, in the type of the table's schema.
pub(super) enum JoinedColumn {
    /// One value for each batch.
    ByBatch(ArrayRef),
    /// One value for each row.
    ByRow(ArrayRef),
}

impl JoinedColumn {
    /// Made column by column: its parts go before the next one's are made, so that rows stand in memory once.
    fn new(batches: &[Arc<CompactBatch>], position: usize) -> Result<Self, ArrowError> {
        let constants: Option<Vec<_>> = batches.iter().map(|batch| batch.one_value(position)).collect();
        if let Some(constants) = constants {
            let values = concat_all(&constants)?;
            let compact = values.as_string_view_opt().map(|texts| Arc::new(texts.gc()) as ArrayRef);
            return Ok(Self::ByBatch(compact.unwrap_or(values)));
        }
        let parts =
            batches.iter().map(|batch| batch.expand_column(position)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::ByRow(concat_all(&parts)?))
    }

    pub(super) const fn values(&self) -> &ArrayRef {
        match self {
            Self::ByBatch(values) | Self::ByRow(values) => values,
        }
    }
}

fn concat_all(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts)
}

impl Joined {
    pub(super) fn new(table: &'static Table, batches: &[Arc<CompactBatch>]) -> Result<Self, ArrowError> {
        let columns = (0..table.columns.len()).map(|position| JoinedColumn::new(batches, position));
        let numbers = batches.iter().zip(0_u32..);
        let batch_of = numbers.flat_map(|(batch, number)| std::iter::repeat_n(number, batch.rows));
        Ok(Self {
            table,
            columns: columns.collect::<Result<_, _>>()?,
            batch_of: batch_of.collect::<Vec<_>>().into(),
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.batch_of.len()
    }

    pub(super) fn column(&self, position: usize) -> Option<&JoinedColumn> {
        self.columns.get(position)
    }

    /// Where in a column's values that of each row stands.
    pub(super) fn places(&self, column: &JoinedColumn) -> Box<dyn Iterator<Item = usize> + '_> {
        match column {
            JoinedColumn::ByBatch(_) => {
                Box::new(self.batch_of.values().iter().map(|number| *number as usize))
            }
            JoinedColumn::ByRow(_) => Box::new(0..self.rows()),
        }
    }

    /// Where in a column's values that of a row stands.
    pub(super) fn place(&self, column: &JoinedColumn, row: usize) -> usize {
        match column {
            JoinedColumn::ByBatch(_) => self.batch_of.values().get(row).map_or(0, |number| *number as usize),
            JoinedColumn::ByRow(_) => row,
        }
    }

    /// The rows with these numbers, in this order.
    pub(super) fn gather(&self, rows: &UInt32Array) -> Result<RecordBatch, ArrowError> {
        self.gather_some(rows, &(0..self.columns.len()).collect::<Vec<_>>())
    }

    /// Some columns of the rows with these numbers, in this order.
    pub(super) fn gather_some(
        &self,
        rows: &UInt32Array,
        positions: &[usize],
    ) -> Result<RecordBatch, ArrowError> {
        let batches = take(&self.batch_of, rows, None)?;
        let columns = positions.iter().filter_map(|position| self.columns.get(*position));
        let columns = columns.map(|column| match column {
            JoinedColumn::ByBatch(values) => take(values, &batches, None),
            JoinedColumn::ByRow(values) => take(values, rows, None),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let schema = arrow_schema(self.table).project(positions)?;
        RecordBatch::try_new_with_options(Arc::new(schema), columns.collect::<Result<_, _>>()?, &options)
    }
}
