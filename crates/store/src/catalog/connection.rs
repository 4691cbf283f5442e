//! Opening `meta.db`, with every setting the promises depend on read back.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, ffi};

use crate::catalog::{Doing, WhileOpening, followers};
use crate::error::{OpenError, StoreError};

/// Version of the data folder's layout that this program writes.
pub(crate) const LAYOUT_VERSION: i64 = 3;

/// What has to be done to a folder of the version before, by the version it leads to.
const UPGRADES: &[(i64, &str)] = &[
    (2, "ALTER TABLE ledger ADD COLUMN treatment TEXT NOT NULL DEFAULT 'stored'"),
    (
        3,
        "ALTER TABLE segment ADD COLUMN rolls_up INTEGER;
         ALTER TABLE segment ADD COLUMN rollup_version INTEGER NOT NULL DEFAULT 0",
    ),
];

/// Older ones can corrupt a database when the write-ahead log is reset at a bad moment.
const OLDEST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// How long a connection waits for another process that holds the write lock (a backup placing its pin).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Page cache of the writing connection, in KiB.
const CACHE_KIB: i64 = 64 * 1024;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    receipt TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    project TEXT,
    received_at INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    row_counts TEXT NOT NULL,
    problem_count INTEGER NOT NULL,
    problems TEXT NOT NULL,
    permanent INTEGER NOT NULL,
    treatment TEXT NOT NULL DEFAULT 'stored',
    UNIQUE(scope, key)
);
CREATE INDEX IF NOT EXISTS ledger_by_age ON ledger(received_at) WHERE permanent = 0;
CREATE TABLE IF NOT EXISTS entity(
    table_name TEXT NOT NULL,
    key TEXT NOT NULL,
    doc BLOB NOT NULL,
    PRIMARY KEY(table_name, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    min_at INTEGER NOT NULL,
    max_at INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS raw(ledger_id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS fact_key(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, committed_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segment(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file TEXT NOT NULL UNIQUE,
    table_name TEXT NOT NULL,
    partition TEXT NOT NULL,
    level INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    min_at INTEGER NOT NULL,
    max_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    projects TEXT,
    rolls_up INTEGER,
    rollup_version INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS segment_term(
    segment_id INTEGER PRIMARY KEY,
    policy INTEGER NOT NULL,
    rewrite_on INTEGER NOT NULL,
    drop_on INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS note(name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS garbage(file TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pin(id INTEGER PRIMARY KEY AUTOINCREMENT, expires_at INTEGER NOT NULL, purpose TEXT NOT NULL);
";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The one connection of the store that writes.
    Write,
    /// Reads, and small writes such as pins; the database must exist.
    Read,
}

/// A failure of SQLite, sorted by what it means for the store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CatalogError {
    /// No space: roll back and go on.
    Full,
    /// Another connection holds the lock: nothing was done.
    Busy,
    /// Anything else: nobody knows what is on the disk.
    Broken(String),
}

impl CatalogError {
    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(cause) if cause.code == ErrorCode::DiskFull => Self::Full,
            Some(cause) if cause.code == ErrorCode::DatabaseBusy => Self::Busy,
            // The shared-memory index could not grow: the same lack of space under another name.
            Some(cause) if cause.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// Opens `meta.db`, checks or makes its tables, and makes sure of the settings.
pub(crate) fn connect(data: &Path, access: Access) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE.0 {
        return Err(OpenError::SqliteTooOld {
            found: rusqlite::version().to_owned(),
            needed: OLDEST_SQLITE.1,
        });
    }
    let path = data.join("meta.db");
    if access == Access::Read && !path.is_file() {
        return Err(OpenError::NoStore { data: data.to_owned() });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if access == Access::Write {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(&path, flags).while_opening(&path)?;
    connection.busy_timeout(BUSY_TIMEOUT).while_opening(&path)?;
    refuse_newer_version(&connection, data, &path)?;
    configure(&connection, access, data, &path)?;
    if access == Access::Write || is_older(&connection).while_opening(&path)? {
        create_tables(&connection).while_opening(&path)?;
    }
    Ok(connection)
}

fn refuse_newer_version(connection: &Connection, data: &Path, path: &Path) -> Result<(), OpenError> {
    let known: bool = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", [], |row| row.get(0))
        .while_opening(path)?;
    if !known {
        return Ok(());
    }
    let found: Option<i64> = connection
        .query_row("SELECT value FROM meta WHERE name = 'layout_version'", [], |row| row.get(0))
        .optional()
        .while_opening(path)?;
    match found {
        Some(found) if found > LAYOUT_VERSION => {
            Err(OpenError::NewerVersion { data: data.to_owned(), found, supported: LAYOUT_VERSION })
        }
        _ => Ok(()),
    }
}

/// Was it written by an older version? A folder that is only read is brought up to this one as well.
fn is_older(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT value < ?1 FROM meta WHERE name = 'layout_version'";
    connection.query_row(sql, [LAYOUT_VERSION], |row| row.get(0))
}

fn configure(connection: &Connection, access: Access, data: &Path, path: &Path) -> Result<(), OpenError> {
    if access == Access::Write {
        // Decided when the database is made: free pages can be given back a few at a time.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").while_opening(path)?;
    }
    let mode: String =
        connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).while_opening(path)?;
    connection.pragma_update(None, "synchronous", "FULL").while_opening(path)?;
    let synchronous: i64 =
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).while_opening(path)?;
    // Without either, a commit that returned could be gone after a power cut.
    if mode != "wal" || synchronous != 2 {
        return Err(OpenError::Corrupt {
            data: data.to_owned(),
            what: format!(
                "meta.db runs with journal_mode={mode}, synchronous={synchronous}, not WAL and FULL"
            ),
        });
    }
    // The maintenance thread checkpoints, so that no commit has to.
    connection.pragma_update(None, "wal_autocheckpoint", 0).while_opening(path)?;
    connection.pragma_update(None, "temp_store", "MEMORY").while_opening(path)?;
    connection.pragma_update(None, "cell_size_check", true).while_opening(path)?;
    connection.pragma_update(None, "trusted_schema", false).while_opening(path)?;
    if access == Access::Write {
        connection.pragma_update(None, "cache_size", -CACHE_KIB).while_opening(path)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).while_opening(path)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).while_opening(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    match upgrade(connection) {
        Ok(()) => connection.execute_batch("COMMIT"),
        Err(error) => {
            connection.execute_batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// Makes what is missing, and brings a folder of an older version up to this one.
fn upgrade(connection: &Connection) -> rusqlite::Result<()> {
    let is_new: bool =
        connection
            .query_row("SELECT count(*) = 0 FROM sqlite_schema WHERE name = 'meta'", [], |row| row.get(0))?;
    connection.execute_batch(TABLES)?;
    connection.execute_batch(followers::TABLES)?;
    if !is_new {
        let found: i64 =
            connection
                .query_row("SELECT value FROM meta WHERE name = 'layout_version'", [], |row| row.get(0))?;
        for (_, statement) in UPGRADES.iter().filter(|(version, _)| *version > found) {
            connection.execute_batch(statement)?;
        }
    }
    connection.execute(
        "INSERT OR REPLACE INTO meta(name, value) VALUES ('layout_version', ?1)",
        [LAYOUT_VERSION],
    )?;
    Ok(())
}

/// Limits the size of the database; `None` lifts the limit.
pub(crate) fn limit_bytes(connection: &Connection, limit: Option<u64>) -> Result<(), StoreError> {
    let doing = "limit the size of meta.db";
    let page_bytes: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).doing(doing)?;
    let most = i64::from(u32::MAX - 1);
    let pages = limit.map_or(most, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX) / page_bytes.max(1));
    connection
        .query_row(&format!("PRAGMA max_page_count={}", pages.clamp(1, most)), [], |_| Ok(()))
        .doing(doing)
}
