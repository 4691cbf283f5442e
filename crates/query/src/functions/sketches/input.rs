//! What a function of the family takes in: numbers, sketches made before, or both.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
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
    /// Encoded sketches and, as a second argument, numbers: a row has the one or the other.
    Both,
}

impl Input {
    /// The arguments that hold it.
    pub(super) const fn arguments(self) -> usize {
        match self {
            Self::Numbers | Self::Sketches => 1,
            Self::Both => 2,
        }
    }

    /// The types the function gets these arguments in.
    pub(super) fn coerced(self, function: &str, found: &[DataType]) -> Result<Vec<DataType>> {
        match (self, found) {
            (Self::Numbers, [numbers]) => Ok(vec![numbers::as_float(function, numbers)?]),
            (Self::Sketches, [sketches]) => Ok(vec![sketch_type(function, sketches)?]),
            (Self::Both, [sketches, numbers]) => {
                Ok(vec![sketch_type(function, sketches)?, numbers::as_float(function, numbers)?])
            }
            _ => Err(DataFusionError::Internal(format!("{function} of {} arguments", found.len()))),
        }
    }

    /// The column of sketches and the column of numbers among these arguments.
    pub(super) fn of(self, arguments: &[ArrayRef]) -> Result<(Option<&ArrayRef>, Option<&Float64Array>)> {
        let (sketches, numbers) = match (self, arguments) {
            (Self::Numbers, [numbers, ..]) => (None, Some(numbers)),
            (Self::Sketches, [sketches, ..]) => (Some(sketches), None),
            (Self::Both, [sketches, numbers, ..]) => (Some(sketches), Some(numbers)),
            _ => return Err(DataFusionError::Internal("an aggregate without input".to_owned())),
        };
        Ok((sketches, numbers.map(|numbers| numbers.as_primitive::<Float64Type>())))
    }
}

fn sketch_type(function: &str, found: &DataType) -> Result<DataType> {
    match found {
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => Ok(found.clone()),
        DataType::Null => Ok(DataType::Binary),
        _ => Err(DataFusionError::Plan(format!(
            "{function} takes sketches, the binary values that sketch(x) makes; found {found}"
        ))),
    }
}

/// A column of encoded sketches, in whichever of the three binary types.
pub(crate) enum Encoded<'a> {
    Small(&'a datafusion::arrow::array::BinaryArray),
    Large(&'a datafusion::arrow::array::LargeBinaryArray),
    View(&'a datafusion::arrow::array::BinaryViewArray),
}

impl<'a> Encoded<'a> {
    pub(crate) fn of(array: &'a ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Binary => Ok(Self::Small(array.as_binary::<i32>())),
            DataType::LargeBinary => Ok(Self::Large(array.as_binary::<i64>())),
            DataType::BinaryView => Ok(Self::View(array.as_binary_view())),
            other => Err(DataFusionError::Internal(format!("sketches as {other}"))),
        }
    }

    /// The bytes of a row; `None` of a null.
    pub(crate) fn row(&self, row: usize) -> Option<&'a [u8]> {
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
    sketch.merge_encoded(bytes).map_err(|error| {
        DataFusionError::Execution(format!("{error}; sketches are what sketch(x) makes, byte for byte"))
    })
}

/// The first argument.
pub(super) fn first(arguments: &[ArrayRef]) -> Result<&Arc<dyn Array>> {
    arguments.first().ok_or_else(|| DataFusionError::Internal("an aggregate without input".to_owned()))
}
