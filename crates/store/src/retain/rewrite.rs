//! Reading a segment for retention: to know what is in it, or to write it anew without what is over.

use std::sync::Arc;

use arrow::compute::filter_record_batch;

use super::terms::{self, Terms, needed_rows};
use super::{GoesOn, Step, is_listed, policy_number};
use crate::catalog::{segments, terms as noted};
use crate::companions::Companions;
use crate::error::StoreError;
use crate::flush::{new_segments, settle};
use crate::inner::Inner;
use crate::memory::Change;
use crate::report::RetainReport;
use crate::segment::Segment;
use crate::segments::{SegmentDraft, SegmentFile, SegmentRows, io_error, place_durable};

/// Looks at the rows of a segment once and notes what they tell.
pub(super) fn examine_segment(
    inner: &Inner,
    segment: &Arc<Segment>,
    today: i32,
    goes_on: GoesOn<'_>,
) -> Result<Step, StoreError> {
    let table = segment.table();
    let policy = inner.options.retention.of(table);
    let file = inner
        .space
        .filesystem
        .open_for_reading(segment.path())
        .map_err(|error| io_error(segment.path(), error))?;
    let Some(examined) = terms::examine(policy, segment, file, today, goes_on)? else {
        return Ok(Step::Stopped);
    };
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let written = inner.commit_durable(|connection| {
        noted::put(connection, segment.id(), policy_number(policy, table), examined.terms)?;
        Ok(((), Change::default()))
    });
    drop(turn);
    written.map_err(|error| error.into_store_error(inner))?;
    inner.retain.note_examined(segment.id(), examined.terms);
    Ok(Step::Done)
}

/// Writes a segment anew without the rows that are over, and swaps it for the old one.
pub(super) fn rewrite(
    inner: &Inner,
    index: usize,
    segment: &Arc<Segment>,
    today: i32,
    report: &mut RetainReport,
    goes_on: GoesOn<'_>,
) -> Result<Step, StoreError> {
    // Keeps the folder while a file is written into it: `maintenance` is free meanwhile, so that flushes go on.
    let Some(folder) = inner.lock.lock().clone() else { return Err(StoreError::Closed) };
    let Some((mut drafts, terms)) = write_needed(inner, segment, today, goes_on)? else {
        return Ok(Step::Stopped);
    };
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    if !is_listed(inner, index, segment) {
        // Merged into another one meanwhile; that one has its turn later.
        return Ok(Step::Done);
    }
    place_durable(&mut drafts)?;
    let written_anew = |draft: &&SegmentDraft| draft.entry.rolls_up.is_none();
    let rows_left: u64 = drafts.iter().filter(written_anew).map(|draft| draft.entry.rows).sum();
    let companions = inner.memory.read().companions_of(&[segment.id()]);
    let policy = policy_number(inner.options.retention.of(segment.table()), segment.table());
    let obsolete: Vec<(i64, &str)> = std::iter::once(segment)
        .chain(&companions)
        .map(|old| (old.id(), old.entry().file.as_str()))
        .collect();
    let new_ids: Vec<i64> = drafts.iter().filter(written_anew).map(|draft| draft.entry.id).collect();
    let swapped = inner.commit_durable(|connection| {
        for draft in &drafts {
            segments::insert(connection, &draft.entry)?;
        }
        for id in &new_ids {
            noted::put(connection, *id, policy, terms)?;
        }
        let removed = segments::replace(connection, &obsolete)?;
        if removed != obsolete.len() {
            return Err(rusqlite::Error::StatementChangedRows(removed));
        }
        let change = Change {
            segments: new_segments(inner, &drafts),
            replaced: obsolete.iter().map(|(id, _)| *id).collect(),
            ..Change::default()
        };
        Ok(((), change))
    });
    let mut bytes_left = 0;
    settle(inner, swapped, drafts, |entry| {
        bytes_left += if entry.rolls_up.is_none() { entry.size_bytes } else { 0 };
    })?;
    drop((turn, folder));
    inner.retain.forget_segments(&[segment.id()]);
    new_ids.into_iter().for_each(|id| inner.retain.note_examined(id, terms));
    let rows = segment.rows().saturating_sub(rows_left);
    let bytes = segment.size_bytes().saturating_sub(bytes_left);
    inner.retain.count(segment.table(), rows, bytes);
    report.removed(segment.table(), rows, bytes);
    report.segments_rewritten += 1;
    Ok(Step::Done)
}

/// The rows of a segment that are needed, as a file in `tmp/` with its companions, with their terms; and companions of
/// the rows that are over, which from now on describe a segment that is not there. No file of rows when none is needed;
/// `None` when `goes_on` said no.
fn write_needed(
    inner: &Inner,
    segment: &Arc<Segment>,
    today: i32,
    goes_on: GoesOn<'_>,
) -> Result<Option<(Vec<SegmentDraft>, Terms)>, StoreError> {
    let table = segment.table();
    let policy = inner.options.retention.of(table);
    let entry = segment.entry();
    let mut output: Option<SegmentFile> = None;
    let mut of_rows_over = Companions::new(&inner.space, table, &entry.partition, entry.level)?;
    let mut terms = Terms::none();
    let mut rows_read = 0;
    for read in SegmentRows::open(&inner.space, segment)? {
        if !goes_on()? {
            return Ok(None);
        }
        let batch = read?;
        rows_read += batch.num_rows() as u64;
        let needed = needed_rows(policy, table, &batch, today, &mut terms);
        let leaving_out = |source| StoreError::Arrow { doing: "leave out rows that are over", source };
        if let Some(companions) = &mut of_rows_over {
            let over = arrow::compute::not(&needed).map_err(leaving_out)?;
            companions.add(&filter_record_batch(&batch, &over).map_err(leaving_out)?)?;
        }
        let rows = filter_record_batch(&batch, &needed).map_err(leaving_out)?;
        if rows.num_rows() == 0 {
            continue;
        }
        let file = match &mut output {
            Some(file) => file,
            None => output.insert(SegmentFile::create(&inner.space, table, &entry.partition, entry.level)?),
        };
        file.write(&rows)?;
    }
    if rows_read != segment.rows() {
        let path = segment.path().display();
        return Err(StoreError::Corrupt {
            what: format!("segment {path}: has {rows_read} rows instead of {}", segment.rows()),
        });
    }
    let mut drafts = match output {
        Some(file) => file.finish_durable()?,
        None => Vec::new(),
    };
    if let Some(companions) = of_rows_over {
        drafts.extend(companions.finish_durable(inner.space.number())?);
    }
    Ok(Some((drafts, terms)))
}
