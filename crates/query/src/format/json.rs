//! Answers as one JSON document.

use std::io::Write;
use std::sync::Arc;

use arrow_json::{EncoderOptions, writer::make_encoder};
use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;

use super::{Encoder, cell::ZONELESS_AS_UTC, failed_to_encode};
use crate::{QueryError, Summary};

pub(super) struct Json {
    schema: SchemaRef,
    options: EncoderOptions,
    /// Has a row been written?
    begun: bool,
}

impl Json {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let options = EncoderOptions::default()
            .with_explicit_nulls(true)
            .with_timestamp_format(ZONELESS_AS_UTC.to_owned())
            .with_datetime_format(ZONELESS_AS_UTC.to_owned());
        Self { schema: Arc::clone(schema), options, begun: false }
    }
}

impl Encoder for Json {
    fn start(&mut self) -> Result<Bytes, QueryError> {
        let columns = serde_json::to_string(&super::columns(&self.schema))
            .map_err(|error| failed_to_encode("JSON", error))?;
        Ok(Bytes::from(format!("{{\"columns\":{columns},\"rows\":[")))
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        let mut encoders = Vec::with_capacity(batch.num_columns());
        for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
            encoders.push(
                make_encoder(field, column, &self.options)
                    .map_err(|error| failed_to_encode("JSON", error))?,
            );
        }
        let mut text = Vec::with_capacity(batch.num_rows() * batch.num_columns() * 16);
        for row in 0..batch.num_rows() {
            if self.begun {
                text.push(b',');
            }
            self.begun = true;
            text.extend_from_slice(b"\n[");
            for (position, encoder) in encoders.iter_mut().enumerate() {
                if position > 0 {
                    text.push(b',');
                }
                if encoder.is_null(row) {
                    text.extend_from_slice(b"null");
                } else {
                    encoder.encode(row, &mut text);
                }
            }
            text.push(b']');
        }
        Ok(text.into())
    }

    fn finish(&mut self, summary: &Summary) -> Result<Bytes, QueryError> {
        let mut text = Vec::new();
        let elapsed_ms = summary.elapsed.as_secs_f64() * 1000.0;
        let Summary { row_count, truncated, .. } = summary;
        writeln!(
            text,
            "],\"row_count\":{row_count},\"truncated\":{truncated},\"elapsed_ms\":{elapsed_ms:.3}}}"
        )
        .map_err(|error| failed_to_encode("JSON", error))?;
        Ok(text.into())
    }
}
