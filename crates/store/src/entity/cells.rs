//! One cell of a document, borrowed from its bytes, and the order that settles ties.

use std::cmp::Ordering;

/// A known value. Unknown ones are not stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Time(i64),
    Float(f64),
    Int(i64),
    Bool(bool),
    TestId(u128),
    /// Labels, as their JSON.
    Labels(&'a str),
}

impl Cell<'_> {
    const fn kind(&self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Time(_) => 1,
            Self::Float(_) => 2,
            Self::Int(_) => 3,
            Self::Bool(_) => 4,
            Self::TestId(_) => 5,
            Self::Labels(_) => 6,
        }
    }

    /// A total order: by kind, then by value; numbers by IEEE total order, so NaN has its place too.
    pub(crate) fn total_order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) | (Self::Labels(left), Self::Labels(right)) => {
                left.cmp(right)
            }
            (Self::Time(left), Self::Time(right)) | (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::TestId(left), Self::TestId(right)) => left.cmp(right),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}
