//! Tables as data: every SQL table is one [`Table`] value, made by the definition of its record.

use crate::rollup::stored_tables;
use crate::value::Value;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// UTC, microseconds.
    Time,
    /// 64-bit real number.
    Float,
    /// 64-bit whole number.
    Int,
    /// True or false.
    Bool,
    /// JSON object of texts, as text.
    Labels,
    /// 32 hexadecimal digits, as text.
    TestId,
    /// An encoded sketch of numbers, as bytes; in roll-ups alone.
    Sketch,
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// SQL name; a unit is its suffix (`_seconds`, `_bytes`, `_at`).
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// May it be null?
    pub nullable: bool,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
}

/// How the rows of a table live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// Rows change: observations of one key merge into one row.
    Entity {
        /// The key columns.
        key: &'static [&'static str],
    },
    /// Rows are appended, never changed. Such a table has a column `at`: its partition is the day of it.
    Fact {
        /// The order of rows inside a segment.
        order: &'static [&'static str],
    },
}

/// One SQL table.
#[derive(Debug)]
pub struct Table {
    /// SQL name, plural.
    pub name: &'static str,
    /// The word in `"type"` of a record line, singular; empty for a roll-up, which no record makes.
    pub record: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Entity or fact.
    pub kind: TableKind,
    /// Its columns, in order.
    pub columns: &'static [Column],
}

impl Table {
    /// The table of that SQL name, of records or of a roll-up.
    pub fn named(name: &str) -> Option<&'static Table> {
        stored_tables().iter().copied().find(|table| table.name == name)
    }

    /// Where a column stands.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|candidate| candidate.name == column)
    }

    /// Is it an entity table?
    pub const fn is_entity(&self) -> bool {
        matches!(self.kind, TableKind::Entity { .. })
    }
}

/// A record as a row of its table.
pub trait Row {
    /// The table the record belongs to.
    fn table() -> &'static Table
    where
        Self: Sized;
    /// The cells, in the order of the table's columns.
    fn values(&self) -> Vec<Value<'_>>;
}
