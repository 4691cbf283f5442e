//! Merges sorted segments into one, row by row, holding one small batch of each in memory.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows};
use manometer_model::rollup::ROW_COUNT;
use manometer_model::{Rollup, Table};

use crate::companions::Companions;
use crate::error::StoreError;
use crate::retain::GoesOn;
use crate::schema::arrow_schema;
use crate::segment::Segment;
use crate::segments::{
    MOST_BATCH_ROWS, SegmentDraft, SegmentFile, SegmentRows, SegmentSpace, keys_of, row_converter,
};

/// Rows merged between two looks at what else is to be done: about those of one pass of a flush, so that neither a
/// flush nor a merge keeps the other waiting for long.
const UNDISTURBED_ROWS: usize = 1 << 19;

/// Writes the rows of all inputs, which are of one table, to one segment of `partition` in `tmp/`, synced; behind it
/// its companions. Those are made of the rows, which pass here anyway, so that inputs need have none; scattered ones of
/// those of the inputs, `companions`. `None` when `goes_on`, which is asked from time to time, said no.
pub(crate) fn merge_sorted(
    space: &Arc<SegmentSpace>,
    inputs: &[Arc<Segment>],
    companions: &[Arc<Segment>],
    partition: &str,
    goes_on: GoesOn<'_>,
) -> Result<Option<Vec<SegmentDraft>>, StoreError> {
    let Some(first) = inputs.first() else { return Err(StoreError::Closed) };
    let table = first.table();
    let level = inputs.iter().map(|segment| segment.level()).max().unwrap_or(0).saturating_add(1);
    let converter = row_converter(table).map_err(merging)?;
    let mut cursors = Vec::with_capacity(inputs.len());
    for segment in inputs {
        cursors.push(Cursor::open(space, segment, &converter)?);
    }
    let mut output = SegmentFile::create(space, table, partition, level)?;
    merge_scattered(space, inputs, companions, &mut output)?;
    if !merge(&mut cursors, &converter, &mut output, goes_on)? {
        return Ok(None);
    }
    let drafts = output.finish_durable()?;
    let expected: u64 = inputs.iter().map(|segment| segment.rows()).sum();
    let written = drafts.first().map_or(0, |draft| draft.entry.rows);
    if written != expected {
        return Err(StoreError::Corrupt {
            what: format!("merging segments of {} gave {written} rows instead of {expected}", table.name),
        });
    }
    Ok(Some(drafts))
}

/// Puts the scattered roll-ups together of those of the inputs. Where these do not stand for all rows, as after a change
/// of the definitions or when some are over, the rows themselves have to tell.
fn merge_scattered(
    space: &SegmentSpace,
    inputs: &[Arc<Segment>],
    companions: &[Arc<Segment>],
    output: &mut SegmentFile,
) -> Result<(), StoreError> {
    let Some(merged) = output.companions() else { return Ok(()) };
    let expected: u64 = inputs.iter().map(|segment| segment.rows()).sum();
    for rollup in merged.scattered_apart() {
        let mut found = 0;
        for companion in companions.iter().filter(|file| std::ptr::eq(file.table(), rollup.table)) {
            if companion.is_rolled_up() {
                found += read_rolled_up(space, companion, rollup, merged)?;
            }
        }
        if found != expected {
            return merged.scattered_together();
        }
    }
    Ok(())
}

/// Tells a roll-up of the rows of one of its files; how many rows of the facts these stand for.
fn read_rolled_up(
    space: &SegmentSpace,
    file: &Segment,
    rollup: &Rollup,
    merged: &mut Companions,
) -> Result<u64, StoreError> {
    let mut rows = 0;
    for batch in SegmentRows::open(space, file)? {
        let batch = batch?;
        let counts =
            batch.column_by_name(ROW_COUNT).and_then(|counts| counts.as_primitive_opt::<Int64Type>());
        rows += counts.and_then(arrow::compute::sum).unwrap_or(0).unsigned_abs();
        merged.add_rolled_up(rollup, batch)?;
    }
    Ok(rows)
}

