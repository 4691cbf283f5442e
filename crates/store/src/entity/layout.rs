//! What the store needs to know of an entity table, worked out once.

use std::sync::OnceLock;

use manometer_model::records::TABLES;
use manometer_model::{Status, Table};

/// Positions of the columns that mean something to the store.
#[derive(Debug)]
pub(crate) struct EntityLayout {
    /// Every column's name and position, sorted by name: the order of registers in a document.
    pub(crate) by_name: Vec<(&'static str, usize)>,
    pub(crate) status: Option<usize>,
    pub(crate) conclusion: Option<usize>,
    pub(crate) updated_at: Option<usize>,
    pub(crate) queued_at: Option<usize>,
    pub(crate) started_at: Option<usize>,
    pub(crate) finished_at: Option<usize>,
    pub(crate) queue_seconds: Option<usize>,
    pub(crate) duration_seconds: Option<usize>,
}

impl EntityLayout {
    fn of(table: &Table) -> Self {
        let mut by_name: Vec<_> =
            table.columns.iter().enumerate().map(|(position, column)| (column.name, position)).collect();
        by_name.sort_unstable();
        Self {
            by_name,
            status: table.position("status"),
            conclusion: table.position("conclusion"),
            updated_at: table.position("updated_at"),
            queued_at: table.position("queued_at"),
            started_at: table.position("started_at"),
            finished_at: table.position("finished_at"),
            queue_seconds: table.position("queue_seconds"),
            duration_seconds: table.position("duration_seconds"),
        }
    }
}

/// The layout of the entity table at a position of [`TABLES`]; `None` for a fact table.
pub(crate) fn layout_of(table_index: usize) -> Option<&'static EntityLayout> {
    static LAYOUTS: OnceLock<Vec<Option<EntityLayout>>> = OnceLock::new();
    let layouts = LAYOUTS.get_or_init(|| {
        TABLES.iter().map(|table| table.is_entity().then(|| EntityLayout::of(table))).collect()
    });
    layouts.get(table_index).and_then(Option::as_ref)
}

/// How far a status word is; 0 for none and for words the model does not know.
pub(crate) fn status_rank(word: Option<&str>) -> u8 {
    match word.and_then(|text| text.parse::<Status>().ok()) {
        None => 0,
        Some(Status::Queued) => 1,
        Some(Status::Waiting) => 2,
        Some(Status::Running) => 3,
        Some(Status::Completed) => 4,
    }
}
