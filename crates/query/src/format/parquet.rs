//! Answers as a Parquet file.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Encoder, failed_to_encode};
use crate::{QueryError, Summary};

/// Rows of one row group: what is held in memory while writing.
const ROW_GROUP_ROWS: usize = 128 * 1024;

pub(super) struct Parquet {
    schema: SchemaRef,
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl Parquet {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { schema: Arc::clone(schema), writer: None }
    }

    fn writer(&mut self) -> Result<&mut ArrowWriter<Vec<u8>>, QueryError> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            None => Err(failed_to_encode("Parquet", "the file has not been started")),
        }
    }
}

impl Encoder for Parquet {
    fn start(&mut self) -> Result<Bytes, QueryError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), Some(properties))
            .map_err(|error| failed_to_encode("Parquet", error))?;
        self.writer = Some(writer);
        Ok(Bytes::new())
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        let writer = self.writer()?;
        writer.write(batch).map_err(|error| failed_to_encode("Parquet", error))?;
        Ok(std::mem::take(writer.inner_mut()).into())
    }

    fn finish(&mut self, _summary: &Summary) -> Result<Bytes, QueryError> {
        let writer = self.writer()?;
        writer.finish().map_err(|error| failed_to_encode("Parquet", error))?;
        Ok(std::mem::take(writer.inner_mut()).into())
    }
}
