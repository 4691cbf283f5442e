//! Merges sorted segments into one, row by row, holding one small batch of each in memory.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows};
use manometer_model::rollup::ROW_COUNT;
use manometer_model::{Rollup, Table};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::companions::Companions;
use crate::error::StoreError;
use crate::retain::GoesOn;
use crate::schema::arrow_schema;
use crate::segment::Segment;
use crate::segments::{SegmentDraft, SegmentFile, SegmentSpace, io_error, keys_of, row_converter};

const MOST_BATCH_ROWS: usize = 8_192;
const LEAST_BATCH_ROWS: usize = 64;

/// Unpacked bytes of one batch in memory.
const BATCH_BYTES: usize = 2 << 20;

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
        let file = space
            .filesystem
            .open_for_reading(segment.path())
            .map_err(|error| io_error(segment.path(), error))?;
        cursors.push(Cursor::open(Arc::clone(segment), file, &converter)?);
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
    let path = file.path();
    let damaged = |what: String| StoreError::Corrupt { what: format!("segment {}: {what}", path.display()) };
    let open = space.filesystem.open_for_reading(path).map_err(|error| io_error(path, error))?;
    let mut rows = 0;
    for batch in open_reader(file, open)? {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let batch = as_table(&batch, rollup.table).map_err(damaged)?;
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
    segment: Arc<Segment>,
    reader: ParquetRecordBatchReader,
    batch: RecordBatch,
    keys: Rows,
    row: usize,
}

impl Cursor {
    fn open(segment: Arc<Segment>, file: File, converter: &RowConverter) -> Result<Self, StoreError> {
        let reader = open_reader(&segment, file)?;
        let empty = RecordBatch::new_empty(arrow_schema(segment.table()));
        let keys = keys_of(converter, segment.table(), &empty).map_err(merging)?;
        Ok(Self { segment, reader, batch: empty, keys, row: 0 })
    }

    fn is_used_up(&self) -> bool {
        self.row >= self.batch.num_rows()
    }

    /// Goes to the next batch; false at the end of the file.
    fn next_batch(&mut self, converter: &RowConverter) -> Result<bool, StoreError> {
        loop {
            let Some(read) = self.reader.next() else { return Ok(false) };
            let batch = read.map_err(|error| StoreError::Corrupt {
                what: format!("segment {}: {error}", self.segment.path().display()),
            })?;
            self.batch = as_table(&batch, self.segment.table()).map_err(|what| StoreError::Corrupt {
                what: format!("segment {}: {what}", self.segment.path().display()),
            })?;
            self.keys = keys_of(converter, self.segment.table(), &self.batch).map_err(merging)?;
            self.row = 0;
            if !self.is_used_up() {
                return Ok(true);
            }
        }
    }
}

/// Opens a segment for reading from its beginning, in batches of bounded size.
pub(crate) fn open_reader(segment: &Segment, file: File) -> Result<ParquetRecordBatchReader, StoreError> {
    let failed = |source| StoreError::Parquet { path: segment.path().to_owned(), source };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let unpacked: i64 = builder.metadata().row_groups().iter().map(|group| group.total_byte_size()).sum();
    let row_bytes =
        usize::try_from(unpacked).unwrap_or(0) / usize::try_from(segment.rows().max(1)).unwrap_or(1);
    let rows = (BATCH_BYTES / row_bytes.max(1)).clamp(LEAST_BATCH_ROWS, MOST_BATCH_ROWS);
    builder.with_batch_size(rows).build().map_err(failed)
}

/// The batch in the table's schema of today: columns by name, those the file does not have null.
pub(crate) fn as_table(batch: &RecordBatch, table: &'static Table) -> Result<RecordBatch, String> {
    let schema = arrow_schema(table);
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => columns.push(Arc::clone(column)),
            Some(column) => {
                return Err(format!("column {} has the type {}", field.name(), column.data_type()));
            }
            None => columns.push(new_null_array(field.data_type(), batch.num_rows())),
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(|error| error.to_string())
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
