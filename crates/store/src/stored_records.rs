//! From stored rows back to records.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use manometer_model::{ColumnKind, Labels, Record, Table, TestId, Timestamp, Value};

use crate::error::StoreError;

/// The records of a batch in the schema of its table.
///
/// # Errors
/// When a cell is not what its column may hold.
pub(crate) fn records(table: &'static Table, batch: &RecordBatch) -> Result<Vec<Record>, StoreError> {
    let damaged =
        |row: usize| StoreError::Corrupt { what: format!("row {row} of a batch of {}", table.name) };
    let mut found = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let labels = labels_of(table, batch, row).ok_or_else(|| damaged(row))?;
        let mut labels = labels.iter();
        let cells = table.columns.iter().zip(batch.columns());
        let cells: Option<Vec<Value<'_>>> =
            cells.map(|(column, array)| cell(array, column.kind, row, &mut labels)).collect();
        let record = cells.and_then(|cells| Record::of_values(table, &cells));
        found.push(record.ok_or_else(|| damaged(row))?);
    }
    Ok(found)
}

/// What the columns of labels hold in a row, in their order; none for null.
fn labels_of(table: &Table, batch: &RecordBatch, row: usize) -> Option<Vec<Labels>> {
    let columns = table.columns.iter().zip(batch.columns());
    columns
        .filter(|(column, array)| column.kind == ColumnKind::Labels && array.is_valid(row))
        .map(|(_, array)| serde_json::from_str(array.as_string_view().value(row)).ok())
        .collect()
}

fn cell<'a>(
    array: &'a ArrayRef,
    kind: ColumnKind,
    row: usize,
    labels: &mut impl Iterator<Item = &'a Labels>,
) -> Option<Value<'a>> {
    if array.is_null(row) {
        return Some(Value::Null);
    }
    Some(match kind {
        ColumnKind::Text => Value::Text(array.as_string_view().value(row)),
        ColumnKind::Labels => Value::Labels(labels.next()?),
        ColumnKind::TestId => Value::TestId(array.as_string_view().value(row).parse::<TestId>().ok()?),
        ColumnKind::Time => {
            Value::Time(Timestamp::from_micros(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        ColumnKind::Float => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        ColumnKind::Int => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        ColumnKind::Bool => Value::Bool(array.as_boolean().value(row)),
        // Roll-ups are made here; no record has one.
        ColumnKind::Sketch => return None,
    })
}
