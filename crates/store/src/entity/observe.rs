//! From the cells of one observation to a document.

use manometer_model::{Status, Table, Value};

use crate::columns::admit;
use crate::entity::cells::Cell;
use crate::entity::doc::{Doc, Register, Stamp};
use crate::entity::layout::{EntityLayout, status_rank};
use crate::error::StoreError;

/// Encodes one observation: its known cells, all with one stamp. A conclusion without a status means that
/// the entity has ended, so the status is taken as completed.
pub(crate) fn observe(
    table: &'static Table,
    layout: &EntityLayout,
    values: &[Value<'_>],
) -> Result<Vec<u8>, StoreError> {
    if values.len() != table.columns.len() {
        return Err(StoreError::WrongColumns {
            table: table.name,
            expected: table.columns.len(),
            found: values.len(),
        });
    }
    for (column, value) in table.columns.iter().zip(values) {
        admit(column, *value).map_err(|refusal| refusal.of(table))?;
    }
    let at = |position: Option<usize>| position.and_then(|index| values.get(index)).copied();
    let concluded = matches!(at(layout.conclusion), Some(Value::Text(_)));
    let status = match at(layout.status) {
        Some(Value::Text(word)) => Some(word),
        _ if concluded && layout.status.is_some() => Some(Status::Completed.as_str()),
        _ => None,
    };
    let updated_at = match at(layout.updated_at) {
        Some(Value::Time(time)) => time.as_micros(),
        _ => i64::MIN,
    };
    let stamp = Stamp { rank: status_rank(status), updated_at };

    let labels: Vec<Option<String>> = values.iter().map(|value| labels_json(*value)).collect();
    let mut registers = Vec::with_capacity(values.len());
    for (name, position) in &layout.by_name {
        let implied = if Some(*position) == layout.status { status.map(Cell::Text) } else { None };
        let json = labels.get(*position).and_then(Option::as_deref);
        let given = values.get(*position).and_then(|value| cell(*value, json));
        if let Some(cell) = implied.or(given) {
            registers.push(Register { name, stamp, cell });
        }
    }
    Ok(Doc { registers }.encode())
}

fn labels_json(value: Value<'_>) -> Option<String> {
    match value {
        Value::Labels(pairs) => serde_json::to_string(pairs).ok(),
        _ => None,
    }
}

fn cell<'a>(value: Value<'a>, labels: Option<&'a str>) -> Option<Cell<'a>> {
    Some(match value {
        Value::Null => return None,
        Value::Text(text) => Cell::Text(text),
        Value::Time(time) => Cell::Time(time.as_micros()),
        Value::Float(number) => Cell::Float(number),
        Value::Int(number) => Cell::Int(number),
        Value::Bool(truth) => Cell::Bool(truth),
        Value::TestId(id) => Cell::TestId(id.as_u128()),
        Value::Labels(_) => Cell::Labels(labels?),
    })
}
