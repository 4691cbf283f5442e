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
        ColumnKind::Sketch => DataType::Binary,
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

    /// The size a payload claims to have when it is unpacked: about the memory its rows will take. 0 for one that is
    /// no payload.
    pub(crate) fn unpacked_bytes(payload: &[u8]) -> u64 {
        let length = payload.get(1..HEADER_BYTES).and_then(|bytes| bytes.try_into().ok());
        length.map_or(0, u64::from_le_bytes).min(MAX_UNPACKED_BYTES)
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

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, RecordBatch};
    use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
    use manometer_model::records::{SAMPLES, TESTS};
    use manometer_model::{Labels, TestId, Value};
    use proptest::prelude::*;

    use super::*;
    use crate::columns::TableBuilder;

    /// One cell, owned, so that rows can be generated and compared.
    #[derive(Debug, Clone, PartialEq)]
    enum Owned {
        Null,
        Text(String),
        Time(i64),
        Float(u64),
        Int(i64),
        Bool(bool),
        Labels(Labels),
        TestId(u128),
    }

    impl Owned {
        fn value(&self) -> Value<'_> {
            match self {
                Self::Null => Value::Null,
                Self::Text(text) => Value::Text(text),
                Self::Time(micros) => Value::Time(Timestamp::from_micros(*micros)),
                Self::Float(bits) => Value::Float(f64::from_bits(*bits)),
                Self::Int(number) => Value::Int(*number),
                Self::Bool(truth) => Value::Bool(*truth),
                Self::Labels(pairs) => Value::Labels(pairs),
                Self::TestId(bits) => Value::TestId(TestId::from_u128(*bits)),
            }
        }
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            Just("main".to_owned()),
            Just("exactly12byt".to_owned()),
            any::<String>(),
            "\\PC{0,40}",
            Just("long ".repeat(20_000)),
        ]
    }

    fn cell(column: &manometer_model::Column) -> BoxedStrategy<Owned> {
        let known = match column.kind {
            ColumnKind::Text => text().prop_map(Owned::Text).boxed(),
            ColumnKind::Time => prop_oneof![Just(0), Just(-1), Just(i64::MAX), Just(i64::MIN), any::<i64>()]
                .prop_map(Owned::Time)
                .boxed(),
            ColumnKind::Float => prop_oneof![
                Just(f64::NAN.to_bits()),
                Just((-0.0_f64).to_bits()),
                Just(0.0_f64.to_bits()),
                Just(f64::INFINITY.to_bits()),
                any::<u64>(),
            ]
            .prop_map(Owned::Float)
            .boxed(),
            ColumnKind::Int => prop_oneof![Just(1), any::<i64>()].prop_map(Owned::Int).boxed(),
            ColumnKind::Bool => any::<bool>().prop_map(Owned::Bool).boxed(),
            ColumnKind::Labels => prop::collection::btree_map(any::<String>(), any::<String>(), 1..3)
                .prop_map(Owned::Labels)
                .boxed(),
            ColumnKind::TestId => prop_oneof![Just(0), any::<u128>()].prop_map(Owned::TestId).boxed(),
            ColumnKind::Sketch => panic!("no record has a sketch"),
        };
        if column.nullable { prop_oneof![1 => Just(Owned::Null), 2 => known].boxed() } else { known }
    }

    /// Rows in which a column often repeats its first value, so that constants, late changes and nulls occur.
    fn rows(table: &'static Table) -> impl Strategy<Value = Vec<Vec<Owned>>> {
        let row: Vec<BoxedStrategy<Owned>> = table.columns.iter().map(cell).collect();
        let steady = prop::collection::vec(prop::bool::weighted(0.6), table.columns.len());
        (prop::collection::vec(row, 1..12), steady, any::<prop::sample::Index>()).prop_map(
            |(mut rows, steady, from)| {
                let first = rows[0].clone();
                let change = from.index(rows.len() + 1);
                for (number, row) in rows.iter_mut().enumerate() {
                    for ((cell, known), keeps) in row.iter_mut().zip(&first).zip(&steady) {
                        if *keeps && number < change {
                            cell.clone_from(known);
                        }
                    }
                }
                rows
            },
        )
    }

    fn shown(batch: &RecordBatch, column: usize, row: usize, kind: ColumnKind) -> Owned {
        let array = batch.column(column);
        if array.is_null(row) {
            return Owned::Null;
        }
        match kind {
            ColumnKind::Text => Owned::Text(array.as_string_view().value(row).to_owned()),
            ColumnKind::Labels => {
                Owned::Labels(serde_json::from_str(array.as_string_view().value(row)).unwrap())
            }
            ColumnKind::TestId => {
                Owned::TestId(array.as_string_view().value(row).parse::<TestId>().unwrap().as_u128())
            }
            ColumnKind::Sketch => panic!("no record has a sketch"),
            ColumnKind::Time => Owned::Time(array.as_primitive::<TimestampMicrosecondType>().value(row)),
            ColumnKind::Float => Owned::Float(array.as_primitive::<Float64Type>().value(row).to_bits()),
            ColumnKind::Int => Owned::Int(array.as_primitive::<Int64Type>().value(row)),
            ColumnKind::Bool => {
                let truths: &BooleanArray = array.as_boolean();
                Owned::Bool(truths.value(row))
            }
        }
    }

    fn check(table: &'static Table, rows: &[Vec<Owned>]) {
        let mut builder = TableBuilder::new(table);
        for row in rows {
            let values: Vec<Value<'_>> = row.iter().map(Owned::value).collect();
            builder.append(&values).unwrap();
        }
        let encoded = builder.take().unwrap().unwrap().encode().unwrap();
        assert_eq!(xxh3_64(&encoded.payload), encoded.checksum);
        let decoded = CompactBatch::decode(table, &encoded.payload, "a batch").unwrap();
        assert_eq!((decoded.min_at, decoded.max_at), (encoded.content.min_at, encoded.content.max_at));
        for batch in [encoded.content.expand(None).unwrap(), decoded.expand(None).unwrap()] {
            assert_eq!(batch.num_rows(), rows.len());
            for (number, row) in rows.iter().enumerate() {
                for (position, (cell, column)) in row.iter().zip(table.columns).enumerate() {
                    assert_eq!(
                        &shown(&batch, position, number, column.kind),
                        cell,
                        "{} row {number}",
                        column.name
                    );
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn test_results_survive_the_journal(rows in rows(&TESTS)) {
            check(&TESTS, &rows);
        }

        #[test]
        fn samples_survive_the_journal(rows in rows(&SAMPLES)) {
            check(&SAMPLES, &rows);
        }
    }

    #[test]
    fn a_damaged_payload_is_an_error_and_never_a_panic() {
        let mut builder = TableBuilder::new(&SAMPLES);
        let mut row = vec![Value::Null; SAMPLES.columns.len()];
        for (column, value) in SAMPLES.columns.iter().zip(&mut row) {
            *value = match column.kind {
                ColumnKind::Text => Value::Text("x"),
                ColumnKind::Time => Value::Time(Timestamp::from_micros(1)),
                ColumnKind::Float => Value::Float(1.0),
                ColumnKind::Int => Value::Int(1),
                _ => Value::Null,
            };
        }
        builder.append(&row).unwrap();
        let payload = builder.take().unwrap().unwrap().encode().unwrap().payload;
        for cut in 0..payload.len() {
            assert!(CompactBatch::decode(&SAMPLES, &payload[..cut], "a batch").is_err(), "cut at {cut}");
        }
        let mut huge = payload.clone();
        huge[1..9].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(CompactBatch::decode(&SAMPLES, &huge, "a batch").is_err());
        let mut other_version = payload;
        other_version[0] = 9;
        let refused =
            CompactBatch::decode(&SAMPLES, &other_version, "journal batch 4").unwrap_err().to_string();
        assert!(refused.contains("journal batch 4: the payload has version 9"), "{refused}");
    }
}
