//! The one value of a column that has not varied yet.

use manometer_model::{TestId, Timestamp, Value};

/// One value, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Null,
    /// Text, or labels as their JSON.
    Text(String),
    Time(i64),
    Float(f64),
    Int(i64),
    Bool(bool),
    TestId(u128),
}

impl Constant {
    /// The owned form of a cell; labels come as the JSON text made of them.
    pub(crate) fn of(value: Value<'_>, labels: &str) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Labels(_) => Self::Text(labels.to_owned()),
            Value::Time(time) => Self::Time(time.as_micros()),
            Value::Float(number) => Self::Float(number),
            Value::Int(number) => Self::Int(number),
            Value::Bool(truth) => Self::Bool(truth),
            Value::TestId(id) => Self::TestId(id.as_u128()),
        }
    }

    /// Is it this very value? Numbers are compared bit by bit, so that NaN equals itself and -0 is kept.
    pub(crate) fn is(&self, value: Value<'_>, labels: &str) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Text(known), Value::Text(text)) => known == text,
            (Self::Text(known), Value::Labels(_)) => known == labels,
            (Self::Time(known), Value::Time(time)) => *known == time.as_micros(),
            (Self::Float(known), Value::Float(number)) => known.to_bits() == number.to_bits(),
            (Self::Int(known), Value::Int(number)) => *known == number,
            (Self::Bool(known), Value::Bool(truth)) => *known == truth,
            (Self::TestId(known), Value::TestId(id)) => *known == id.as_u128(),
            _ => false,
        }
    }

    /// As one short text, marked with its kind; `None` for null. The journal keeps constants so.
    pub(crate) fn to_marked_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(format!("s{text}")),
            Self::Time(micros) => Some(format!("t{micros}")),
            Self::Float(number) => Some(format!("f{:016x}", number.to_bits())),
            Self::Int(number) => Some(format!("i{number}")),
            Self::Bool(truth) => Some(if *truth { "b1" } else { "b0" }.to_owned()),
            Self::TestId(id) => Some(format!("x{id:032x}")),
        }
    }

    /// Reads [`Constant::to_marked_text`]; `None` when it is damaged.
    pub(crate) fn of_marked_text(marked: &str) -> Option<Self> {
        let mut letters = marked.chars();
        let mark = letters.next()?;
        let text = letters.as_str();
        match mark {
            's' => Some(Self::Text(text.to_owned())),
            't' => text.parse().ok().map(Self::Time),
            'f' => u64::from_str_radix(text, 16).ok().map(|bits| Self::Float(f64::from_bits(bits))),
            'i' => text.parse().ok().map(Self::Int),
            'b' => Some(Self::Bool(text == "1")),
            'x' => text.parse::<TestId>().ok().map(|id| Self::TestId(id.as_u128())),
            _ => None,
        }
    }

    pub(crate) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(micros) => Some(Timestamp::from_micros(*micros)),
            _ => None,
        }
    }
}
