//! When something is to be done about a segment for the sake of retention, as far as its rows had to be looked at to
//! know. Written down so that no segment is read twice for it.

use rusqlite::{Connection, params};

use crate::retain::Terms;

/// Notes the terms of a segment under a policy, replacing what was noted before.
pub(crate) fn put(connection: &Connection, segment: i64, policy: u64, terms: Terms) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO segment_term(segment_id, policy, rewrite_on, drop_on) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![segment, policy.cast_signed(), terms.rewrite_on, terms.drop_on])?;
    Ok(())
}

/// All that is noted: segment, policy, terms.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<(i64, u64, Terms)>> {
    connection
        .prepare_cached("SELECT segment_id, policy, rewrite_on, drop_on FROM segment_term")?
        .query_map([], |row| {
            let policy: i64 = row.get(1)?;
            Ok((row.get(0)?, policy.cast_unsigned(), Terms { rewrite_on: row.get(2)?, drop_on: row.get(3)? }))
        })?
        .collect()
}
