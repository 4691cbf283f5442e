//! Values bound to the placeholders `$1`, `$2`, … of a query.

use datafusion::common::ScalarValue;
use manometer_model::Timestamp;

/// One bound value. It is data, never text of the query: nothing in it can change what the query does.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A point in time.
    Time(Timestamp),
}

impl Parameter {
    pub(crate) fn into_scalar(self) -> ScalarValue {
        match self {
            Self::Null => ScalarValue::Null,
            Self::Text(text) => ScalarValue::Utf8View(Some(text)),
            Self::Int(number) => ScalarValue::Int64(Some(number)),
            Self::Float(number) => ScalarValue::Float64(Some(number)),
            Self::Bool(truth) => ScalarValue::Boolean(Some(truth)),
            Self::Time(time) => ScalarValue::TimestampMicrosecond(Some(time.as_micros()), Some("UTC".into())),
        }
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Parameter {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Parameter {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Timestamp> for Parameter {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl<T: Into<Parameter>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
