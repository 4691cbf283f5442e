//! The thread that keeps the store in shape: flush, compaction, checkpoints, and shedding what is not needed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use manometer_model::Timestamp;
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::catalog::{CatalogError, Doing};
use crate::cleanup::remove_garbage;
use crate::compact::compact_due;
use crate::error::StoreError;
use crate::flush::flush_table;
use crate::inner::{Inner, PoisonOnPanic};
use crate::report::{FlushReport, RetainReport};
use crate::retain::retain;
use crate::roll_up::roll_up_due;
use crate::shed::{forget_what_is_old, give_back_space};

/// How often it looks round when nobody wakes it.
const ROUND: Duration = Duration::from_secs(1);

/// The longest pause after failures; doubled from one round up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Size of the write-ahead log at which its pages are moved into the database.
const CHECKPOINT_BYTES: u64 = 16 << 20;

/// Size at which the committer must wait for that, so that the log cannot grow for ever under load.
const BLOCKING_CHECKPOINT_BYTES: u64 = 256 << 20;

/// Batches of one table in memory at which it is flushed, however few rows they have.
const MANY_BATCHES: usize = 8_192;

/// Flushing begins when this part of the memory for unflushed rows is taken.
const FLUSHED_AT: u64 = 4;

#[derive(Debug, Default)]
struct Signal {
    rung: bool,
    stopping: bool,
}

/// Wakes and stops the maintenance thread.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    signal: Mutex<Signal>,
    changed: Condvar,
}

impl Bell {
    /// Wakes the thread when there is enough in memory to be flushed.
    pub(crate) fn ring_if_due(&self, inner: &Inner) {
        if inner.options.flush.background && is_flush_due(inner) {
            self.signal.lock().rung = true;
            self.changed.notify_one();
        }
    }

    pub(crate) fn stop(&self) {
        self.signal.lock().stopping = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.signal.lock().stopping
    }

    /// Waits for the next round; false when it is time to stop. A ring does not shorten a pause after failures.
    fn wait(&self, pause: Duration) -> bool {
        let mut signal = self.signal.lock();
        let answered = signal.rung && pause <= ROUND;
        if !(signal.stopping || answered) {
            self.changed.wait_for(&mut signal, pause);
        }
        signal.rung = false;
        !signal.stopping
    }
}

/// Runs until the store is closed. `connection` is its own, for checkpoints; it must not wait for locks.
pub(crate) fn run(inner: &Inner, connection: &Connection) {
    let guard = PoisonOnPanic { inner };
    let mut pause = ROUND;
    let mut groups_before = 0;
    while inner.bell.wait(pause) {
        let groups = inner.counters.commit_groups.load(Ordering::Relaxed);
        let idle = std::mem::replace(&mut groups_before, groups) == groups;
        let outcome = round(inner, connection, idle);
        inner.health.maintained(matches!(outcome, Err(StoreError::DiskFull { .. })));
        match outcome {
            Ok(()) => pause = ROUND,
            Err(error) => {
                inner.count_failure("maintenance of the store", &error);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    drop(guard);
}

fn round(inner: &Inner, connection: &Connection, idle: bool) -> Result<(), StoreError> {
    if inner.health.poisoned().is_some() {
        return Ok(());
    }
    let has_flushed = flush_due(inner)?;
    checkpoint_if_due(inner, connection, idle)?;
    // Before rows are merged that are not needed any more. A segment that cannot be read must not keep the rest of
    // the round from being done.
    let retained = retain_due(inner, connection);
    compact_due(inner, has_flushed || is_flush_due(inner), &mut || {
        flush_due_held(inner)?;
        checkpoint_if_due(inner, connection, false)?;
        Ok(!inner.bell.is_stopping())
    })?;
    roll_up_due(inner)?;
    remove_garbage(inner)?;
    forget_what_is_old(inner)?;
    if idle {
        give_back_space(inner)?;
    }
    retained
}

/// Flushes what has become due; false when nothing has.
fn flush_due(inner: &Inner) -> Result<bool, StoreError> {
    let turn = inner.maintenance.lock();
    let has_flushed = flush_due_held(inner)?;
    drop(turn);
    Ok(has_flushed)
}

/// The same. The caller holds `maintenance`.
fn flush_due_held(inner: &Inner) -> Result<bool, StoreError> {
    let mut report = FlushReport::default();
    let due = due_tables(inner, inner.options.clock.now());
    for index in &due {
        flush_table(inner, *index, &mut report)?;
    }
    if report.rows > 0 {
        tracing::debug!(rows = report.rows, segments = report.segments, "flushed");
    }
    Ok(!due.is_empty())
}

/// Removes rows whose term is over; between its steps, and while it reads a segment, flushes what has become due.
fn retain_due(inner: &Inner, connection: &Connection) -> Result<(), StoreError> {
    let mut report = RetainReport::default();
    let done = retain(inner, &mut report, &mut || {
        flush_due(inner)?;
        checkpoint_if_due(inner, connection, false)?;
        Ok(!inner.bell.is_stopping())
    });
    for (table, removed) in &report.tables {
        tracing::info!(
            table,
            rows = removed.rows,
            bytes = removed.bytes,
            "removed what is older than its term"
        );
    }
    done
}

/// Is there enough in memory to be flushed?
pub(crate) fn is_flush_due(inner: &Inner) -> bool {
    !due_tables(inner, inner.options.clock.now()).is_empty()
}

/// Positions of the tables whose rows should move into segments now.
fn due_tables(inner: &Inner, now: Timestamp) -> Vec<usize> {
    let policy = &inner.options.flush;
    let memory = inner.memory.read();
    let journal_full = memory.journal_bytes() >= policy.journal_bytes
        || memory.unflushed_memory() >= policy.memory_bytes / FLUSHED_AT;
    let is_due = |table: &crate::memory::TableMemory| {
        let Some(oldest) = table.batches.first() else { return false };
        journal_full
            || table.batch_rows >= policy.rows
            || table.batches.len() >= MANY_BATCHES
            || now.seconds_since(oldest.committed_at) >= policy.age_seconds as f64
    };
    memory.tables.iter().enumerate().filter(|(_, table)| is_due(table)).map(|(index, _)| index).collect()
}

/// Moves the write-ahead log into the database when it has grown, or when nothing else is to be done. Readers
/// go on beside it; where they need the log it stays, and is moved another time.
fn checkpoint_if_due(inner: &Inner, connection: &Connection, idle: bool) -> Result<(), StoreError> {
    let size = inner.space.folders.write_ahead_log().metadata().map_or(0, |metadata| metadata.len());
    if size == 0 || (size < CHECKPOINT_BYTES && !idle) {
        return Ok(());
    }
    let writer = (idle || size >= BLOCKING_CHECKPOINT_BYTES).then(|| inner.writer.lock());
    let mode =
        if writer.is_some() { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
    let done = connection.query_row(mode, [], |_| Ok(()));
    drop(writer);
    let Err(error) = done else { return Ok(()) };
    match CatalogError::of(&error) {
        CatalogError::Busy => Ok(()),
        CatalogError::Full => Err(error).doing("move the write-ahead log into meta.db"),
        CatalogError::Broken(reason) => {
            inner.health.poison(&format!("moving the write-ahead log into meta.db failed: {reason}"));
            Ok(())
        }
    }
}
