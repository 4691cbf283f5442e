//! The open store: the one object other rooms hold.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use manometer_model::{EntityKey, Retention, Table};
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::backup::backup_to;
use crate::catalog::{Access, WhileOpening, connect, notes};
use crate::cleanup::remove_garbage;
use crate::delivery::{Delivery, DeliveryWriter};
use crate::error::{OpenError, StoreError, SubmitError};
use crate::follow::{Follower, FollowerStats};
use crate::inner::Inner;
use crate::memory::Change;
use crate::options::StoreOptions;
use crate::receipt::{DeliveryKey, PendingReceipt, Receipt};
use crate::report::{BackupReport, CompactReport, FlushReport, Health, RetainReport, StoreStats, TableStats};
use crate::room::Filling;
use crate::schema::table_index;
use crate::snapshot::Snapshot;
use crate::{committer, compact, flush, follow, maintenance, recover, retain, roll_up, shed};

/// An open data folder, held exclusively. Clones share it; the last one dropped closes it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
    threads: Arc<Threads>,
}

/// Stops the store's threads when the last handle goes.
#[derive(Debug)]
struct Threads {
    inner: Arc<Inner>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    fn start(inner: &Arc<Inner>) -> Result<Self, OpenError> {
        let started = Self { inner: Arc::clone(inner), handles: Mutex::default() };
        let failed = |source| OpenError::Io { path: inner.options.data.clone(), source };
        let own = Arc::clone(inner);
        let committer = thread::Builder::new().name("committer".to_owned());
        started.handles.lock().push(committer.spawn(move || committer::run(&own)).map_err(failed)?);
        if inner.options.flush.background {
            let connection = connect(&inner.options.data, Access::Read)?;
            connection.busy_timeout(Duration::ZERO).while_opening(&inner.space.folders.meta())?;
            let own = Arc::clone(inner);
            let keeper = thread::Builder::new().name("maintenance".to_owned());
            started
                .handles
                .lock()
                .push(keeper.spawn(move || maintenance::run(&own, &connection)).map_err(failed)?);
        }
        Ok(started)
    }

    fn stop(&self) {
        self.inner.queue.close();
        self.inner.bell.stop();
        let handles = std::mem::take(&mut *self.handles.lock());
        for handle in handles {
            if handle.join().is_err() {
                tracing::error!("a thread of the store ended with a panic");
            }
        }
        // Whoever writes files or commits holds one of these, so after this nothing of the kind can begin.
        let turn = self.inner.maintenance.lock();
        let writer = self.inner.writer.lock();
        let lock = self.inner.lock.lock().take();
        drop((writer, turn));
        drop(lock);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the ledger knows of a delivery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDelivery {
    /// The first receipt.
    pub receipt: Receipt,
    /// Hash of the body it was given for.
    pub body_hash: u128,
}

impl Store {
    /// Opens a data folder, making it when it does not exist, and puts in order what a crash left.
    ///
    /// # Errors
    /// When another process holds it, a newer program wrote it, or it is damaged.
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        let inner = Arc::new(recover::open(options)?);
        let threads = Arc::new(Threads::start(&inner)?);
        Ok(Self { inner, threads })
    }

    /// Begins a delivery.
    pub fn writer(&self) -> DeliveryWriter {
        let lock = self.inner.lock.lock().clone();
        DeliveryWriter::new(Arc::clone(&self.inner.space), lock, self.inner.options.flush.bulk_rows)
    }

    /// Queues a delivery for the committer; never blocks.
    ///
    /// # Errors
    /// When the queue is full or the store cannot write.
    pub fn submit(&self, delivery: Delivery) -> Result<PendingReceipt, SubmitError> {
        self.inner.health.admit(self.inner.options.clock.now())?;
        if self.inner.filling() == Filling::Everything {
            return Err(self.inner.health.lagging());
        }
        self.inner.queue.push(delivery)
    }

    /// Blocks for a moment while flushing lags behind, as long as it makes progress. For whoever is about to make a
    /// large delivery: it costs less to wait with that than to be refused with it.
    ///
    /// # Errors
    /// When [`Self::submit`] would refuse because flushing lags too far behind.
    pub fn wait_for_room(&self) -> Result<(), SubmitError> {
        self.inner.wait_for_room()
    }

    /// What the ledger knows of this key, so that a repetition is recognised before its body is decoded.
    /// Whether the body is the same is for the caller to compare.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn known(&self, key: &DeliveryKey) -> Result<Option<KnownDelivery>, StoreError> {
        let entry = self.inner.reader.known(key)?;
        Ok(entry.map(|known| KnownDelivery { receipt: known.receipt, body_hash: known.body_hash }))
    }

    /// A delivery as it came, by its receipt; `None` where it was not kept, or not that long
    /// ([`DeliveryWriter::keep_raw`], limit `raw_days`).
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn raw(&self, receipt: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.reader.raw(receipt)
    }

    /// Keeps a small text under a name, instead of the one before, and returns when it is on disk. It is part of
    /// every backup. For state that other rooms must find again after a restart: how far a poll has come.
    ///
    /// # Errors
    /// When the disk is full or the store cannot write.
    pub fn keep_note_durable(&self, name: &str, content: &str) -> Result<(), StoreError> {
        let put = |connection: &Connection| Ok((notes::put(connection, name, content)?, Change::default()));
        self.inner.commit_durable(put).map_err(|error| error.into_store_error(&self.inner))
    }

    /// Forgets the text under a name; one that is not there is no error.
    ///
    /// # Errors
    /// When the store cannot write.
    pub fn remove_note_durable(&self, name: &str) -> Result<(), StoreError> {
        let remove = |connection: &Connection| Ok((notes::remove(connection, name)?, Change::default()));
        self.inner.commit_durable(remove).map_err(|error| error.into_store_error(&self.inner))
    }

