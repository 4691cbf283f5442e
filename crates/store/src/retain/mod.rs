//! Retention: rows whose term is over are removed, and their disk is given back.
//!
//! ```text
//! segment ── all rows over ──────────────► off the list, its file to the garbage
//!         ── some over for long enough ──► written anew without them, swapped as in a compaction
//!         ── rules by value, not known ──► rows looked at once, the answer noted in the catalog
//! entity  ── ended, its term over ───────► deleted, a run together with its jobs
//! ```
//!
//! The companions of a segment, its roll-ups, have terms of their own and stay when it goes. Where a segment is written
//! anew its companions are split in two: those of the rows that stay, and those of the rows that are over.
//!
//! Everything happens in bounded steps, each one transaction. While a segment is read, the caller's `goes_on` is asked
//! between batches: the background flushes there what has become due, so no sender waits for a rewriting. Rows in the
//! journal wait for their flush: what arrives older than its term is stored, and removed by the same steps.

mod entities;
mod plan;
mod rewrite;
mod state;
mod terms;

use std::sync::Arc;

use crate::catalog::segments;
use crate::error::StoreError;
use crate::inner::Inner;
use crate::memory::Change;
use crate::report::RetainReport;
use crate::segment::Segment;

pub(crate) use state::RetainState;
pub(crate) use terms::{Terms, policy_number};

use state::today;
use terms::{Due, due};

/// Most segments taken off the list in one transaction.
const DROPPED_AT_ONCE: usize = 256;

/// Asked between two batches and two steps: does retention go on?
pub(crate) type GoesOn<'g> = &'g mut dyn FnMut() -> Result<bool, StoreError>;

/// Removes what is over, step by step, until nothing is left to do or `goes_on` says no.
pub(crate) fn retain(
    inner: &Inner,
    report: &mut RetainReport,
    goes_on: GoesOn<'_>,
) -> Result<(), StoreError> {
    let today = today(inner);
    let next_segment = inner.space.next_number();
    if !inner.retain.is_settled(today, next_segment) {
        loop {
            match segment_step(inner, today, report, goes_on)? {
                Step::Nothing => break,
                Step::Stopped => return Ok(()),
                Step::Done if goes_on()? => {}
                Step::Done => return Ok(()),
            }
        }
        // What was listed meanwhile, also by these steps, is looked at in the next round.
        inner.retain.settle(today, next_segment);
    }
    if !inner.retain.are_entities_settled(today) && entities::forget(inner, today, report, goes_on)? {
        inner.retain.settle_entities(today);
    }
    Ok(())
}

/// How a step ended.
enum Step {
    /// There is nothing to do.
    Nothing,
    Done,
    /// `goes_on` said no.
    Stopped,
}

/// What is to be done next.
enum Work {
    Drop { index: usize, segments: Vec<Arc<Segment>> },
    Examine(Arc<Segment>),
    Rewrite { index: usize, segment: Arc<Segment> },
}

/// Does the next thing about segments.
fn segment_step(
    inner: &Inner,
    today: i32,
    report: &mut RetainReport,
    goes_on: GoesOn<'_>,
) -> Result<Step, StoreError> {
    match next_work(inner, today) {
        None => Ok(Step::Nothing),
        Some(Work::Drop { index, segments }) => {
            drop_whole(inner, index, &segments, report)?;
            Ok(Step::Done)
        }
        Some(Work::Examine(segment)) => rewrite::examine_segment(inner, &segment, today, goes_on),
        Some(Work::Rewrite { index, segment }) => {
            rewrite::rewrite(inner, index, &segment, today, report, goes_on)
        }
    }
}

/// What can be dropped whole comes first: it costs nothing and makes room.
fn next_work(inner: &Inner, today: i32) -> Option<Work> {
    let memory = inner.memory.read();
    let mut reading = None;
    for (index, table) in memory.tables.iter().enumerate() {
        let policy = inner.options.retention.of(table.table);
        let mut over = Vec::new();
        // Of a segment of an older version companions are made first: they stay when its rows go.
        for segment in table.segments.iter().filter(|segment| segment.is_rolled_up()) {
            match due(policy, segment, inner.retain.examined(segment.id()), today) {
                Due::Nothing => {}
                Due::Drop => over.push(Arc::clone(segment)),
                Due::Examine if reading.is_none() => reading = Some(Work::Examine(Arc::clone(segment))),
                Due::Rewrite if reading.is_none() => {
                    reading = Some(Work::Rewrite { index, segment: Arc::clone(segment) });
                }
                Due::Examine | Due::Rewrite => {}
            }
            if over.len() >= DROPPED_AT_ONCE {
                break;
            }
        }
        if !over.is_empty() {
            return Some(Work::Drop { index, segments: over });
        }
    }
    reading
}

/// Takes segments off the list; their files go when nobody reads them any more.
fn drop_whole(
    inner: &Inner,
    index: usize,
    over: &[Arc<Segment>],
    report: &mut RetainReport,
) -> Result<(), StoreError> {
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let still_listed: Vec<&Arc<Segment>> =
        over.iter().filter(|segment| is_listed(inner, index, segment)).collect();
    let numbers: Vec<i64> = still_listed.iter().map(|segment| segment.id()).collect();
    let obsolete: Vec<(i64, &str)> =
        still_listed.iter().map(|segment| (segment.id(), segment.entry().file.as_str())).collect();
    let dropped = inner.commit_durable(|connection| {
        let removed = segments::replace(connection, &obsolete)?;
        if removed != obsolete.len() {
            return Err(rusqlite::Error::StatementChangedRows(removed));
        }
        Ok(((), Change { replaced: numbers.clone(), ..Change::default() }))
    });
    drop(turn);
    dropped.map_err(|error| error.into_store_error(inner))?;
    inner.retain.forget_segments(&numbers);
    for segment in still_listed {
        inner.retain.count(segment.table(), segment.rows(), segment.size_bytes());
        report.removed(segment.table(), segment.rows(), segment.size_bytes());
        report.segments_removed += 1;
    }
    Ok(())
}

/// Is a segment part of the data, now? Whoever holds `maintenance` can rely on the answer.
fn is_listed(inner: &Inner, index: usize, segment: &Arc<Segment>) -> bool {
    let memory = inner.memory.read();
    memory
        .tables
        .get(index)
        .is_some_and(|table| table.segments.iter().any(|known| known.id() == segment.id()))
}
