//! Keys of entities.

use std::fmt;

use crate::table::{Row, Table, TableKind};
use crate::value::Value;

/// The key of one entity: its table and its key columns, in the order the table declares them.
///
/// The text form joins the columns with U+001F, which no key column may contain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey {
    /// The table's SQL name.
    pub table: &'static str,
    /// Key columns joined with U+001F.
    pub text: String,
}

/// What stands between two key columns.
pub const KEY_SEPARATOR: char = '\u{1f}';

impl EntityKey {
    /// The key of a row; `None` for a fact, which has none.
    pub fn of<R: Row>(row: &R) -> Option<Self> {
        Self::of_values(R::table(), &row.values())
    }

    /// The key of a row of `table` given as cells.
    pub fn of_values(table: &'static Table, values: &[Value<'_>]) -> Option<Self> {
        let TableKind::Entity { key } = table.kind else { return None };
        let mut text = String::new();
        for (position, column) in key.iter().enumerate() {
            if position > 0 {
                text.push(KEY_SEPARATOR);
            }
            match values.get(table.position(column)?)? {
                Value::Text(part) => text.extend(part.chars().filter(|letter| *letter != KEY_SEPARATOR)),
                Value::Int(part) => text.push_str(&part.to_string()),
                _ => {}
            }
        }
        Some(Self { table: table.name, text })
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({})", self.table, self.text.replace(KEY_SEPARATOR, ", "))
    }
}
