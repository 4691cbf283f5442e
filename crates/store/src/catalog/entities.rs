//! Merged documents of entities.

use rusqlite::{Connection, params};

/// Writes the document of an entity, replacing the one before.
pub(crate) fn put(connection: &Connection, table: &str, key: &str, doc: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO entity(table_name, key, doc) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET doc = excluded.doc",
        )?
        .execute(params![table, key, doc])?;
    Ok(())
}

/// Deletes an entity.
pub(crate) fn forget(connection: &Connection, table: &str, key: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM entity WHERE table_name = ?1 AND key = ?2")?
        .execute([table, key])?;
    Ok(())
}

/// The keys of a table that begin with a text, which must not be empty.
pub(crate) fn keys_with_prefix(
    connection: &Connection,
    table: &str,
    prefix: &str,
) -> rusqlite::Result<Vec<String>> {
    // By the bytes of UTF-8, in which no text contains 0xff: everything from the prefix up to it begins with it.
    connection
        .prepare_cached(
            "SELECT key FROM entity WHERE table_name = ?1 AND key >= ?2 AND key < CAST(CAST(?2 AS BLOB) || x'ff' AS TEXT)",
        )?
        .query_map([table, prefix], |row| row.get(0))?
        .collect()
}

/// Hands every entity of a table to `each`, in the order of keys.
pub(crate) fn for_each<E: From<rusqlite::Error>>(
    connection: &Connection,
    table: &str,
    mut each: impl FnMut(&str, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement =
        connection.prepare_cached("SELECT key, doc FROM entity WHERE table_name = ?1 ORDER BY key")?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let doc = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        each(key, doc)?;
    }
    Ok(())
}
