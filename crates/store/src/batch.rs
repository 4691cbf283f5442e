//! A batch of fact rows in its compact form, and that form as bytes of the journal.
//!
//! Payload: one version byte, the unpacked length (u64, little endian), then one zstd frame holding an
//! Arrow IPC stream. The stream has the columns that vary; those with one value stand in its schema's
//! metadata; a column that is in neither place is null throughout. Columns are found by name, so a later
//! version may add some.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use manometer_model::{ColumnKind, Table, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::columns::Constant;
use crate::error::StoreError;
use crate::schema::table_index;

const PAYLOAD_VERSION: u8 = 1;
const HEADER_BYTES: usize = 9;

/// Largest unpacked payload: above what any batch can reach, below what hurts.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;

/// Rows of one fact table, columns as compact as they came.
#[derive(Debug, Clone)]
pub(crate) struct CompactBatch {
    pub(crate) table: &'static Table,
    pub(crate) rows: usize,
    /// One for each column of the table.
    pub(crate) columns: Vec<CompactColumn>,
    pub(crate) min_at: Timestamp,
    pub(crate) max_at: Timestamp,
}

/// One column: a single value for all rows, or an array. Arrays are `Utf8` for text and labels,
/// `FixedSizeBinary(16)` for test ids, `Int64` for numbers and times, `Float64`, `Boolean`.
#[derive(Debug, Clone)]
pub(crate) enum CompactColumn {
    Constant(Constant),
    Varying(ArrayRef),
}

/// A batch as the journal stores it.
#[derive(Debug, Clone)]
pub(crate) struct EncodedBatch {
    pub(crate) table_index: usize,
    pub(crate) content: Arc<CompactBatch>,
    pub(crate) payload: Vec<u8>,
    pub(crate) checksum: u64,
}

/// The type a varying column of this kind has in a compact batch.
pub(crate) fn compact_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text | ColumnKind::Labels => DataType::Utf8,
        ColumnKind::TestId => DataType::FixedSizeBinary(16),
        ColumnKind::Int | ColumnKind::Time => DataType::Int64,
        ColumnKind::Float => DataType::Float64,
        ColumnKind::Bool => DataType::Boolean,
    }
}

impl CompactBatch {
    /// The memory its arrays take.
    pub(crate) fn memory_bytes(&self) -> usize {
        let arrays = self.columns.iter().map(|column| match column {
            CompactColumn::Constant(Constant::Text(text)) => text.len(),
            CompactColumn::Constant(_) => 0,
            CompactColumn::Varying(array) => array.get_buffer_memory_size(),
        });
        arrays.sum::<usize>() + 64 * self.columns.len()
    }

    /// Encodes it for the journal.
    pub(crate) fn encode(self) -> Result<EncodedBatch, StoreError> {
        let stream =
            self.to_stream().map_err(|source| StoreError::Arrow { doing: "encode a batch", source })?;
        let packed = zstd::bulk::compress(&stream, 1).map_err(|source| StoreError::Arrow {
            doing: "compress a batch",
            source: ArrowError::IoError("zstd".to_owned(), source),
        })?;
        let mut payload = Vec::with_capacity(HEADER_BYTES + packed.len());
        payload.push(PAYLOAD_VERSION);
        payload.extend_from_slice(&(stream.len() as u64).to_le_bytes());
        payload.extend_from_slice(&packed);
        let checksum = xxh3_64(&payload);
        let table_index = table_index(self.table).unwrap_or(usize::MAX);
        Ok(EncodedBatch { table_index, content: Arc::new(self), payload, checksum })
    }

    fn to_stream(&self) -> Result<Vec<u8>, ArrowError> {
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        let mut constants = HashMap::new();
        for (column, content) in self.table.columns.iter().zip(&self.columns) {
            match content {
                CompactColumn::Varying(array) => {
                    fields.push(Field::new(column.name, array.data_type().clone(), true));
                    arrays.push(Arc::clone(array));
                }
                CompactColumn::Constant(constant) => {
                    if let Some(text) = constant.to_marked_text() {
                        constants.insert(column.name.to_owned(), text);
                    }
                }
            }
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, constants));
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
        let mut writer = StreamWriter::try_new(Vec::with_capacity(batch.get_array_memory_size()), &schema)?;
        writer.write(&batch)?;
        writer.finish()?;
        writer.into_inner()
    }

    /// Decodes a payload of the journal whose checksum is right. `what` names it in errors.
    pub(crate) fn decode(table: &'static Table, payload: &[u8], what: &str) -> Result<Self, StoreError> {
        decode(table, payload).map_err(|why| StoreError::Corrupt { what: format!("{what}: {why}") })
    }
}

fn decode(table: &'static Table, payload: &[u8]) -> Result<CompactBatch, String> {
    let (header, packed) = payload.split_at_checked(HEADER_BYTES).ok_or("the payload is cut short")?;
    let (version, length) = header.split_first().ok_or("the payload is empty")?;
    if *version != PAYLOAD_VERSION {
        return Err(format!("the payload has version {version}, this program knows {PAYLOAD_VERSION}"));
    }
    let unpacked = length.try_into().map(u64::from_le_bytes).map_err(|_| "the length is cut short")?;
    if unpacked > MAX_UNPACKED_BYTES {
        return Err(format!("the payload claims {unpacked} bytes unpacked"));
    }
    let stream = zstd::bulk::decompress(packed, unpacked as usize).map_err(|error| error.to_string())?;
    let mut reader = StreamReader::try_new(Cursor::new(stream), None).map_err(|error| error.to_string())?;
    let schema = reader.schema();
    let batch = reader.next().ok_or("the payload has no rows")?.map_err(|error| error.to_string())?;
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        columns.push(match (batch.column_by_name(column.name), schema.metadata().get(column.name)) {
            (Some(array), _) if *array.data_type() == compact_type(column.kind) => {
                CompactColumn::Varying(Arc::clone(array))
            }
            (Some(array), _) => return Err(format!("{} has the type {}", column.name, array.data_type())),
            (None, Some(text)) => {
                let constant =
                    Constant::of_marked_text(text).ok_or_else(|| format!("{} is damaged", column.name))?;
                CompactColumn::Constant(constant)
            }
            (None, None) => CompactColumn::Constant(Constant::Null),
        });
    }
    let (min_at, max_at) = time_range(table, &columns);
    Ok(CompactBatch { table, rows: batch.num_rows(), columns, min_at, max_at })
}

fn time_range(table: &'static Table, columns: &[CompactColumn]) -> (Timestamp, Timestamp) {
    let unknown = (Timestamp::from_micros(0), Timestamp::from_micros(0));
    let Some(position) = table.position("at") else { return unknown };
    match columns.get(position) {
        Some(CompactColumn::Constant(constant)) => constant.time().map_or(unknown, |at| (at, at)),
        Some(CompactColumn::Varying(array)) => {
            let times = array.as_primitive::<Int64Type>();
            match (arrow::compute::min(times), arrow::compute::max(times)) {
                (Some(min), Some(max)) => (Timestamp::from_micros(min), Timestamp::from_micros(max)),
                _ => unknown,
            }
        }
        None => unknown,
    }
}
