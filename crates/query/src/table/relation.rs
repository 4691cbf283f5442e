//! What SQL calls a table: those of the model, its roll-ups, and `deliveries`.

use std::sync::LazyLock;

use datafusion::arrow::datatypes::SchemaRef;
use manometer_model::stored_tables;
use manometer_store::{arrow_schema, deliveries_schema};

/// A table of SQL: its name, what it is, and its columns.
#[derive(Debug, Clone)]
pub struct Relation {
    /// SQL name.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Its columns.
    pub schema: SchemaRef,
}

static RELATIONS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    let mut all: Vec<Relation> = stored_tables()
        .iter()
        .map(|table| Relation { name: table.name, doc: table.doc.trim(), schema: arrow_schema(table) })
        .collect();
    all.push(Relation {
        name: "deliveries",
        doc: "What arrived, from whom, with what outcome: the newest 200,000 entries.",
        schema: deliveries_schema(),
    });
    all
});

/// Every table of SQL, in the order of the documentation.
pub fn relations() -> &'static [Relation] {
    &RELATIONS
}
