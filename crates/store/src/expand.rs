//! From the compact form of a batch to the schema queries see.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray, StringViewArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use manometer_model::{ColumnKind, TestId};

use crate::batch::{CompactBatch, CompactColumn};
use crate::columns::Constant;
use crate::error::StoreError;
use crate::schema::{arrow_schema, arrow_type};

impl CompactBatch {
    /// The columns at these positions of the table's schema, or all of them.
    pub(crate) fn expand(&self, columns: Option<&[usize]>) -> Result<RecordBatch, StoreError> {
        self.expand_some(columns).map_err(|source| StoreError::Arrow { doing: "expand a batch", source })
    }

    fn expand_some(&self, columns: Option<&[usize]>) -> Result<RecordBatch, ArrowError> {
        let all = arrow_schema(self.table);
        let (schema, arrays) = match columns {
            None => (all, (0..self.columns.len()).map(|index| self.expand_column(index)).collect()),
            Some(columns) => (
                Arc::new(all.project(columns)?),
                columns.iter().map(|index| self.expand_column(*index)).collect::<Result<Vec<_>, _>>(),
            ),
        };
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(schema, arrays?, &options)
    }

    /// One column, in the type of the table's schema.
    pub(crate) fn expand_column(&self, index: usize) -> Result<ArrayRef, ArrowError> {
        let (Some(column), Some(content)) = (self.table.columns.get(index), self.columns.get(index)) else {
            return Err(ArrowError::InvalidArgumentError(format!(
                "{} has no column {index}",
                self.table.name
            )));
        };
        match content {
            CompactColumn::Varying(array) => expand_array(array, column.kind),
            CompactColumn::Constant(Constant::Null) => {
                Ok(new_null_array(&arrow_type(column.kind), self.rows))
            }
            CompactColumn::Constant(constant) => {
                let one = one_row(constant);
                let first = UInt32Array::from(vec![0_u32; self.rows]);
                take(&one, &first, None)
            }
        }
    }

    /// The value all rows have in one column, as an array of one row in the type of the table's schema; `None` where
    /// they differ.
    pub(crate) fn one_value(&self, index: usize) -> Option<ArrayRef> {
        match (self.table.columns.get(index)?, self.columns.get(index)?) {
            (_, CompactColumn::Varying(_)) => None,
            (column, CompactColumn::Constant(Constant::Null)) => {
                Some(new_null_array(&arrow_type(column.kind), 1))
            }
            (_, CompactColumn::Constant(constant)) => Some(one_row(constant)),
        }
    }
}

/// The constant as an array of one row.
pub(crate) fn one_row(constant: &Constant) -> ArrayRef {
    match constant {
        Constant::Null => Arc::new(StringViewArray::new_null(1)),
        Constant::Text(text) => Arc::new(StringViewArray::from(vec![text.as_str()])),
        Constant::Time(micros) => {
            Arc::new(TimestampMicrosecondArray::from(vec![*micros]).with_timezone("UTC"))
        }
        Constant::Float(number) => Arc::new(Float64Array::from(vec![*number])),
        Constant::Int(number) => Arc::new(Int64Array::from(vec![*number])),
        Constant::Bool(truth) => Arc::new(BooleanArray::from(vec![*truth])),
        Constant::TestId(id) => Arc::new(StringViewArray::from(vec![format!("{id:032x}")])),
    }
}

fn expand_array(array: &ArrayRef, kind: ColumnKind) -> Result<ArrayRef, ArrowError> {
    match kind {
        ColumnKind::Text | ColumnKind::Labels => {
            Ok(Arc::new(StringViewArray::from(array.as_string::<i32>())))
        }
        ColumnKind::TestId => hexadecimal(array.as_fixed_size_binary()),
        ColumnKind::Time => {
            let numbers = array.as_primitive::<Int64Type>();
            let times =
                TimestampMicrosecondArray::try_new(numbers.values().clone(), numbers.nulls().cloned())?;
            Ok(Arc::new(times.with_timezone("UTC")))
        }
        ColumnKind::Float | ColumnKind::Int | ColumnKind::Bool | ColumnKind::Sketch => Ok(Arc::clone(array)),
    }
}

fn hexadecimal(ids: &FixedSizeBinaryArray) -> Result<ArrayRef, ArrowError> {
    let mut digits = Vec::with_capacity(ids.len() * 32);
    let mut ends = Vec::with_capacity(ids.len() + 1);
    ends.push(0_i32);
    for row in 0..ids.len() {
        let bytes = ids.value(row).try_into().unwrap_or([0_u8; 16]);
        digits.extend_from_slice(&TestId::from_u128(u128::from_be_bytes(bytes)).to_hex());
        ends.push(i32::try_from(digits.len()).unwrap_or(i32::MAX));
    }
    let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
    let texts = StringArray::try_new(ends, Buffer::from_vec(digits), ids.nulls().cloned())?;
    Ok(Arc::new(StringViewArray::from(&texts)))
}
