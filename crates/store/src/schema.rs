//! The Arrow schema of each table: what snapshots, memory batches and segments have in common.

use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use manometer_model::{ColumnKind, Table, stored_tables};

/// The Arrow schema of a table.
///
/// `Text`, `Labels` and `TestId` are `Utf8View`, `Time` is `Timestamp(Microsecond, "UTC")`, `Float` is
/// `Float64`, `Int` is `Int64`, `Bool` is `Boolean`, `Sketch` is `Binary`. Every column may be null: a segment written before
/// a column was added reads as null there.
pub fn arrow_schema(table: &Table) -> SchemaRef {
    static SCHEMAS: OnceLock<Vec<SchemaRef>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| stored_tables().iter().map(|known| build(known)).collect());
    match table_index(table).and_then(|index| schemas.get(index)) {
        Some(schema) => Arc::clone(schema),
        None => build(table),
    }
}

fn build(table: &Table) -> SchemaRef {
    let fields: Vec<Field> =
        table.columns.iter().map(|column| Field::new(column.name, arrow_type(column.kind), true)).collect();
    Arc::new(Schema::new(fields))
}

/// The Arrow type of a column kind.
pub fn arrow_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text | ColumnKind::Labels | ColumnKind::TestId => DataType::Utf8View,
        ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnKind::Float => DataType::Float64,
        ColumnKind::Int => DataType::Int64,
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::Sketch => DataType::Binary,
    }
}

/// Where a table stands in [`stored_tables`].
pub(crate) fn table_index(table: &Table) -> Option<usize> {
    let tables = stored_tables();
    tables
        .iter()
        .position(|known| std::ptr::eq(*known, table))
        .or_else(|| tables.iter().position(|known| known.name == table.name))
}

/// The Arrow schema of the ledger as queries see it: the table `deliveries`.
pub fn deliveries_schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(|| {
        let text = |name: &str| Field::new(name, DataType::Utf8View, true);
        let whole = |name: &str| Field::new(name, DataType::Int64, true);
        Arc::new(Schema::new(vec![
            text("receipt_id"),
            Field::new("received_at", arrow_type(ColumnKind::Time), true),
            text("source"),
            text("kind"),
            text("project"),
            text("scope"),
            text("key"),
            text("body_hash"),
            whole("size_bytes"),
            whole("row_count"),
            text("rows"),
            whole("problem_count"),
            text("problems"),
            text("treatment"),
        ]))
    }))
}
