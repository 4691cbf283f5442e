//! Notes: small texts by name that other rooms keep beside the data, as how far a poll has come.

use rusqlite::{Connection, OptionalExtension, params};

/// Keeps a text under a name, instead of the one before.
pub(crate) fn put(connection: &Connection, name: &str, content: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO note(name, content) VALUES (?1, ?2)")?
        .execute(params![name, content])?;
    Ok(())
}

/// Forgets a text; one that is not there is no error.
pub(crate) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM note WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// The text under a name.
pub(crate) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT content FROM note WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Every text whose name begins so, with its name, in the order of the names. A folder that no program of this version
/// has written to yet has none.
pub(crate) fn with_prefix(connection: &Connection, prefix: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let is_there: bool = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'note'",
        [],
        |row| row.get(0),
    )?;
    if !is_there {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached("SELECT name, content FROM note WHERE substr(name, 1, ?2) = ?1 ORDER BY name")?
        .query_map(params![prefix, i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect()
}
