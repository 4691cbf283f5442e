//! Natural keys of facts that are stored once, as 128-bit hashes.

use manometer_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Enters a key; false when it is there.
pub(crate) fn insert(connection: &Connection, key: &[u8; 16], committed_at: i64) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("INSERT INTO fact_key(key, committed_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![key.as_slice(), committed_at])?;
    Ok(changed == 1)
}

/// Forgets keys older than a time, the oldest `most` of them; answers how many.
pub(crate) fn forget_before(
    connection: &Connection,
    before: Timestamp,
    most: usize,
) -> rusqlite::Result<usize> {
    // Keys are numbered as they come, so the oldest stand at the beginning.
    connection
        .prepare_cached(
            "DELETE FROM fact_key WHERE committed_at < ?1
             AND id IN (SELECT id FROM fact_key ORDER BY id LIMIT ?2)",
        )?
        .execute(params![before.as_micros(), i64::try_from(most).unwrap_or(i64::MAX)])
}

/// Is the oldest one older than a time?
pub(crate) fn any_before(connection: &Connection, before: Timestamp) -> rusqlite::Result<bool> {
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT committed_at FROM fact_key ORDER BY id LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(oldest.is_some_and(|oldest| oldest < before.as_micros()))
}
