//! From batches in order of arrival to segments in the order of the table, one for each day.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat, take_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use manometer_model::{Table, TableKind, Timestamp};

use crate::batch::CompactBatch;
use crate::error::StoreError;
use crate::folders::{MIXED, partition_of_day};
use crate::schema::{arrow_schema, arrow_type};
use crate::segments::{SegmentDraft, SegmentFile, SegmentSpace};

/// Most days that get a segment of their own from one flush; rows of further days share one, so that a
/// sender with odd clocks cannot make a file a row.
const MOST_DAYS: usize = 128;

/// Rows handed to the Parquet writer at once.
const WRITE_ROWS: usize = 8_192;

/// Sorts after every day.
const MIXED_DAY: i32 = i32::MAX;

/// Positions of the columns a table is sorted by.
fn sort_columns(table: &Table) -> Vec<usize> {
    let TableKind::Fact { order } = table.kind else { return Vec::new() };
    order.iter().filter_map(|name| table.position(name)).collect()
}

/// Makes the keys that sort rows in the order of the table.
pub(crate) fn row_converter(table: &Table) -> Result<RowConverter, ArrowError> {
    let fields = sort_columns(table)
        .into_iter()
        .filter_map(|position| table.columns.get(position))
        .map(|column| SortField::new(arrow_type(column.kind)));
    RowConverter::new(fields.collect())
}

/// The sorting keys of a batch.
pub(crate) fn keys_of(
    converter: &RowConverter,
    table: &Table,
    batch: &RecordBatch,
) -> Result<Rows, ArrowError> {
    let columns: Vec<_> = sort_columns(table)
        .into_iter()
        .filter_map(|position| batch.columns().get(position).map(Arc::clone))
        .collect();
    converter.convert_columns(&columns)
}

/// Where a row lies, and what it sorts by first.
#[derive(Clone, Copy)]
struct Place {
    day: i32,
    row: u32,
    /// The first bytes of its key in which keys differ: settles nearly every comparison without a look at the key.
    leading: u128,
}

/// Sorts the rows of some batches and writes them as segments of level 0, each with its companions, to `tmp/`, synced.
pub(crate) fn write_sorted(
    space: &Arc<SegmentSpace>,
    table: &'static Table,
    batches: &[Arc<CompactBatch>],
) -> Result<Vec<SegmentDraft>, StoreError> {
    let rows = joined(table, batches)
        .map_err(|source| StoreError::Arrow { doing: "join batches for a segment", source })?;
    let places = sorted_places(table, &rows)
        .map_err(|source| StoreError::Arrow { doing: "sort rows for a segment", source })?;
    let mut drafts = Vec::new();
    for of_one_day in places.chunk_by(|left, right| left.day == right.day) {
        let Some(first) = of_one_day.first() else { continue };
        let partition = if first.day == MIXED_DAY { MIXED.to_owned() } else { partition_of_day(first.day) };
        let mut file = SegmentFile::create(space, table, &partition, 0)?;
        for some in of_one_day.chunks(WRITE_ROWS) {
            let numbers = UInt32Array::from_iter_values(some.iter().map(|place| place.row));
            let gathered = take_record_batch(&rows, &numbers)
                .map_err(|source| StoreError::Arrow { doing: "gather rows for a segment", source })?;
            file.write(&gathered)?;
        }
        drafts.extend(file.finish_durable()?);
    }
    Ok(drafts)
}

/// One long batch, so that gathering rows does not pass over thousands of small ones for each column. Made column by
/// column: in Arrow the rows take several times the memory of their compact form, so they stand there once, not twice.
fn joined(table: &'static Table, batches: &[Arc<CompactBatch>]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Vec::with_capacity(table.columns.len());
    for position in 0..table.columns.len() {
        let parts =
            batches.iter().map(|batch| batch.expand_column(position)).collect::<Result<Vec<_>, _>>()?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        columns.push(concat(&parts)?);
    }
    let rows = batches.iter().map(|batch| batch.rows).sum();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(arrow_schema(table), columns, &options)
}

fn sorted_places(table: &'static Table, rows: &RecordBatch) -> Result<Vec<Place>, ArrowError> {
    let keys = keys_of(&row_converter(table)?, table, rows)?;
    let shared = shared_length(&keys);
    let times = rows.column_by_name("at").map(|column| column.as_primitive::<TimestampMicrosecondType>());
    let mut places = Vec::with_capacity(rows.num_rows());
    for (number, key) in keys.iter().enumerate() {
        let micros = times.filter(|column| column.is_valid(number)).map_or(0, |column| column.value(number));
        places.push(Place {
            day: Timestamp::from_micros(micros).day(),
            row: number as u32,
            leading: leading_bytes(key.data(), shared),
        });
    }
    gather_rare_days(&mut places);
    places.sort_unstable_by(|left, right| {
        (left.day, left.leading)
            .cmp(&(right.day, right.leading))
            .then_with(|| keys.row(left.row as usize).cmp(&keys.row(right.row as usize)))
            .then_with(|| left.row.cmp(&right.row))
    });
    Ok(places)
}

/// How many first bytes all keys have in common.
fn shared_length(keys: &Rows) -> usize {
    if keys.num_rows() == 0 {
        return 0;
    }
    let first = keys.row(0);
    let mut shared = first.data().len();
    for key in keys.iter() {
        let same = key.data().iter().zip(first.data()).take(shared).take_while(|(left, right)| left == right);
        shared = same.count();
    }
    shared
}

/// The sixteen bytes after the first `skipped` ones, as a number that sorts as they do.
fn leading_bytes(key: &[u8], skipped: usize) -> u128 {
    let mut bytes = [0_u8; 16];
    let rest = key.get(skipped..).unwrap_or_default();
    for (place, byte) in bytes.iter_mut().zip(rest) {
        *place = *byte;
    }
    u128::from_be_bytes(bytes)
}

/// Beyond [`MOST_DAYS`] days, the days with the fewest rows go together.
fn gather_rare_days(places: &mut [Place]) {
    let mut rows_of_day: HashMap<i32, usize> = HashMap::new();
    for place in places.iter() {
        *rows_of_day.entry(place.day).or_default() += 1;
    }
    if rows_of_day.len() <= MOST_DAYS {
        return;
    }
    let mut days: Vec<(usize, i32)> = rows_of_day.into_iter().map(|(day, rows)| (rows, day)).collect();
    days.sort_unstable_by(|left, right| right.cmp(left));
    let rare: HashSet<i32> = days.into_iter().skip(MOST_DAYS).map(|(_, day)| day).collect();
    for place in places.iter_mut() {
        if rare.contains(&place.day) {
            place.day = MIXED_DAY;
        }
    }
}
