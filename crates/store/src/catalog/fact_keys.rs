//! Natural keys of facts that are stored once, as 128-bit hashes.

use rusqlite::{Connection, params};

use super::aged::Aged;

/// Keys, as they are forgotten.
pub(crate) const AGED: Aged =
    Aged { table: "fact_key", id: "id", at: "committed_at", only: "true", order: "id" };

/// Enters a key; false when it is there.
pub(crate) fn insert(connection: &Connection, key: &[u8; 16], committed_at: i64) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("INSERT INTO fact_key(key, committed_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![key.as_slice(), committed_at])?;
    Ok(changed == 1)
}
