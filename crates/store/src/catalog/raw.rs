//! Deliveries as they came, packed, for a limited time.

use rusqlite::{Connection, OptionalExtension, params};

use super::aged::Aged;
use crate::error::StoreError;

/// Deliveries, as they are forgotten.
pub(crate) const AGED: Aged =
    Aged { table: "raw", id: "ledger_id", at: "received_at", only: "true", order: "ledger_id" };

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
