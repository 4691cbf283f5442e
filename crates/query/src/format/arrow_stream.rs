//! Answers as an Arrow IPC stream.
//!
//! Text goes out as `Utf8`, not `Utf8View`, which many readers of Arrow do not know yet.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::{Encoder, failed_to_encode};
use crate::{QueryError, Summary};

pub(super) struct ArrowStream {
    schema: SchemaRef,
    writer: Option<StreamWriter<Vec<u8>>>,
}

impl ArrowStream {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { schema: widely_known(schema), writer: None }
    }

    fn written(
        &mut self,
        write: impl FnOnce(&mut StreamWriter<Vec<u8>>) -> Result<(), ArrowError>,
    ) -> Result<Bytes, QueryError> {
        let Some(writer) = &mut self.writer else {
            return Err(failed_to_encode("Arrow", "the stream has not been started"));
        };
        write(writer).map_err(|error| failed_to_encode("Arrow", error))?;
        Ok(std::mem::take(writer.get_mut()).into())
    }
}

impl Encoder for ArrowStream {
    fn start(&mut self) -> Result<Bytes, QueryError> {
        let writer = StreamWriter::try_new(Vec::new(), &self.schema)
            .map_err(|error| failed_to_encode("Arrow", error))?;
        self.writer = Some(writer);
        self.written(|_| Ok(()))
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        let schema = Arc::clone(&self.schema);
        self.written(|writer| writer.write(&converted(batch, schema)?))
    }

    fn finish(&mut self, _summary: &Summary) -> Result<Bytes, QueryError> {
        self.written(StreamWriter::finish)
    }
}

fn widely_known(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::Utf8),
            _ => field.as_ref().clone(),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn converted(batch: &RecordBatch, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns: Result<Vec<ArrayRef>, ArrowError> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns?, &options)
}
