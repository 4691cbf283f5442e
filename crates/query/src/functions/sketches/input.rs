//! What a function of the family takes in: numbers, or sketches made before.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use manometer_stats::Sketch;

use crate::functions::numbers;

/// What a function takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Input {
    /// Counted one by one.
    Numbers,
    /// Encoded sketches, merged.
    Sketches,
}

impl Input {
    /// The type the function gets its first argument in.
    pub(super) fn coerced(self, function: &str, found: &DataType) -> Result<DataType> {
        match (self, found) {
            (Self::Numbers, _) => numbers::as_float(function, found),
            (Self::Sketches, DataType::Binary | DataType::BinaryView | DataType::LargeBinary) => {
                Ok(found.clone())
            }
            (Self::Sketches, DataType::Null) => Ok(DataType::Binary),
            (Self::Sketches, _) => Err(DataFusionError::Plan(format!(
                "{function} takes sketches, the binary values that sketch(x) makes; found {found}"
            ))),
        }
    }
}

/// A column of encoded sketches, in whichever of the three binary types.
pub(super) enum Encoded<'a> {
    Small(&'a datafusion::arrow::array::BinaryArray),
    Large(&'a datafusion::arrow::array::LargeBinaryArray),
    View(&'a datafusion::arrow::array::BinaryViewArray),
}

impl<'a> Encoded<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Binary => Ok(Self::Small(array.as_binary::<i32>())),
            DataType::LargeBinary => Ok(Self::Large(array.as_binary::<i64>())),
            DataType::BinaryView => Ok(Self::View(array.as_binary_view())),
            other => Err(DataFusionError::Internal(format!("sketches as {other}"))),
        }
    }

    /// The bytes of a row; `None` of a null.
    pub(super) fn row(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Self::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// Adds what an encoded sketch counted.
///
/// # Errors
/// When the bytes are no sketch; the text tells where they may come from.
pub(super) fn merge_encoded(sketch: &mut Sketch, bytes: &[u8]) -> Result<()> {
    let other = Sketch::decode(bytes).map_err(|error| {
        DataFusionError::Execution(format!("{error}; sketches are what sketch(x) makes, byte for byte"))
    })?;
    if sketch.count() == 0 {
        *sketch = other;
    } else {
        sketch.merge(&other);
    }
    Ok(())
}

/// The first argument.
pub(super) fn first(arguments: &[ArrayRef]) -> Result<&Arc<dyn Array>> {
    arguments.first().ok_or_else(|| DataFusionError::Internal("an aggregate without input".to_owned()))
}
