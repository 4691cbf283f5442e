//! Deliveries as they came, packed, for a limited time.

use manometer_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;

const LEVEL: i32 = 3;

/// Largest unpacked delivery that is kept: above what any door takes.
const MAX_BYTES: usize = 1 << 30;

/// Packs a delivery for [`insert`].
pub(crate) fn pack(content: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(content, LEVEL)
        .map_err(|source| StoreError::Compress { doing: "pack a delivery as it came", source })
}

/// Keeps a delivery beside its entry in the ledger.
pub(crate) fn insert(
    connection: &Connection,
    entry: i64,
    received_at: i64,
    packed: &[u8],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO raw(ledger_id, received_at, content) VALUES (?1, ?2, ?3)")?
        .execute(params![entry, received_at, packed])?;
    Ok(())
}

/// A delivery as it came; `None` where it is not kept (any more).
pub(crate) fn find(connection: &Connection, receipt: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let packed: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT content FROM raw JOIN ledger ON ledger.id = raw.ledger_id WHERE receipt = ?1",
        )?
        .query_row([receipt], |row| row.get(0))
        .optional()?;
    let unpack = |packed: Vec<u8>| {
        let size = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten().unwrap_or(0);
        let capacity = usize::try_from(size).unwrap_or(usize::MAX).min(MAX_BYTES);
        zstd::bulk::decompress(&packed, capacity).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
        })
    };
    packed.map(unpack).transpose()
}

/// Forgets deliveries older than a time, the oldest `most` of them; answers how many.
pub(crate) fn forget_before(
    connection: &Connection,
    before: Timestamp,
    most: usize,
) -> rusqlite::Result<usize> {
    // Entries are numbered as they come, so the oldest stand at the beginning.
    connection
        .prepare_cached(
            "DELETE FROM raw WHERE received_at < ?1
             AND ledger_id IN (SELECT ledger_id FROM raw ORDER BY ledger_id LIMIT ?2)",
        )?
        .execute(params![before.as_micros(), i64::try_from(most).unwrap_or(i64::MAX)])
}

/// Is the oldest one older than a time?
pub(crate) fn any_before(connection: &Connection, before: Timestamp) -> rusqlite::Result<bool> {
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT received_at FROM raw ORDER BY ledger_id LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(oldest.is_some_and(|oldest| oldest < before.as_micros()))
}
