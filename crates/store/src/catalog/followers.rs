//! Who reads along with what is committed, how far each has come, and what is kept for those that lag behind.
//!
//! A follower's place is two numbers: the last journal batch and the last ended entity it is done with. Batches stay
//! in the journal until a flush; what a flush would take away before every follower is done with it moves to `kept`.

use rusqlite::{Connection, OptionalExtension, Row, params};

/// Made where they are missing; an older program does without them.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS follower(
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    ended_id INTEGER NOT NULL,
    passed_over INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept(
    seq INTEGER PRIMARY KEY,
    table_name TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS ended(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    key TEXT NOT NULL
);
";

/// Most ended entities kept for followers that lag behind.
const MOST_ENDED: i64 = 1_000_000;

/// The number of the latest journal batch, also when a flush has taken it away since.
const LATEST_BATCH: &str = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0)";

/// How far a follower has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: i64,
    pub(crate) ended_id: i64,
}

/// A batch that a follower has before it.
#[derive(Debug)]
pub(crate) struct Ahead {
    pub(crate) seq: i64,
    pub(crate) table_name: String,
    pub(crate) checksum: u64,
    pub(crate) payload: Vec<u8>,
}

/// Batches ahead of a place, in the order of their commits.
#[derive(Debug, Default)]
pub(crate) struct BatchesAhead {
    pub(crate) batches: Vec<Ahead>,
    /// Are there more than were read?
    pub(crate) has_more: bool,
}

/// An entity that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: i64,
    pub(crate) table_name: String,
    pub(crate) key: String,
}

/// Makes these names the followers. New ones begin with what is committed from now on, others are forgotten.
pub(crate) fn set(connection: &Connection, names: &[&str]) -> rusqlite::Result<()> {
    let known: Vec<String> = connection
        .prepare("SELECT name FROM follower")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for gone in known.iter().filter(|known| !names.contains(&known.as_str())) {
        connection.execute("DELETE FROM follower WHERE name = ?1", [gone])?;
    }
    for name in names {
        connection.execute(
            &format!(
                "INSERT INTO follower(name, seq, ended_id)
                 VALUES (?1, {LATEST_BATCH}, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ended'), 0))
                 ON CONFLICT DO NOTHING"
            ),
            [name],
        )?;
    }
    forget_what_all_have(connection)
}

/// Is there any follower?
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS(SELECT 1 FROM follower)", [], |row| row.get(0))
}

/// Where a follower is.
pub(crate) fn place(connection: &Connection, name: &str) -> rusqlite::Result<Option<Place>> {
    connection
        .prepare_cached("SELECT seq, ended_id FROM follower WHERE name = ?1")?
        .query_row([name], |row| Ok(Place { seq: row.get(0)?, ended_id: row.get(1)? }))
        .optional()
}

/// Moves a follower on.
pub(crate) fn advance(connection: &Connection, name: &str, place: Place) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE follower SET seq = max(seq, ?2), ended_id = max(ended_id, ?3) WHERE name = ?1",
        )?
        .execute(params![name, place.seq, place.ended_id])?;
    forget_what_all_have(connection)
}

fn forget_what_all_have(connection: &Connection) -> rusqlite::Result<()> {
    let none_left = i64::MAX;
    connection
        .prepare_cached("DELETE FROM kept WHERE seq <= coalesce((SELECT min(seq) FROM follower), ?1)")?
        .execute([none_left])?;
    connection
        .prepare_cached("DELETE FROM ended WHERE id <= coalesce((SELECT min(ended_id) FROM follower), ?1)")?
        .execute([none_left])?;
    Ok(())
}

/// Enters an entity that has ended.
pub(crate) fn enter_ended(connection: &Connection, table: &str, key: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!("INSERT INTO ended(seq, table_name, key) VALUES ({LATEST_BATCH}, ?1, ?2)"))?
        .execute([table, key])?;
    Ok(())
}

