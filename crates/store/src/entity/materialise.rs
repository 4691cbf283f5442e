//! From documents to the rows queries see.

use arrow::array::RecordBatch;
use manometer_model::{ColumnKind, Status, Table, TestId, Timestamp, Value};

use crate::columns::TableBuilder;
use crate::entity::cells::Cell;
use crate::entity::doc::Doc;
use crate::entity::layout::{EntityLayout, layout_of};
use crate::error::StoreError;
use crate::schema::table_index;

/// Builds the rows of some documents, in batches of bounded size.
pub(crate) fn materialise<'d>(
    table: &'static Table,
    layout: &EntityLayout,
    docs: impl Iterator<Item = &'d [u8]>,
) -> Result<Vec<RecordBatch>, StoreError> {
    let mut builder = TableBuilder::for_stored_rows(table);
    let mut batches = Vec::new();
    let mut row: Vec<Value<'d>> = vec![Value::Null; table.columns.len()];
    for bytes in docs {
        let doc = Doc::decode(bytes).map_err(|why| StoreError::Corrupt {
            what: format!("an entity of table {}: {why}", table.name),
        })?;
        row.fill(Value::Null);
        place(&doc, table, layout, &mut row);
        hide_early_conclusion(layout, &mut row);
        derive_durations(layout, &mut row);
        builder.append(&row)?;
        if builder.is_full() {
            batches.extend(builder.take()?.map(|batch| batch.expand(None)).transpose()?);
        }
    }
    batches.extend(builder.take()?.map(|batch| batch.expand(None)).transpose()?);
    Ok(batches)
}

/// The stored cells of one document, as a row of its table; nothing is derived.
pub(crate) fn row_of<'v>(table: &Table, bytes: &'v [u8]) -> Result<Vec<Value<'v>>, &'static str> {
    let layout = table_index(table).and_then(layout_of).ok_or("it is not of an entity table")?;
    let mut row = vec![Value::Null; table.columns.len()];
    place(&Doc::decode(bytes)?, table, layout, &mut row);
    Ok(row)
}

/// Both lists are sorted by name, so one walk finds every column; registers of unknown names are passed over.
fn place<'v>(doc: &Doc<'v>, table: &Table, layout: &EntityLayout, row: &mut [Value<'v>]) {
    let mut columns = layout.by_name.iter().peekable();
    for register in &doc.registers {
        while columns.next_if(|(name, _)| *name < register.name).is_some() {}
        let Some((_, position)) = columns.next_if(|(name, _)| *name == register.name) else { continue };
        if let (Some(slot), Some(column)) = (row.get_mut(*position), table.columns.get(*position)) {
            *slot = value(register.cell, column.kind);
        }
    }
}

/// The cell as a value of its column; null where a column of that name once held another kind.
fn value(cell: Cell<'_>, kind: ColumnKind) -> Value<'_> {
    match (cell, kind) {
        (Cell::Text(text), ColumnKind::Text) | (Cell::Labels(text), ColumnKind::Labels) => Value::Text(text),
        (Cell::Time(micros), ColumnKind::Time) => Value::Time(Timestamp::from_micros(micros)),
        (Cell::Float(number), ColumnKind::Float) => Value::Float(number),
        (Cell::Int(number), ColumnKind::Int) => Value::Int(number),
        (Cell::Bool(truth), ColumnKind::Bool) => Value::Bool(truth),
        (Cell::TestId(id), ColumnKind::TestId) => Value::TestId(TestId::from_u128(id)),
        _ => Value::Null,
    }
}

/// A conclusion belongs to what has ended: one that came with an earlier status waits for it.
fn hide_early_conclusion(layout: &EntityLayout, row: &mut [Value<'_>]) {
    let (Some(status), Some(conclusion)) = (layout.status, layout.conclusion) else { return };
    let completed = row.get(status) == Some(&Value::Text(Status::Completed.as_str()));
    if let (false, Some(slot)) = (completed, row.get_mut(conclusion)) {
        *slot = Value::Null;
    }
}

/// Fills the two durations where no sender gave them. Equal times of queueing and starting are what systems
/// say that do not know, so they give no queue time.
fn derive_durations(layout: &EntityLayout, row: &mut [Value<'_>]) {
    let time = |position: Option<usize>, row: &[Value<'_>]| match position.and_then(|index| row.get(index)) {
        Some(Value::Time(time)) => Some(*time),
        _ => None,
    };
    let started = time(layout.started_at, row);
    let waited = match (time(layout.queued_at, row), started) {
        (Some(queued), Some(started)) if started > queued => Some(started.seconds_since(queued)),
        _ => None,
    };
    let worked = match (started, time(layout.finished_at, row)) {
        (Some(started), Some(finished)) if finished >= started => Some(finished.seconds_since(started)),
        _ => None,
    };
    for (position, seconds) in [(layout.queue_seconds, waited), (layout.duration_seconds, worked)] {
        if let (Some(slot), Some(seconds)) = (position.and_then(|index| row.get_mut(index)), seconds)
            && *slot == Value::Null
        {
            *slot = Value::Float(seconds);
        }
    }
}
