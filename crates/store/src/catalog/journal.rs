//! Batches of fact rows that no segment holds yet.

use rusqlite::{Connection, OptionalExtension, params};

use crate::batch::EncodedBatch;

/// A journal row without its payload.
#[derive(Debug, Clone)]
pub(crate) struct JournalEntry {
    pub(crate) seq: i64,
    pub(crate) table_name: String,
    pub(crate) rows: u64,
    pub(crate) size_bytes: u64,
    pub(crate) min_at: i64,
    pub(crate) max_at: i64,
    pub(crate) committed_at: i64,
    pub(crate) checksum: u64,
}

/// Adds a batch; returns its number, greater than all before.
pub(crate) fn insert(
    connection: &Connection,
    batch: &EncodedBatch,
    committed_at: i64,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO journal(table_name, row_count, min_at, max_at, committed_at, checksum, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .insert(params![
            batch.content.table.name,
            i64::try_from(batch.content.rows).unwrap_or(i64::MAX),
            batch.content.min_at.as_micros(),
            batch.content.max_at.as_micros(),
            committed_at,
            batch.checksum.cast_signed(),
            batch.payload,
        ])
}

/// The payload of a batch; `None` when it is not there.
pub(crate) fn payload(connection: &Connection, seq: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT payload FROM journal WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()
}

/// Hands every entry with its payload to `each`, in order.
pub(crate) fn for_each<E: From<rusqlite::Error>>(
    connection: &Connection,
    mut each: impl FnMut(JournalEntry, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, table_name, row_count, min_at, max_at, committed_at, checksum, payload FROM journal ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let payload = row.get_ref(7)?.as_blob().map_err(rusqlite::Error::from)?;
        let count: i64 = row.get(2)?;
        let checksum: i64 = row.get(6)?;
        let entry = JournalEntry {
            seq: row.get(0)?,
            table_name: row.get(1)?,
            rows: u64::try_from(count).unwrap_or(0),
            size_bytes: payload.len() as u64,
            min_at: row.get(3)?,
            max_at: row.get(4)?,
            committed_at: row.get(5)?,
            checksum: checksum.cast_unsigned(),
        };
        each(entry, payload)?;
    }
    Ok(())
}

/// Removes the given batches; returns how many were there.
pub(crate) fn delete(connection: &Connection, numbers: &[i64]) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached("DELETE FROM journal WHERE seq = ?1")?;
    let mut deleted = 0;
    for seq in numbers {
        deleted += statement.execute([seq])?;
    }
    Ok(deleted)
}
