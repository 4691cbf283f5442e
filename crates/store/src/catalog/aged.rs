//! Rows that are forgotten when they are old.

use manometer_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// A table of such rows. The oldest must be found without a search: at the beginning of the table where rows are numbered
/// as they come, else by an index on `order` of the rows that `only` names.
pub(crate) struct Aged {
    pub(crate) table: &'static str,
    /// The number of a row.
    pub(crate) id: &'static str,
    /// When it came, in microseconds.
    pub(crate) at: &'static str,
    /// Rows that are forgotten at all, as a condition.
    pub(crate) only: &'static str,
    /// The column by which the oldest come first.
    pub(crate) order: &'static str,
}

impl Aged {
    /// Forgets rows older than a time, the oldest `most` of them; answers how many.
    pub(crate) fn forget_before(
        &self,
        connection: &Connection,
        before: Timestamp,
        most: usize,
    ) -> rusqlite::Result<usize> {
        let Self { table, id, at, only, order } = self;
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE {at} < ?1
                 AND {id} IN (SELECT {id} FROM {table} WHERE {only} ORDER BY {order} LIMIT ?2)"
            ))?
            .execute(params![before.as_micros(), i64::try_from(most).unwrap_or(i64::MAX)])
    }

    /// Is the oldest one older than a time?
    pub(crate) fn any_before(&self, connection: &Connection, before: Timestamp) -> rusqlite::Result<bool> {
        let Self { table, at, only, order, .. } = self;
        let oldest: Option<i64> = connection
            .prepare_cached(&format!("SELECT {at} FROM {table} WHERE {only} ORDER BY {order} LIMIT 1"))?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(oldest.is_some_and(|oldest| oldest < before.as_micros()))
    }
}
