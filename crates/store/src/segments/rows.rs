//! Reading the rows of a segment again, batch by batch.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions, new_null_array};
use manometer_model::Table;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::StoreError;
use crate::schema::arrow_schema;
use crate::segment::Segment;
use crate::segments::{SegmentSpace, io_error};

pub(crate) const MOST_BATCH_ROWS: usize = 8_192;
const LEAST_BATCH_ROWS: usize = 64;

/// Unpacked bytes of one batch in memory.
const BATCH_BYTES: usize = 2 << 20;

/// The rows of a segment from its beginning, in the table's schema of today, in batches of bounded size.
pub(crate) struct SegmentRows {
    path: PathBuf,
    table: &'static Table,
    reader: ParquetRecordBatchReader,
}

impl SegmentRows {
    pub(crate) fn open(space: &SegmentSpace, segment: &Segment) -> Result<Self, StoreError> {
        let path = segment.path();
        let file = space.filesystem.open_for_reading(path).map_err(|error| io_error(path, error))?;
        Ok(Self { path: path.to_owned(), table: segment.table(), reader: open_reader(segment, file)? })
    }
}

impl Iterator for SegmentRows {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.reader.next()?.map_err(|error| error.to_string());
        let rows = read.and_then(|batch| as_table(&batch, self.table));
        Some(
            rows.map_err(|what| StoreError::Corrupt {
                what: format!("segment {}: {what}", self.path.display()),
            }),
        )
    }
}

/// Opens a segment for reading from its beginning, in batches of bounded size.
pub(crate) fn open_reader(segment: &Segment, file: File) -> Result<ParquetRecordBatchReader, StoreError> {
    let failed = |source| StoreError::Parquet { path: segment.path().to_owned(), source };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let unpacked: i64 = builder.metadata().row_groups().iter().map(|group| group.total_byte_size()).sum();
    let row_bytes =
        usize::try_from(unpacked).unwrap_or(0) / usize::try_from(segment.rows().max(1)).unwrap_or(1);
    let rows = (BATCH_BYTES / row_bytes.max(1)).clamp(LEAST_BATCH_ROWS, MOST_BATCH_ROWS);
    builder.with_batch_size(rows).build().map_err(failed)
}

/// The batch in the table's schema of today: columns by name, those the file does not have null.
pub(crate) fn as_table(batch: &RecordBatch, table: &'static Table) -> Result<RecordBatch, String> {
    let schema = arrow_schema(table);
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => columns.push(Arc::clone(column)),
            Some(column) => {
                return Err(format!("column {} has the type {}", field.name(), column.data_type()));
            }
            None => columns.push(new_null_array(field.data_type(), batch.num_rows())),
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(|error| error.to_string())
}
