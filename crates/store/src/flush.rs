//! Flush: rows move from the journal into segments.
//!
//! Sorted Parquet is written and synced under its final name first; then one transaction lists the segments
//! and deletes the journal rows, and memory follows under the same lock. A crash before that transaction
//! leaves files nobody lists, which the next start removes; a crash after it leaves the finished move.

use std::sync::Arc;

use crate::catalog::segments::SegmentEntry;
use crate::catalog::{followers, journal, segments};
use crate::error::StoreError;
use crate::inner::Inner;
use crate::memory::{Change, MemoryBatch};
use crate::report::FlushReport;
use crate::schema::table_index;
use crate::segment::Segment;
use crate::segments::{SegmentDraft, place_durable, write_sorted};

/// Rows flushed at once: bounds the memory of a flush, also of a large journal found at a start.
const PASS_ROWS: u64 = 1 << 19;

/// Moves everything the journal holds now.
pub(crate) fn flush_all(inner: &Inner) -> Result<FlushReport, StoreError> {
    let turn = inner.maintenance.lock();
    let mut report = FlushReport::default();
    let tables = inner.memory.read().tables.len();
    for index in 0..tables {
        flush_table(inner, index, &mut report)?;
    }
    drop(turn);
    Ok(report)
}

/// Moves what the journal holds of one table now. The caller holds `maintenance`.
///
/// Each pass takes hold of its own batches only, so that what is flushed gives its memory back before the next pass.
pub(crate) fn flush_table(inner: &Inner, index: usize, report: &mut FlushReport) -> Result<(), StoreError> {
    let Some(last) = inner.memory.read().tables.get(index).and_then(|table| Some(table.batches.last()?.seq))
    else {
        return Ok(());
    };
    loop {
        inner.must_be_open()?;
        let pass = next_pass(inner, index, last);
        if pass.is_empty() {
            return Ok(());
        }
        flush_batches(inner, index, &pass, report)?;
    }
}

/// The first batches of a table, up to [`PASS_ROWS`] rows of them, none newer than `last`.
fn next_pass(inner: &Inner, index: usize, last: i64) -> Vec<Arc<MemoryBatch>> {
    let memory = inner.memory.read();
    let Some(table) = memory.tables.get(index) else { return Vec::new() };
    let waiting = table.batches.partition_point(|batch| batch.seq <= last);
    let waiting = table.batches.get(..waiting).unwrap_or_default();
    waiting.iter().take(pass_length(waiting)).map(Arc::clone).collect()
}

/// How many of the first batches make up one pass: at least one.
fn pass_length(batches: &[Arc<MemoryBatch>]) -> usize {
    let mut rows = 0;
    let fitting = batches.iter().take_while(|batch| {
        rows += batch.rows;
        rows <= PASS_ROWS
    });
    fitting.count().max(1)
}

fn flush_batches(
    inner: &Inner,
    index: usize,
    batches: &[Arc<MemoryBatch>],
    report: &mut FlushReport,
) -> Result<(), StoreError> {
    let Some(table) = batches.first().map(|batch| batch.table) else { return Ok(()) };
    let rows = batches.iter().map(|batch| batch.compact()).collect::<Result<Vec<_>, _>>()?;
    let mut drafts = write_sorted(&inner.space, table, &rows)?;
    place_durable(&mut drafts)?;
    let numbers: Vec<i64> = batches.iter().map(|batch| batch.seq).collect();
    let listed = inner.commit_durable(|connection| {
        for draft in &drafts {
            segments::insert(connection, &draft.entry)?;
        }
        if inner.followers.any() {
            followers::keep(connection, &numbers, inner.options.limits.export_backlog_bytes)?;
        }
        let deleted = journal::delete(connection, &numbers)?;
        if deleted != numbers.len() {
            return Err(rusqlite::Error::StatementChangedRows(deleted));
        }
        let change = Change {
            segments: new_segments(inner, &drafts),
            flushed: Some((index, numbers.len())),
            ..Change::default()
        };
        Ok(((), change))
    });
    settle(inner, listed, drafts, |entry| {
        report.segments += u64::from(entry.rolls_up.is_none());
        report.size_bytes += entry.size_bytes;
    })?;
    inner.room.flushed();
    report.rows += batches.iter().map(|batch| batch.rows).sum::<u64>();
    Ok(())
}

/// The segments of drafts about to be listed, each with the position of its table.
pub(crate) fn new_segments(inner: &Inner, drafts: &[SegmentDraft]) -> Vec<(usize, Arc<Segment>)> {
    let made = drafts.iter().filter_map(|draft| {
        let garbage = Some(Arc::clone(&inner.garbage));
        let segment = Segment::new(draft.entry.clone(), draft.table, &inner.space.folders, garbage);
        Some((table_index(draft.table)?, Arc::new(segment)))
    });
    made.collect()
}

/// Hands the files over when their transaction is durable; keeps or drops them as its failure demands.
pub(crate) fn settle(
    inner: &Inner,
    listed: Result<(), crate::inner::TransactionError>,
    drafts: Vec<SegmentDraft>,
    mut count: impl FnMut(&SegmentEntry),
) -> Result<(), StoreError> {
    match listed {
        Ok(()) => {
            for draft in drafts {
                count(&draft.entry);
                draft.hand_over();
            }
            Ok(())
        }
        Err(error) => {
            if error.is_doubtful() {
                drafts.into_iter().for_each(SegmentDraft::doubtful);
            }
            Err(error.into_store_error(inner))
        }
    }
}
