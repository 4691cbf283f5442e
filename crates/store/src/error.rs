//! What can go wrong, said so that the reader knows which file, column or number is meant and what to do.

use std::io;
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the folder.
    #[error("{}", in_use(data, *pid, address.as_deref()))]
    InUse {
        /// The data folder.
        data: PathBuf,
        /// The process that holds it, where its lock file says so.
        pid: Option<u32>,
        /// What that process announced, as `http://127.0.0.1:8420`.
        address: Option<String>,
    },
    /// A newer program wrote the folder.
    #[error(
        "the data folder {} has layout version {found}, this program knows up to {supported}: \
         use the newer program, or restore a backup of the older one",
        data.display()
    )]
    NewerVersion {
        /// The data folder.
        data: PathBuf,
        /// Version found in it.
        found: i64,
        /// Newest version this program knows.
        supported: i64,
    },
    /// It lists segments of a table this program does not have: a newer one wrote them.
    #[error(
        "the data folder {} holds the table {table}, which this program does not know, so a newer one wrote it: \
         use the newer program, or restore a backup of the older one",
        data.display()
    )]
    UnknownTable {
        /// The data folder.
        data: PathBuf,
        /// The table.
        table: String,
    },
    /// The linked SQLite has known defects in its write-ahead log.
    #[error("the linked SQLite is {found}, version {needed} or later is needed: build with the bundled one")]
    SqliteTooOld {
        /// Version linked.
        found: String,
        /// Oldest version accepted.
        needed: &'static str,
    },
    /// There is nothing to read.
    #[error("{} holds no store: it has no meta.db", data.display())]
    NoStore {
        /// The folder looked into.
        data: PathBuf,
    },
    /// A restore into this folder did not finish.
    #[error("a restore into {} did not finish: empty the folder and run the restore again", data.display())]
    UnfinishedRestore {
        /// The data folder.
        data: PathBuf,
    },
    /// What the folder holds is damaged or incomplete.
    #[error("the data folder {} is damaged: {what}; run `manometer store check` and restore a backup", data.display())]
    Corrupt {
        /// The data folder.
        data: PathBuf,
        /// What is wrong, with the file or the journal number.
        what: String,
    },
    /// Reading or writing a file failed.
    #[error("failed to open the store: {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed.
    #[error("failed to open the store: {}: {source}", path.display())]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Anything else, met while opening.
    #[error("failed to open the store: {0}")]
    Store(#[from] StoreError),
}

fn in_use(data: &Path, pid: Option<u32>, address: Option<&str>) -> String {
    let holder = match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    let advice = match address {
        Some(address) => format!(", serving {address}: send to it with --server {address}, or stop it first"),
        None => ": stop it first, or choose another folder with --data".to_owned(),
    };
    format!("{holder} has the data folder {} open{advice}", data.display())
}

/// Why an operation on an open store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed.
    #[error("failed to {doing}: {source}")]
    Sqlite {
        /// What was tried.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Arrow failed.
    #[error("failed to {doing}: {source}")]
    Arrow {
        /// What was tried.
        doing: &'static str,
        /// What Arrow said.
        source: ArrowError,
    },
    /// Packing bytes failed.
    #[error("failed to {doing}: {source}")]
    Compress {
        /// What was tried.
        doing: &'static str,
        /// What the compressor said.
        source: io::Error,
    },
    /// A row that merges was given where rows are appended.
    #[error("{table} holds rows that merge: only facts are stored under a natural key")]
    NoFact {
        /// SQL name of the table.
        table: &'static str,
    },
    /// A segment file could not be written or read.
    #[error("{}: {source}", path.display())]
    Parquet {
        /// The segment file.
        path: PathBuf,
        /// What the Parquet library said.
        source: ParquetError,
    },
    /// Stored bytes are not what was written.
    #[error("stored data is damaged: {what}; run `manometer store check`")]
    Corrupt {
        /// What is wrong, with the file or the journal number.
        what: String,
    },
    /// A row has another number of cells than its table has columns.
    #[error("table {table} has {expected} columns, the row has {found} cells")]
    WrongColumns {
        /// SQL name of the table.
        table: &'static str,
        /// Columns of the table.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A cell is of another kind than its column.
    #[error("column {table}.{column} holds {expected}, not {found}")]
    WrongKind {
        /// SQL name of the table.
        table: &'static str,
        /// Name of the column.
        column: &'static str,
        /// What the column holds.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// A cell that must be known is null.
    #[error("column {table}.{column} must have a value")]
    MissingValue {
        /// SQL name of the table.
        table: &'static str,
        /// Name of the column.
        column: &'static str,
    },
    /// A text is too long to be stored.
    #[error("the text for {table}.{column} has {bytes} bytes, at most {limit} are stored")]
    ValueTooLarge {
        /// SQL name of the table.
        table: &'static str,
        /// Name of the column.
        column: &'static str,
        /// Length of the text.
        bytes: usize,
        /// Longest text stored.
        limit: usize,
    },
    /// A delivery observes more entities than one transaction takes.
    #[error("one delivery may observe at most {limit} runs, jobs and other entities: send it in parts")]
    TooManyEntities {
        /// Most observations of one delivery.
        limit: usize,
    },
    /// The delivery refused a row before and can no longer be finished.
    #[error("the delivery refused a row, so it cannot be finished: build it anew without that row")]
    BrokenDelivery,
    /// No space is left where the data folder lies.
    #[error("no space left for {}: free some, nothing is lost and the store goes on by itself", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// A write to disk failed, so nothing more is written until the program is started again.
    #[error("the store stopped writing: {reason}; check the disk, then start the program again")]
    Poisoned {
        /// The failure that stopped it.
        reason: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A backup or restore would mix with what is already there.
    #[error("{} is not empty: choose an empty or new folder", path.display())]
    DestinationNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder is not a complete, unchanged backup.
    #[error("{}: not a usable backup: {what}", path.display())]
    BadBackup {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The data folder could not be opened for reading.
    #[error(transparent)]
    Open(Box<OpenError>),
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(inner) => inner,
            other => Self::Open(Box::new(other)),
        }
    }
}

/// Why a delivery was not even queued. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full, or flushing lags too far behind.
    #[error("too many deliveries are waiting: send it again in {retry_after_seconds} s")]
    Overloaded {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// No space is left on disk.
    #[error("no space is left on the server's disk: the delivery was not stored, send it again later")]
    DiskFull,
    /// A write failed earlier; the store takes nothing until it is started again.
    #[error("the store stopped writing: {reason}")]
    Poisoned {
        /// The failure that stopped it.
        reason: String,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// Why a queued delivery was not committed. The sender was promised nothing and should send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// No space is left on disk. Nothing of the delivery is stored.
    #[error("no space is left on the server's disk: the delivery was not stored, send it again later")]
    DiskFull,
    /// The write failed, so whether the delivery is stored is not known until the next start; its key makes
    /// sending it again safe.
    #[error("the store stopped writing: {reason}")]
    Poisoned {
        /// The failure that stopped it.
        reason: String,
    },
    /// The store was closed before the delivery was committed.
    #[error("the store is closed")]
    Closed,
}
