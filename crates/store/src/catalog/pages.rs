//! Pages of `meta.db` that hold nothing any more.

use rusqlite::Connection;

/// `PRAGMA auto_vacuum` of a database whose free pages can be given back a few at a time.
const INCREMENTAL: i64 = 2;

/// How much of the file is free and can be given back; 0 for a database made without that ability.
pub(crate) fn free_bytes_to_give_back(connection: &Connection) -> rusqlite::Result<u64> {
    if number(connection, "auto_vacuum")? != INCREMENTAL {
        return Ok(0);
    }
    let free = number(connection, "freelist_count")?.saturating_mul(number(connection, "page_size")?);
    Ok(u64::try_from(free).unwrap_or(0))
}

/// Gives up to `bytes` back, inside the transaction that is open.
pub(crate) fn give_back(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page_bytes = u64::try_from(number(connection, "page_size")?).unwrap_or(0).max(1);
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({})", bytes / page_bytes))?;
    let mut rows = statement.query([])?;
    // One step frees one page.
    while rows.next()?.is_some() {}
    Ok(())
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
}
