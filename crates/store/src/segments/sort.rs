//! From batches in order of arrival to segments in the order of the table, one for each day.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use manometer_model::{Table, TableKind, Timestamp};

use crate::error::StoreError;
use crate::folders::{MIXED, partition_of_day};
use crate::schema::arrow_type;
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

#[derive(Clone, Copy)]
struct Place {
    day: i32,
    batch: u32,
    row: u32,
}

/// Sorts the rows of some batches and writes them as segments of level 0 to `tmp/`, synced.
pub(crate) fn write_sorted(
    space: &Arc<SegmentSpace>,
    table: &'static Table,
    batches: &[RecordBatch],
) -> Result<Vec<SegmentDraft>, StoreError> {
    let places = sorted_places(table, batches)
        .map_err(|source| StoreError::Arrow { doing: "sort rows for a segment", source })?;
    let borrowed: Vec<&RecordBatch> = batches.iter().collect();
    let mut drafts = Vec::new();
    for of_one_day in places.chunk_by(|left, right| left.day == right.day) {
        let Some(first) = of_one_day.first() else { continue };
        let partition = if first.day == MIXED_DAY { MIXED.to_owned() } else { partition_of_day(first.day) };
        let mut file = SegmentFile::create(space, table, &partition, 0)?;
        for some in of_one_day.chunks(WRITE_ROWS) {
            let indices: Vec<(usize, usize)> =
                some.iter().map(|place| (place.batch as usize, place.row as usize)).collect();
            let rows = interleave_record_batch(&borrowed, &indices)
                .map_err(|source| StoreError::Arrow { doing: "gather rows for a segment", source })?;
            file.write(&rows)?;
        }
        drafts.push(file.finish_durable()?);
    }
    Ok(drafts)
}

fn sorted_places(table: &'static Table, batches: &[RecordBatch]) -> Result<Vec<Place>, ArrowError> {
    let converter = row_converter(table)?;
    let mut keys = Vec::with_capacity(batches.len());
    let mut places = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (number, batch) in batches.iter().enumerate() {
        keys.push(keys_of(&converter, table, batch)?);
        let times =
            batch.column_by_name("at").map(|column| column.as_primitive::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            let micros = times.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row));
            places.push(Place {
                day: Timestamp::from_micros(micros).day(),
                batch: number as u32,
                row: row as u32,
            });
        }
    }
    gather_rare_days(&mut places);
    places.sort_unstable_by(|left, right| {
        left.day
            .cmp(&right.day)
            .then_with(|| by_key(&keys, *left, *right))
            .then_with(|| (left.batch, left.row).cmp(&(right.batch, right.row)))
    });
    Ok(places)
}

fn by_key(keys: &[Rows], left: Place, right: Place) -> Ordering {
    match (keys.get(left.batch as usize), keys.get(right.batch as usize)) {
        (Some(one), Some(other)) => one.row(left.row as usize).cmp(&other.row(right.row as usize)),
        _ => Ordering::Equal,
    }
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
    let rare: std::collections::HashSet<i32> = days.into_iter().skip(MOST_DAYS).map(|(_, day)| day).collect();
    for place in places.iter_mut() {
        if rare.contains(&place.day) {
            place.day = MIXED_DAY;
        }
    }
}
