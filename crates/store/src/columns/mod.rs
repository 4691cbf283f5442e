//! Rows become columns: the builder that a sender's thread fills.
//!
//! Each column starts as *constant*, one value and no storage, and turns into a full array at the first
//! value that differs. What all rows of a delivery share (provider, project, run, branch, …) so costs a
//! comparison a row in time and one value a batch in space.

mod builder;
mod constant;
mod texts;

use manometer_model::{Table, Timestamp, Value};

use crate::batch::CompactBatch;
use crate::error::StoreError;

pub(crate) use builder::{ColumnBuilder, admit};
pub(crate) use constant::Constant;

/// Rows of one batch.
pub(crate) const BATCH_ROWS: usize = 65_536;

/// Bytes of one batch, beyond which it ends before its rows are full.
const BATCH_BYTES: usize = 32 << 20;

/// The columns of one table being filled.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    table: &'static Table,
    columns: Vec<ColumnBuilder>,
    at: Option<usize>,
    rows: usize,
    bytes: usize,
    min_at: i64,
    max_at: i64,
    /// Are rows from senders, so that each cell must be checked?
    from_senders: bool,
}

impl TableBuilder {
    /// For rows that senders give: cells are checked against their columns.
    pub(crate) fn new(table: &'static Table) -> Self {
        Self::with_check(table, true)
    }

    /// For rows that were stored before: what an older version did not know is null also in columns that
    /// must be known today, and labels come as their JSON text.
    pub(crate) fn for_stored_rows(table: &'static Table) -> Self {
        Self::with_check(table, false)
    }

    fn with_check(table: &'static Table, from_senders: bool) -> Self {
        Self {
            table,
            from_senders,
            columns: table.columns.iter().map(ColumnBuilder::new).collect(),
            at: if table.is_entity() { None } else { table.position("at") },
            rows: 0,
            bytes: 0,
            min_at: i64::MAX,
            max_at: i64::MIN,
        }
    }

    /// Is it time to take the batch out?
    pub(crate) const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Adds a row. After an error the builder is of no more use: some columns have the row, some not.
    pub(crate) fn append(&mut self, values: &[Value<'_>]) -> Result<(), StoreError> {
        if values.len() != self.columns.len() {
            return Err(StoreError::WrongColumns {
                table: self.table.name,
                expected: self.columns.len(),
                found: values.len(),
            });
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            if self.from_senders {
                column.admit(*value).map_err(|refusal| refusal.of(self.table))?;
            }
            self.bytes += column.push(*value, self.rows);
        }
        if let Some(Value::Time(at)) = self.at.and_then(|position| values.get(position)) {
            self.min_at = self.min_at.min(at.as_micros());
            self.max_at = self.max_at.max(at.as_micros());
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes the rows out and begins anew; `None` when there are none.
    pub(crate) fn take(&mut self) -> Result<Option<CompactBatch>, StoreError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let full = std::mem::replace(self, Self::with_check(self.table, self.from_senders));
        let columns = full
            .columns
            .into_iter()
            .map(ColumnBuilder::finish)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| StoreError::Arrow { doing: "build a column", source })?;
        Ok(Some(CompactBatch {
            table: full.table,
            rows: full.rows,
            columns,
            min_at: Timestamp::from_micros(if full.at.is_some() { full.min_at } else { 0 }),
            max_at: Timestamp::from_micros(if full.at.is_some() { full.max_at } else { 0 }),
        }))
    }
}
