//! What observations come to, without a store: for the tests of those who make observations.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::array_value_to_string;
use manometer_model::records::RowDyn;
use manometer_model::{ColumnKind, EntityKey, Table, Timestamp};

use super::layout::layout_of;
use super::materialise::materialise;
use super::merge::merge_encoded;
use super::observe::observe;
use crate::error::StoreError;
use crate::schema::table_index;

/// One row, as text by column; null cells are left out.
pub type MergedRow = BTreeMap<&'static str, String>;

/// The rows that a snapshot would show after these observations of entities, taken in this order, by table and key.
/// Facts are passed over.
///
/// # Errors
/// When an observation does not fit its table.
pub fn merged_rows<'r>(
    observations: impl IntoIterator<Item = &'r dyn RowDyn>,
) -> Result<BTreeMap<EntityKey, MergedRow>, StoreError> {
    let mut documents: BTreeMap<EntityKey, (&'static Table, Vec<u8>)> = BTreeMap::new();
    for observation in observations {
        let (table, cells) = (observation.table_of(), observation.cells());
        let layout = table_index(table).and_then(layout_of);
        let (Some(layout), Some(key)) = (layout, EntityKey::of_values(table, &cells)) else { continue };
        let seen = observe(table, layout, &cells)?;
        let merged = match documents.get(&key) {
            Some((_, known)) => merge_encoded(known, &seen).map_err(|why| corrupt(table, why))?,
            None => seen,
        };
        documents.insert(key, (table, merged));
    }
    documents.into_iter().map(|(key, (table, document))| Ok((key, shown(table, &document)?))).collect()
}

fn shown(table: &'static Table, document: &[u8]) -> Result<MergedRow, StoreError> {
    let layout =
        table_index(table).and_then(layout_of).ok_or_else(|| corrupt(table, "it is no table of entities"))?;
    let batches = materialise(table, layout, std::iter::once(document))?;
    let batch = batches.first().ok_or_else(|| corrupt(table, "it made no row"))?;
    let columns = table.columns.iter().zip(batch.columns()).filter(|(_, cells)| cells.is_valid(0));
    columns
        .map(|(column, cells)| {
            let text = match column.kind {
                ColumnKind::Time => {
                    let times = cells.as_primitive::<TimestampMicrosecondType>();
                    Timestamp::from_micros(times.value(0)).to_string()
                }
                _ => array_value_to_string(cells, 0).map_err(|error| corrupt(table, &error.to_string()))?,
            };
            Ok((column.name, text))
        })
        .collect()
}

fn corrupt(table: &Table, why: &str) -> StoreError {
    StoreError::Corrupt { what: format!("an entity of table {}: {why}", table.name) }
}
