//! Readers in other processes make themselves known, so that files they read are not removed.
//!
//! A reader places its pin before it reads the list of segments. Whoever removes files looks for pins after
//! the files were taken off the list. So a reader either sees the list without a file, or its pin is seen.

use rusqlite::{Connection, params};

/// Places a pin; returns its number.
pub(crate) fn place(connection: &Connection, purpose: &str, expires_at: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO pin(expires_at, purpose) VALUES (?1, ?2)")?
        .insert(params![expires_at, purpose])
}

/// Prolongs a pin; false when it is gone.
pub(crate) fn renew(connection: &Connection, id: i64, expires_at: i64) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE pin SET expires_at = ?2 WHERE id = ?1")?
        .execute(params![id, expires_at])?;
    Ok(changed == 1)
}

/// Takes a pin away.
pub(crate) fn remove(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM pin WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Is there a pin that has not expired?
pub(crate) fn any_live(connection: &Connection, now: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS(SELECT 1 FROM pin WHERE expires_at > ?1)")?
        .query_row([now], |row| row.get(0))
}

/// Removes pins whose reader died.
pub(crate) fn remove_expired(connection: &Connection, now: i64) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM pin WHERE expires_at <= ?1")?.execute([now])
}