/// Counts rows that no follower gets to see.
pub(crate) fn pass_over(connection: &Connection, rows: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE follower SET passed_over = passed_over + ?1")?
        .execute([i64::try_from(rows).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Keeps the batches a flush is about to take from the journal, where a follower has them before it; beyond
/// `most_bytes` of them the oldest are given up, and counted for those that had not seen them.
pub(crate) fn keep(connection: &Connection, numbers: &[i64], most_bytes: u64) -> rusqlite::Result<()> {
    let mut keep = connection.prepare_cached(
        "INSERT INTO kept(seq, table_name, row_count, committed_at, checksum, payload)
         SELECT seq, table_name, row_count, committed_at, checksum, payload FROM journal
         WHERE seq = ?1 AND seq > (SELECT min(seq) FROM follower)",
    )?;
    for seq in numbers {
        keep.execute([seq])?;
    }
    give_up_batches(connection, most_bytes)?;
    give_up_ended(connection)
}

fn give_up_batches(connection: &Connection, most_bytes: u64) -> rusqlite::Result<()> {
    let most = i64::try_from(most_bytes).unwrap_or(i64::MAX);
    let mut bytes: i64 = connection
        .prepare_cached("SELECT coalesce(sum(length(payload)), 0) FROM kept")?
        .query_row([], |row| row.get(0))?;
    while bytes > most {
        let (seq, rows, length): (i64, i64, i64) = connection
            .prepare_cached("SELECT seq, row_count, length(payload) FROM kept ORDER BY seq LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        connection
            .prepare_cached("UPDATE follower SET passed_over = passed_over + ?2, seq = ?1 WHERE seq < ?1")?
            .execute([seq, rows])?;
        connection.prepare_cached("DELETE FROM kept WHERE seq = ?1")?.execute([seq])?;
        bytes -= length;
    }
    Ok(())
}

fn give_up_ended(connection: &Connection) -> rusqlite::Result<()> {
    let oldest: i64 = connection
        .prepare_cached("SELECT coalesce(max(id), 0) - ?1 FROM ended")?
        .query_row([MOST_ENDED], |row| row.get(0))?;
    let given_up = connection.prepare_cached("DELETE FROM ended WHERE id <= ?1")?.execute([oldest])?;
    if given_up > 0 {
        connection
            .prepare_cached(
                "UPDATE follower SET passed_over = passed_over + ?1 - ended_id, ended_id = ?1 WHERE ended_id < ?1",
            )?
            .execute([oldest])?;
    }
    Ok(())
}

/// The batches after a number: about `most_rows` rows of them, and the rest of the commit the last one is from unless
/// that is far too much.
pub(crate) fn batches_after(
    connection: &Connection,
    seq: i64,
    most_rows: u64,
) -> rusqlite::Result<BatchesAhead> {
    const PATIENCE: u64 = 4;
    let mut statement = connection.prepare_cached(
        "SELECT seq, table_name, checksum, payload, row_count, committed_at FROM kept WHERE seq > ?1
         UNION ALL
         SELECT seq, table_name, checksum, payload, row_count, committed_at FROM journal WHERE seq > ?1
         ORDER BY seq",
    )?;
    let mut found = BatchesAhead::default();
    let mut rows = 0_u64;
    let mut last_commit = i64::MIN;
    let mut read = statement.query([seq])?;
    while let Some(row) = read.next()? {
        let commit: i64 = row.get(5)?;
        let is_enough =
            rows >= most_rows && commit != last_commit || rows >= most_rows.saturating_mul(PATIENCE);
        if is_enough && !found.batches.is_empty() {
            found.has_more = true;
            break;
        }
        let count: i64 = row.get(4)?;
        rows += u64::try_from(count).unwrap_or(0);
        last_commit = commit;
        found.batches.push(ahead(row)?);
    }
    Ok(found)
}

fn ahead(row: &Row<'_>) -> rusqlite::Result<Ahead> {
    let checksum: i64 = row.get(2)?;
    Ok(Ahead {
        seq: row.get(0)?,
        table_name: row.get(1)?,
        checksum: checksum.cast_unsigned(),
        payload: row.get(3)?,
    })
}

/// Entities that ended after a number, none of a commit later than the batch `up_to`.
pub(crate) fn ended_after(
    connection: &Connection,
    id: i64,
    up_to: i64,
    most: u64,
) -> rusqlite::Result<Vec<Ended>> {
    connection
        .prepare_cached(
            "SELECT id, table_name, key FROM ended WHERE id > ?1 AND seq <= ?2 ORDER BY id LIMIT ?3",
        )?
        .query_map(params![id, up_to, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
            Ok(Ended { id: row.get(0)?, table_name: row.get(1)?, key: row.get(2)? })
        })?
        .collect()
}

/// Each follower with the rows before it and those it never saw.
pub(crate) fn backlogs(connection: &Connection) -> rusqlite::Result<Vec<(String, u64, u64)>> {
    connection
        .prepare_cached(
            "SELECT name,
                    (SELECT coalesce(sum(row_count), 0) FROM kept WHERE kept.seq > follower.seq)
                    + (SELECT coalesce(sum(row_count), 0) FROM journal WHERE journal.seq > follower.seq)
                    + (SELECT count(*) FROM ended WHERE id > ended_id),
                    passed_over
             FROM follower ORDER BY name",
        )?
        .query_map([], |row| {
            let count = |index| row.get::<_, i64>(index).map(|count| u64::try_from(count).unwrap_or(0));
            Ok((row.get(0)?, count(1)?, count(2)?))
        })?
        .collect()
}
