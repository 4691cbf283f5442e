//! What all parts of an open store share, and the one way a transaction becomes durable and visible.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;

use crate::catalog::CatalogError;
use crate::catalog_reader::CatalogReader;
use crate::error::StoreError;
use crate::follow::Followers;
use crate::garbage::Garbage;
use crate::health::HealthState;
use crate::lock::FolderLock;
use crate::maintenance::Bell;
use crate::memory::{Change, Memory};
use crate::options::StoreOptions;
use crate::queue::Queue;
use crate::retain::RetainState;
use crate::room::Room;
use crate::segments::SegmentSpace;
use crate::snapshot::Snapshot;

/// Counted since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) committed: AtomicU64,
    pub(crate) repeated: AtomicU64,
    pub(crate) commit_groups: AtomicU64,
    pub(crate) maintenance_failures: AtomicU64,
}

/// An open store. Locks are taken in the order `maintenance`, `writer`, `memory`.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: StoreOptions,
    pub(crate) space: Arc<SegmentSpace>,
    pub(crate) garbage: Arc<Garbage>,
    /// Held while flushing, compacting or cleaning up: one at a time.
    pub(crate) maintenance: Mutex<()>,
    /// The one connection that writes; held from `BEGIN` until what was committed is visible.
    pub(crate) writer: Mutex<Connection>,
    pub(crate) memory: RwLock<Memory>,
    pub(crate) reader: Arc<CatalogReader>,
    pub(crate) health: HealthState,
    pub(crate) queue: Queue,
    pub(crate) counters: Counters,
    pub(crate) retain: RetainState,
    pub(crate) bell: Bell,
    pub(crate) room: Room,
    pub(crate) followers: Followers,
    /// The latest snapshot, for as long as somebody holds it.
    pub(crate) latest: Mutex<Weak<Snapshot>>,
    /// Given back when the store is closed; nothing is committed without it.
    pub(crate) lock: Mutex<Option<Arc<FolderLock>>>,
}

/// How a transaction failed.
#[derive(Debug)]
pub(crate) enum TransactionError {
    /// No space. Rolled back. Whether the `COMMIT` itself was reached decides what a restart may find.
    DiskFull { at_commit: bool },
    /// The store writes no more.
    Poisoned { reason: String },
    /// The store was closed before the transaction began.
    Closed,
}

impl TransactionError {
    /// May the transaction still turn up after a restart?
    pub(crate) const fn is_doubtful(&self) -> bool {
        !matches!(self, Self::DiskFull { at_commit: false } | Self::Closed)
    }

    pub(crate) fn into_store_error(self, inner: &Inner) -> StoreError {
        match self {
            Self::DiskFull { .. } => StoreError::DiskFull { path: inner.space.folders.meta() },
            Self::Poisoned { reason } => StoreError::Poisoned { reason },
            Self::Closed => StoreError::Closed,
        }
    }
}

impl Inner {
    /// Runs `work` in a transaction, returns when it is on disk, and makes its change visible before anybody
    /// else can commit. No space: rolled back, and the store goes on. Any other failure: poisoned, because
    /// nobody knows what a failed write or sync left on the disk, and asking again would not tell.
    pub(crate) fn commit_durable<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<(T, Change)>,
    ) -> Result<T, TransactionError> {
        let connection = self.writer.lock();
        if self.lock.lock().is_none() {
            return Err(TransactionError::Closed);
        }
        if let Some(reason) = self.health.poisoned() {
            return Err(TransactionError::Poisoned { reason });
        }
        if let Err(error) = begin(&connection) {
            return Err(self.failed(&connection, &error, false));
        }
        let (answer, change) = match work(&connection) {
            Ok(done) => done,
            Err(error) => return Err(self.failed(&connection, &error, false)),
        };
        if let Err(error) = connection.execute_batch("COMMIT") {
            return Err(self.failed(&connection, &error, true));
        }
        self.memory.write().apply(change);
        self.garbage.settle_doubts();
        self.health.commit_succeeded();
        Ok(answer)
    }

    fn failed(&self, connection: &Connection, error: &rusqlite::Error, at_commit: bool) -> TransactionError {
        let reason = match CatalogError::of(error) {
            CatalogError::Full => match roll_back(connection) {
                Ok(()) => {
                    self.health.disk_is_full(self.options.clock.now());
                    return TransactionError::DiskFull { at_commit };
                }
                Err(rollback) => format!("rolling back after a full disk failed: {rollback}"),
            },
            CatalogError::Busy => "committing failed: meta.db is locked".to_owned(),
            CatalogError::Broken(what) => {
                let undone = roll_back(connection).err().map_or(String::new(), |also| format!(" ({also})"));
                format!("committing failed: {what}{undone}")
            }
        };
        self.health.poison(&reason);
        TransactionError::Poisoned { reason }
    }

    /// Refuses once the store is closed. Whoever holds `maintenance` can rely on the answer.
    pub(crate) fn must_be_open(&self) -> Result<(), StoreError> {
        if let Some(reason) = self.health.poisoned() {
            return Err(StoreError::Poisoned { reason });
        }
        if self.lock.lock().is_none() { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// Everything committed up to now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let mut latest = self.latest.lock();
        let memory = self.memory.read();
        if let Some(snapshot) = latest.upgrade()
            && snapshot.epoch() == memory.epoch()
        {
            return snapshot;
        }
        let snapshot = Arc::new(memory.snapshot(&self.reader));
        *latest = Arc::downgrade(&snapshot);
        snapshot
    }

    pub(crate) fn count_failure(&self, doing: &str, error: &StoreError) {
        self.counters.maintenance_failures.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%error, "{doing} failed; it is tried again later");
    }
}

/// Begins a transaction that will write. Another process may hold the write lock for a moment, to place a pin;
/// waiting for it changes nothing on the disk, so there is no end to the patience.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    loop {
        match connection.execute_batch("BEGIN IMMEDIATE") {
            Err(error) if CatalogError::of(&error) == CatalogError::Busy => {
                tracing::warn!("another process keeps meta.db locked; commits wait for it");
            }
            other => return other,
        }
    }
}

/// SQLite rolls back by itself after some errors; only a transaction still open needs it.
fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}

/// A thread of the store that died must not leave senders waiting for it, or memory growing.
pub(crate) struct PoisonOnPanic<'i> {
    pub(crate) inner: &'i Inner,
}

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.inner.health.poison("a thread of the store came upon a defect of the program");
            self.inner.queue.abandon();
        }
    }
}
