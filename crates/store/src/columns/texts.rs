//! The full form of a text column.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

/// Texts one behind the other, with where each ends.
#[derive(Debug)]
pub(super) struct Texts {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    known: NullBufferBuilder,
}

impl Texts {
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { ends, bytes: Vec::with_capacity(rows * 16), known: NullBufferBuilder::new(rows) }
    }

    #[inline]
    pub(super) fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.end_row();
        self.known.append_non_null();
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        self.end_row();
        self.known.append_null();
    }

    /// A batch ends long before its bytes leave the range of the ends (see `BATCH_BYTES`); if they did,
    /// the end would go backwards and `finish` would refuse the column.
    #[inline]
    fn end_row(&mut self) {
        self.ends.push(i32::try_from(self.bytes.len()).unwrap_or(-1));
    }

    pub(super) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        if self.ends.last() == Some(&-1) {
            return Err(ArrowError::OffsetOverflowError(self.bytes.len()));
        }
        self.ends.shrink_to_fit();
        self.bytes.shrink_to_fit();
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let array = StringArray::try_new(ends, Buffer::from_vec(self.bytes), self.known.finish())?;
        Ok(Arc::new(array))
    }
}
