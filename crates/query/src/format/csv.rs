//! Answers as CSV.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;

use super::{Encoder, cell, failed_to_encode};
use crate::{QueryError, Summary};

pub(super) struct Csv {
    schema: SchemaRef,
}

impl Csv {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { schema: Arc::clone(schema) }
    }
}

impl Encoder for Csv {
    fn start(&mut self) -> Result<Bytes, QueryError> {
        let mut line = String::new();
        for (position, field) in self.schema.fields().iter().enumerate() {
            if position > 0 {
                line.push(',');
            }
            push_quoted(&mut line, field.name());
        }
        line.push('\n');
        Ok(line.into())
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        let fault = |error| failed_to_encode("CSV", error);
        let mut formatters = Vec::with_capacity(batch.num_columns());
        for column in batch.columns() {
            formatters.push((column, cell::formatter(column).map_err(fault)?));
        }
        let mut text = String::with_capacity(batch.num_rows() * batch.num_columns() * 16);
        let mut value = String::new();
        for row in 0..batch.num_rows() {
            for (position, (column, formatter)) in formatters.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                if column.is_null(row) {
                    continue;
                }
                value.clear();
                write!(value, "{}", formatter.value(row)).map_err(|error| failed_to_encode("CSV", error))?;
                push_quoted(&mut text, &value);
            }
            text.push('\n');
        }
        Ok(text.into())
    }

    fn finish(&mut self, _summary: &Summary) -> Result<Bytes, QueryError> {
        Ok(Bytes::new())
    }
}

/// Quotes what needs it, and the empty text, which would otherwise read as null.
fn push_quoted(line: &mut String, value: &str) {
    if !value.is_empty() && !value.contains([',', '"', '\n', '\r']) {
        line.push_str(value);
        return;
    }
    line.push('"');
    line.push_str(&value.replace('"', "\"\""));
    line.push('"');
}
