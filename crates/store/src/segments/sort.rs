//! From batches in order of arrival to segments in the order of the table, one for each day.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use manometer_model::{Table, TableKind};

use crate::batch::CompactBatch;
use crate::error::StoreError;
use crate::folders::{MIXED, partition_of_day};
use crate::schema::arrow_type;
use crate::segments::joined::Joined;
use crate::segments::order::{MIXED_DAY, Place, sorted_places};
use crate::segments::{SegmentDraft, SegmentFile, SegmentSpace};

/// Rows handed to the Parquet writer at once.
const WRITE_ROWS: usize = 8_192;

/// Positions of the columns a table is sorted by.
pub(super) fn sort_columns(table: &Table) -> Vec<usize> {
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

/// Sorts the rows of some batches and writes them as segments of level 0, each with its companions, to `tmp/`, synced.
pub(crate) fn write_sorted(
    space: &Arc<SegmentSpace>,
    table: &'static Table,
    batches: &[Arc<CompactBatch>],
) -> Result<Vec<SegmentDraft>, StoreError> {
    let rows = Joined::new(table, batches)
        .map_err(|source| StoreError::Arrow { doing: "join batches for a segment", source })?;
    let places = sorted_places(&rows)
        .map_err(|source| StoreError::Arrow { doing: "sort rows for a segment", source })?;
    let mut drafts = Vec::new();
    for of_one_day in places.chunk_by(|left, right| left.day == right.day) {
        let Some(first) = of_one_day.first() else { continue };
        let partition = if first.day == MIXED_DAY { MIXED.to_owned() } else { partition_of_day(first.day) };
        let mut file = SegmentFile::create(space, table, &partition, 0)?;
        tell_scattered(&mut file, &rows, of_one_day)?;
        for some in of_one_day.chunks(WRITE_ROWS) {
            let numbers = UInt32Array::from_iter_values(some.iter().map(|place| place.row));
            let gathered = rows
                .gather(&numbers)
                .map_err(|source| StoreError::Arrow { doing: "gather rows for a segment", source })?;
            file.write(&gathered)?;
        }
        drafts.extend(file.finish_durable()?);
    }
    Ok(drafts)
}

/// Tells the scattered roll-ups of a segment of its rows, in the order in which they arrived: those of one run came
/// together.
fn tell_scattered(file: &mut SegmentFile, rows: &Joined, places: &[Place]) -> Result<(), StoreError> {
    let Some(companions) = file.companions() else { return Ok(()) };
    let scattered = companions.scattered_apart();
    if scattered.is_empty() {
        return Ok(());
    }
    let read = |name: &&str| {
        *name == "at"
            || scattered
                .iter()
                .any(|rollup| rollup.measure.column == *name || rollup.dimensions.contains(name))
    };
    let columns = rows.table.columns.iter().enumerate();
    let positions: Vec<usize> =
        columns.filter(|(_, column)| read(&column.name)).map(|(place, _)| place).collect();
    let mut numbers: Vec<u32> = places.iter().map(|place| place.row).collect();
    numbers.sort_unstable();
    for some in numbers.chunks(WRITE_ROWS) {
        let arrived = rows
            .gather_some(&UInt32Array::from(some.to_vec()), &positions)
            .map_err(|source| StoreError::Arrow { doing: "gather rows for a roll-up", source })?;
        companions.add_scattered(&arrived)?;
    }
    Ok(())
}
