//! Which segment files belong to the data, and which wait to be removed.

use rusqlite::{Connection, params};

/// A listed segment.
#[derive(Debug, Clone)]
pub(crate) struct SegmentEntry {
    pub(crate) id: i64,
    /// Path below the data folder, with `/`.
    pub(crate) file: String,
    pub(crate) table_name: String,
    /// Name of its folder: `day=2026-11-21`, or `mixed`.
    pub(crate) partition: String,
    pub(crate) level: u8,
    pub(crate) rows: u64,
    pub(crate) size_bytes: u64,
    pub(crate) min_at: i64,
    pub(crate) max_at: i64,
    /// xxh3-64 of the file.
    pub(crate) checksum: u64,
    /// Its projects; `None` when there are too many.
    pub(crate) projects: Option<Vec<String>>,
    /// Of a companion: the segment whose rows it rolls up, listed or forgotten.
    pub(crate) rolls_up: Option<i64>,
    /// The version of the roll-ups' definitions by which it was rolled up, or is a roll-up; 0 when it was not.
    pub(crate) rollup_version: i64,
}

/// Lists a segment.
pub(crate) fn insert(connection: &Connection, entry: &SegmentEntry) -> rusqlite::Result<()> {
    let projects = entry.projects.as_ref().map(serde_json::to_string).transpose();
    let projects = projects.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare_cached(
            "INSERT INTO segment(id, file, table_name, partition, level, row_count, size_bytes, min_at, max_at,
                                 checksum, projects, rolls_up, rollup_version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            entry.id,
            entry.file,
            entry.table_name,
            entry.partition,
            entry.level,
            i64::try_from(entry.rows).unwrap_or(i64::MAX),
            i64::try_from(entry.size_bytes).unwrap_or(i64::MAX),
            entry.min_at,
            entry.max_at,
            entry.checksum.cast_signed(),
            projects,
            entry.rolls_up,
            entry.rollup_version,
        ])?;
    Ok(())
}

/// Every listed segment, oldest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<SegmentEntry>> {
    connection
        .prepare_cached(
            "SELECT id, file, table_name, partition, level, row_count, size_bytes, min_at, max_at, checksum, projects,
                    rolls_up, rollup_version
             FROM segment ORDER BY id",
        )?
        .query_map([], |row| {
            let rows: i64 = row.get(5)?;
            let size_bytes: i64 = row.get(6)?;
            let checksum: i64 = row.get(9)?;
            let projects: Option<String> = row.get(10)?;
            Ok(SegmentEntry {
                id: row.get(0)?,
                file: row.get(1)?,
                table_name: row.get(2)?,
                partition: row.get(3)?,
                level: row.get(4)?,
                rows: u64::try_from(rows).unwrap_or(0),
                size_bytes: u64::try_from(size_bytes).unwrap_or(0),
                min_at: row.get(7)?,
                max_at: row.get(8)?,
                checksum: checksum.cast_unsigned(),
                projects: projects.and_then(|text| serde_json::from_str(&text).ok()),
                rolls_up: row.get(11)?,
                rollup_version: row.get(12)?,
            })
        })?
        .collect()
}

/// Says that a segment was rolled up by today's definitions; returns whether it is listed.
pub(crate) fn set_rolled_up(connection: &Connection, id: i64, version: i64) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE segment SET rollup_version = ?2 WHERE id = ?1")?
        .execute([id, version])?;
    Ok(changed == 1)
}

/// Takes segments off the list and marks their files for removal; returns how many were listed.
pub(crate) fn replace(connection: &Connection, obsolete: &[(i64, &str)]) -> rusqlite::Result<usize> {
    let mut remove = connection.prepare_cached("DELETE FROM segment WHERE id = ?1")?;
    let mut forget_terms = connection.prepare_cached("DELETE FROM segment_term WHERE segment_id = ?1")?;
    let mut mark =
        connection.prepare_cached("INSERT INTO garbage(file) VALUES (?1) ON CONFLICT DO NOTHING")?;
    let mut removed = 0;
    for (id, file) in obsolete {
        removed += remove.execute([id])?;
        forget_terms.execute([id])?;
        mark.execute([file])?;
    }
    Ok(removed)
}

/// Files marked for removal.
pub(crate) fn garbage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached("SELECT file FROM garbage")?.query_map([], |row| row.get(0))?.collect()
}

/// Forgets files that were removed.
pub(crate) fn forget_garbage(connection: &Connection, files: &[String]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM garbage WHERE file = ?1")?;
    for file in files {
        statement.execute([file])?;
    }
    Ok(())
}

/// The greatest segment number ever listed.
pub(crate) fn greatest_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'segment'), 0)",
        [],
        |row| row.get(0),
    )
}
