//! One cell of a row, borrowed from where it lies, and the field types that make cells.

use std::collections::BTreeMap;

use crate::status::{Conclusion, Status, TestStatus};
use crate::table::ColumnKind;
use crate::{TestId, Timestamp};

/// Free key-value pairs; in SQL a JSON object as text, read with `label(labels, 'key')`.
pub type Labels = BTreeMap<String, String>;

/// One cell. Cheap to copy; text is borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Not known.
    Null,
    /// Text, UTF-8.
    Text(&'a str),
    /// A point in time.
    Time(Timestamp),
    /// A real number; seconds for columns ending in `_seconds`.
    Float(f64),
    /// A whole number; bytes for columns ending in `_bytes`.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Key-value pairs.
    Labels(&'a Labels),
    /// The identity of a test; in SQL 32 hexadecimal digits.
    TestId(TestId),
}

/// A type that may be a field of a record: says which column it makes and what cell it gives.
pub trait Field {
    /// The column kind.
    const KIND: ColumnKind;
    /// May the cell be null?
    const NULLABLE: bool = false;
    /// The cell.
    fn value(&self) -> Value<'_>;
    /// Is there nothing to write?
    fn is_null(&self) -> bool {
        matches!(self.value(), Value::Null)
    }
}

impl Field for String {
    const KIND: ColumnKind = ColumnKind::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for Timestamp {
    const KIND: ColumnKind = ColumnKind::Time;
    fn value(&self) -> Value<'_> {
        Value::Time(*self)
    }
}

impl Field for f64 {
    const KIND: ColumnKind = ColumnKind::Float;
    fn value(&self) -> Value<'_> {
        Value::Float(*self)
    }
}

impl Field for i64 {
    const KIND: ColumnKind = ColumnKind::Int;
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl Field for bool {
    const KIND: ColumnKind = ColumnKind::Bool;
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl Field for Labels {
    const KIND: ColumnKind = ColumnKind::Labels;
    const NULLABLE: bool = true;
    fn value(&self) -> Value<'_> {
        if self.is_empty() { Value::Null } else { Value::Labels(self) }
    }
}

impl Field for TestId {
    const KIND: ColumnKind = ColumnKind::TestId;
    fn value(&self) -> Value<'_> {
        Value::TestId(*self)
    }
}

macro_rules! word_field {
    ($($word:ty),*) => {$(
        impl Field for $word {
            const KIND: ColumnKind = ColumnKind::Text;
            fn value(&self) -> Value<'_> {
                Value::Text(self.as_str())
            }
        }
    )*};
}
word_field!(Status, Conclusion, TestStatus);

impl<T: Field> Field for Option<T> {
    const KIND: ColumnKind = T::KIND;
    const NULLABLE: bool = true;
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Field::value)
    }
}
