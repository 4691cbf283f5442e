//! Reading a segment for retention: to know what is in it, or to write it anew without what is over.

use std::sync::Arc;

use arrow::compute::filter_record_batch;

use super::terms::{self, Terms, needed_rows};
use super::{GoesOn, Step, is_listed, policy_number};
use crate::catalog::{segments, terms as noted};
use crate::error::StoreError;
use crate::flush::{new_segment, settle};
use crate::inner::Inner;
use crate::memory::Change;
use crate::merge_segments::{as_table, open_reader};
use crate::report::RetainReport;
use crate::segment::Segment;
use crate::segments::{SegmentDraft, SegmentFile, io_error, place_durable};

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
    let Some((draft, terms)) = write_needed(inner, segment, today, goes_on)? else {
        return Ok(Step::Stopped);
    };
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    if !is_listed(inner, index, segment) {
        // Merged into another one meanwhile; that one has its turn later.
        return Ok(Step::Done);
    }
    let mut drafts: Vec<SegmentDraft> = draft.into_iter().collect();
    place_durable(&mut drafts)?;
    let rows_left: u64 = drafts.iter().map(|draft| draft.entry.rows).sum();
    let policy = policy_number(inner.options.retention.of(segment.table()), segment.table());
    let obsolete = [(segment.id(), segment.entry().file.as_str())];
    let new_ids: Vec<i64> = drafts.iter().map(|draft| draft.entry.id).collect();
    let swapped = inner.commit_durable(|connection| {
        for draft in &drafts {
            segments::insert(connection, &draft.entry)?;
            noted::put(connection, draft.entry.id, policy, terms)?;
        }
        let removed = segments::replace(connection, &obsolete)?;
        if removed != obsolete.len() {
            return Err(rusqlite::Error::StatementChangedRows(removed));
        }
        let change = Change {
            segments: drafts.iter().map(|draft| (index, Arc::new(new_segment(inner, draft)))).collect(),
            replaced: Some((index, vec![segment.id()])),
            ..Change::default()
        };
        Ok(((), change))
    });
    let mut bytes_left = 0;
    settle(inner, swapped, drafts, |size_bytes| bytes_left += size_bytes)?;
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

/// The rows of a segment that are needed, as a file in `tmp/`, with their terms. No file when none is needed; `None`
/// when `goes_on` said no.
fn write_needed(
    inner: &Inner,
    segment: &Arc<Segment>,
    today: i32,
    goes_on: GoesOn<'_>,
) -> Result<Option<(Option<SegmentDraft>, Terms)>, StoreError> {
    let table = segment.table();
    let policy = inner.options.retention.of(table);
    let path = segment.path();
    let corrupt = |what: String| StoreError::Corrupt { what: format!("segment {}: {what}", path.display()) };
    let file = inner.space.filesystem.open_for_reading(path).map_err(|error| io_error(path, error))?;
    let mut output: Option<SegmentFile> = None;
    let mut terms = Terms::none();
    let mut rows_read = 0;
    for read in open_reader(segment, file)? {
        if !goes_on()? {
            return Ok(None);
        }
        let batch = as_table(&read.map_err(|error| corrupt(error.to_string()))?, table).map_err(corrupt)?;
        rows_read += batch.num_rows() as u64;
        let needed = needed_rows(policy, table, &batch, today, &mut terms);
        let rows = filter_record_batch(&batch, &needed)
            .map_err(|source| StoreError::Arrow { doing: "leave out rows that are over", source })?;
        if rows.num_rows() == 0 {
            continue;
        }
        let entry = segment.entry();
        let file = match &mut output {
            Some(file) => file,
            None => output.insert(SegmentFile::create(&inner.space, table, &entry.partition, entry.level)?),
        };
        file.write(&rows)?;
    }
    if rows_read != segment.rows() {
        return Err(corrupt(format!("has {rows_read} rows instead of {}", segment.rows())));
    }
    Ok(Some((output.map(SegmentFile::finish_durable).transpose()?, terms)))
}