const fn merging(source: ArrowError) -> StoreError {
    StoreError::Arrow { doing: "merge segments", source }
}

/// Where the merge stands in one input.
struct Cursor {
    table: &'static Table,
    rows: SegmentRows,
    batch: RecordBatch,
    keys: Rows,
    row: usize,
}

impl Cursor {
    fn open(space: &SegmentSpace, segment: &Segment, converter: &RowConverter) -> Result<Self, StoreError> {
        let table = segment.table();
        let empty = RecordBatch::new_empty(arrow_schema(table));
        let keys = keys_of(converter, table, &empty).map_err(merging)?;
        Ok(Self { table, rows: SegmentRows::open(space, segment)?, batch: empty, keys, row: 0 })
    }

    fn is_used_up(&self) -> bool {
        self.row >= self.batch.num_rows()
    }

    /// Goes to the next batch; false at the end of the file.
    fn next_batch(&mut self, converter: &RowConverter) -> Result<bool, StoreError> {
        loop {
            let Some(read) = self.rows.next() else { return Ok(false) };
            self.batch = read?;
            self.keys = keys_of(converter, self.table, &self.batch).map_err(merging)?;
            self.row = 0;
            if !self.is_used_up() {
                return Ok(true);
            }
        }
    }
}

/// Writes all rows; false when `goes_on` said no. `standing` holds the cursors that have rows left, sorted by the key of
/// their next row.
fn merge(
    cursors: &mut [Cursor],
    converter: &RowConverter,
    output: &mut SegmentFile,
    goes_on: GoesOn<'_>,
) -> Result<bool, StoreError> {
    let mut undisturbed = 0;
    let mut standing: Vec<usize> = Vec::with_capacity(cursors.len());
    for number in 0..cursors.len() {
        if let Some(cursor) = cursors.get_mut(number)
            && cursor.next_batch(converter)?
        {
            stand_in_line(&mut standing, cursors, number);
        }
    }
    let mut picked: Vec<(usize, usize)> = Vec::with_capacity(MOST_BATCH_ROWS);
    while !standing.is_empty() {
        let number = standing.remove(0);
        let Some(cursor) = cursors.get_mut(number) else { break };
        picked.push((number, cursor.row));
        cursor.row += 1;
        let used_up = cursor.is_used_up();
        if used_up || picked.len() >= MOST_BATCH_ROWS {
            undisturbed += picked.len();
            write_picked(cursors, &mut picked, output)?;
        }
        if undisturbed >= UNDISTURBED_ROWS {
            undisturbed = 0;
            if !goes_on()? {
                return Ok(false);
            }
        }
        let goes_on = match cursors.get_mut(number) {
            Some(cursor) if used_up => cursor.next_batch(converter)?,
            _ => true,
        };
        if goes_on {
            stand_in_line(&mut standing, cursors, number);
        }
    }
    write_picked(cursors, &mut picked, output)?;
    Ok(true)
}

fn stand_in_line(standing: &mut Vec<usize>, cursors: &[Cursor], number: usize) {
    let Some(newcomer) = cursors.get(number) else { return };
    let key = newcomer.keys.row(newcomer.row);
    let place = standing.partition_point(|other| {
        cursors.get(*other).is_some_and(|cursor| (cursor.keys.row(cursor.row), *other) < (key, number))
    });
    standing.insert(place, number);
}

fn write_picked(
    cursors: &[Cursor],
    picked: &mut Vec<(usize, usize)>,
    output: &mut SegmentFile,
) -> Result<(), StoreError> {
    if picked.is_empty() {
        return Ok(());
    }
    let batches: Vec<&RecordBatch> = cursors.iter().map(|cursor| &cursor.batch).collect();
    let rows = interleave_record_batch(&batches, picked).map_err(merging)?;
    picked.clear();
    output.write(&rows)
}