    /// The text kept under a name.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.inner.reader.note(name)
    }

    /// Every text whose name begins so, with its name, in the order of the names.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn notes(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.inner.reader.notes(prefix)
    }

    /// Was this entity ever observed?
    pub fn entity_exists(&self, key: &EntityKey) -> bool {
        let Some(index) = Table::named(key.table).and_then(table_index) else { return false };
        let memory = self.inner.memory.read();
        memory.tables.get(index).is_some_and(|table| table.entities.get(&key.text).is_some())
    }

    /// Everything committed up to now, frozen.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot()
    }

    /// Makes these names the followers of what is committed, durably: each is given what comes after the place it had.
    /// New names begin with what is committed from now on, those no longer given are forgotten.
    ///
    /// # Errors
    /// When the catalog cannot be written or read.
    pub fn follow(&self, names: &[&str]) -> Result<Vec<Follower>, OpenError> {
        follow::follow(&self.inner, names)
    }

    /// How far behind each follower is.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn followers(&self) -> Result<Vec<FollowerStats>, StoreError> {
        follow::stats(&self.inner)
    }

    /// Moves all fact rows from the journal into segments, now.
    ///
    /// # Errors
    /// When the disk is full or writing failed; nothing is lost then.
    pub fn flush(&self) -> Result<FlushReport, StoreError> {
        flush::flush_all(&self.inner)
    }

    /// Merges the segments of every table and day into as few as the size limit allows, now, rolls up those that
    /// have no companions, and removes merged files that nobody reads any more.
    ///
    /// # Errors
    /// When the disk is full or reading or writing failed; nothing is lost then.
    pub fn compact(&self) -> Result<CompactReport, StoreError> {
        let report = compact::compact_all(&self.inner)?;
        roll_up::roll_up_all(&self.inner)?;
        self.clean_up()?;
        Ok(report)
    }

    /// Removes every row whose term is over ([`StoreOptions::retention`]), now: first moves what the journal holds into
    /// segments, and at last gives the disk back. Commits and flushes go on beside it.
    ///
    /// # Errors
    /// When the disk is full or reading or writing failed; what was removed until then stays removed.
    pub fn retain(&self) -> Result<RetainReport, StoreError> {
        flush::flush_all(&self.inner)?;
        self.inner.retain.unsettle();
        let mut report = RetainReport::default();
        retain::retain(&self.inner, &mut report, &mut || Ok(!self.inner.bell.is_stopping()))?;
        self.clean_up()?;
        Ok(report)
    }

    /// Removes merged files that nobody reads any more, forgets deliveries past the limit `delivery_days` and gives
    /// free space of `meta.db` back, now.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn clean_up(&self) -> Result<(), StoreError> {
        remove_garbage(&self.inner)?;
        while shed::forget_what_is_old(&self.inner)? {}
        while shed::give_back_space(&self.inner)? {}
        Ok(())
    }

    /// Copies a consistent state into an empty folder while deliveries go on.
    ///
    /// # Errors
    /// When the folder is not empty or copying failed.
    pub fn backup(&self, destination: &Path) -> Result<BackupReport, StoreError> {
        backup_to(&self.inner.options, destination)
    }

    /// Limits the size of `meta.db`; `None` lifts the limit. Past it deliveries are refused as with a full
    /// disk, until flushing has made room or the limit is raised.
    ///
    /// # Errors
    /// When SQLite refuses the limit.
    pub fn limit_catalog_bytes(&self, limit: Option<u64>) -> Result<(), StoreError> {
        crate::catalog::connection::limit_bytes(&self.inner.writer.lock(), limit)
    }

    /// Numbers for health pages and metrics.
    pub fn stats(&self) -> StoreStats {
        let (queue_requests, queue_bytes) = self.inner.queue.depth();
        let counters = &self.inner.counters;
        let memory = self.inner.memory.read();
        let tables = memory.tables.iter().enumerate().map(|(index, table)| {
            let retired = self.inner.retain.removed(index);
            let segment_rows: u64 = table.segments.iter().map(|segment| segment.rows()).sum();
            let rows_in_memory = table.batch_rows + table.entities.len() as u64;
            TableStats {
                table: table.table.name,
                rows: segment_rows + rows_in_memory,
                rows_in_memory,
                segments: table.segments.len() as u64,
                segment_bytes: table.segments.iter().map(|segment| segment.size_bytes()).sum(),
                retired_rows: retired.rows,
                retired_bytes: retired.bytes,
            }
        });
        StoreStats {
            tables: tables.collect(),
            journal_bytes: memory.journal_bytes(),
            unflushed_memory_bytes: memory.unflushed_memory(),
            journal_batches: memory.tables.iter().map(|table| table.batches.len() as u64).sum(),
            queue_requests,
            queue_bytes,
            committed: counters.committed.load(Ordering::Relaxed),
            repeated: counters.repeated.load(Ordering::Relaxed),
            commit_groups: counters.commit_groups.load(Ordering::Relaxed),
            maintenance_failures: counters.maintenance_failures.load(Ordering::Relaxed),
            health: self.inner.health.report(),
        }
    }

    /// How long it keeps rows.
    pub fn retention(&self) -> &Retention {
        &self.inner.options.retention
    }

    /// Can it take deliveries?
    pub fn health(&self) -> Health {
        self.inner.health.report()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.inner.options.data
    }

    /// Commits what is queued, stops the store's threads and lets go of the folder. Deliveries to clones are
    /// refused from then on; a delivery still being built keeps the folder until it is dropped. Nothing needs
    /// closing for safety.
    pub fn close(self) {
        self.threads.stop();
    }
}
