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
    /// The field of a cell; `None` when the cell is of another kind, or says what the type has no word for.
    fn of(value: Value<'_>) -> Option<Self>
    where
        Self: Sized;
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
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Field for Timestamp {
    const KIND: ColumnKind = ColumnKind::Time;
    fn value(&self) -> Value<'_> {
        Value::Time(*self)
    }
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Time(at) => Some(at),
            _ => None,
        }
    }
}

impl Field for f64 {
    const KIND: ColumnKind = ColumnKind::Float;
    fn value(&self) -> Value<'_> {
        Value::Float(*self)
    }
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Float(number) => Some(number),
            _ => None,
        }
    }
}

impl Field for i64 {
    const KIND: ColumnKind = ColumnKind::Int;
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }
}

impl Field for bool {
    const KIND: ColumnKind = ColumnKind::Bool;
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }
}

impl Field for Labels {
    const KIND: ColumnKind = ColumnKind::Labels;
    const NULLABLE: bool = true;
    fn value(&self) -> Value<'_> {
        if self.is_empty() { Value::Null } else { Value::Labels(self) }
    }
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(Self::new()),
            Value::Labels(pairs) => Some(pairs.clone()),
            _ => None,
        }
    }
}

impl Field for TestId {
    const KIND: ColumnKind = ColumnKind::TestId;
    fn value(&self) -> Value<'_> {
        Value::TestId(*self)
    }
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::TestId(id) => Some(id),
            _ => None,
        }
    }
}

macro_rules! word_field {
    ($($word:ty),*) => {$(
        impl Field for $word {
            const KIND: ColumnKind = ColumnKind::Text;
            fn value(&self) -> Value<'_> {
                Value::Text(self.as_str())
            }
            fn of(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Text(word) => word.parse().ok(),
                    _ => None,
                }
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
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            known => T::of(known).map(Some),
        }
    }
}
