//! One column being filled: constant as long as it can be.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, FixedSizeBinaryArray, Float64Array, Int64Array,
    NullBufferBuilder,
};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::error::ArrowError;
use manometer_model::{Column, ColumnKind, Table, TestId, Timestamp, Value};

use crate::batch::CompactColumn;
use crate::columns::texts::Texts;
use crate::columns::{BATCH_ROWS, Constant};
use crate::delivery::MAX_TEXT_BYTES;
use crate::error::StoreError;

/// How many rows a column that begins to vary makes room for, to begin with.
const FIRST_ROOM: usize = 1_024;

#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    column: &'static Column,
    state: State,
    /// Labels as JSON, kept to be used again.
    labels: String,
}

#[derive(Debug)]
enum State {
    Constant(Constant),
    Texts(Texts),
    TestIds { bytes: Vec<u8>, known: NullBufferBuilder },
    Whole { numbers: Vec<i64>, known: NullBufferBuilder },
    Real { numbers: Vec<f64>, known: NullBufferBuilder },
    Truths { bits: BooleanBufferBuilder, known: NullBufferBuilder },
}

/// Why a cell was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    column: &'static Column,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Missing,
    Kind(&'static str),
    TooLarge(usize),
}

impl Refusal {
    /// The error, naming the table.
    pub(crate) fn of(self, table: &'static Table) -> StoreError {
        let (table, column) = (table.name, self.column.name);
        match self.why {
            Why::Missing => StoreError::MissingValue { table, column },
            Why::Kind(found) => {
                StoreError::WrongKind { table, column, expected: kind_name(self.column.kind), found }
            }
            Why::TooLarge(bytes) => StoreError::ValueTooLarge { table, column, bytes, limit: MAX_TEXT_BYTES },
        }
    }
}

const fn kind_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "text",
        ColumnKind::Time => "a time",
        ColumnKind::Float => "a real number",
        ColumnKind::Int => "a whole number",
        ColumnKind::Bool => "true or false",
        ColumnKind::Labels => "labels",
        ColumnKind::TestId => "a test id",
        ColumnKind::Sketch => "a sketch",
    }
}

/// Checks that a cell may stand in a column.
pub(crate) fn admit(column: &'static Column, value: Value<'_>) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal { column, why });
    let found = match value {
        Value::Null if column.nullable => return Ok(()),
        Value::Null => return refuse(Why::Missing),
        Value::Text(text) if text.len() > MAX_TEXT_BYTES => return refuse(Why::TooLarge(text.len())),
        Value::Text(_) => ColumnKind::Text,
        Value::Time(_) => ColumnKind::Time,
        Value::Float(_) => ColumnKind::Float,
        Value::Int(_) => ColumnKind::Int,
        Value::Bool(_) => ColumnKind::Bool,
        Value::Labels(pairs) => {
            let bytes = pairs.iter().map(|(key, text)| key.len() + text.len()).sum();
            if bytes > MAX_TEXT_BYTES {
                return refuse(Why::TooLarge(bytes));
            }
            ColumnKind::Labels
        }
        Value::TestId(_) => ColumnKind::TestId,
    };
    if found == column.kind { Ok(()) } else { refuse(Why::Kind(kind_name(found))) }
}

impl ColumnBuilder {
    pub(crate) fn new(column: &'static Column) -> Self {
        Self { column, state: State::Constant(Constant::Null), labels: String::new() }
    }

    /// Checks that a cell may stand in this column.
    pub(crate) fn admit(&self, value: Value<'_>) -> Result<(), Refusal> {
        admit(self.column, value)
    }

    /// Adds a cell as row number `row`; returns by how many bytes the column grew.
    pub(crate) fn push(&mut self, value: Value<'_>, row: usize) -> usize {
        if let Value::Labels(pairs) = value {
            // A map of strings always has a JSON form.
            self.labels = serde_json::to_string(pairs).unwrap_or_default();
        }
        if let State::Constant(known) = &mut self.state {
            if row > 0 && known.is(value, &self.labels) {
                return 0;
            }
            if row == 0 {
                *known = Constant::of(value, &self.labels);
                return value_bytes(value, &self.labels);
            }
            let known = std::mem::replace(known, Constant::Null);
            self.spread(&known, row);
        }
        self.push_varying(value);
        value_bytes(value, &self.labels)
    }

    fn push_varying(&mut self, value: Value<'_>) {
        match (&mut self.state, value) {
            (State::Texts(texts), Value::Text(text)) => texts.push(text),
            (State::Texts(texts), Value::Labels(_)) => texts.push(&self.labels),
            (State::Texts(texts), _) => texts.push_null(),
            (State::TestIds { bytes, known }, Value::TestId(id)) => {
                bytes.extend_from_slice(&id.as_u128().to_be_bytes());
                known.append_non_null();
            }
            (State::TestIds { bytes, known }, _) => {
                bytes.extend_from_slice(&[0; 16]);
                known.append_null();
            }
            (State::Whole { numbers, known }, Value::Int(number)) => {
                numbers.push(number);
                known.append_non_null();
            }
            (State::Whole { numbers, known }, Value::Time(time)) => {
                numbers.push(time.as_micros());
                known.append_non_null();
            }
            (State::Whole { numbers, known }, _) => {
                numbers.push(0);
                known.append_null();
            }
            (State::Real { numbers, known }, Value::Float(number)) => {
                numbers.push(number);
                known.append_non_null();
            }
            (State::Real { numbers, known }, _) => {
                numbers.push(0.0);
                known.append_null();
            }
            (State::Truths { bits, known }, Value::Bool(truth)) => {
                bits.append(truth);
                known.append_non_null();
            }
            (State::Truths { bits, known }, _) => {
                bits.append(false);
                known.append_null();
            }
            (State::Constant(_), _) => {}
        }
    }

    /// Turns a constant that stood for `rows` rows into a full column.
    fn spread(&mut self, constant: &Constant, rows: usize) {
        let room = FIRST_ROOM.max(rows * 2).min(BATCH_ROWS);
        let known = NullBufferBuilder::new(room);
        self.state = match self.column.kind {
            // No record has a sketch.
            ColumnKind::Text | ColumnKind::Labels | ColumnKind::Sketch => {
                State::Texts(Texts::with_capacity(room))
            }
            ColumnKind::TestId => State::TestIds { bytes: Vec::with_capacity(room * 16), known },
            ColumnKind::Int | ColumnKind::Time => State::Whole { numbers: Vec::with_capacity(room), known },
            ColumnKind::Float => State::Real { numbers: Vec::with_capacity(room), known },
            ColumnKind::Bool => State::Truths { bits: BooleanBufferBuilder::new(room), known },
        };
        let value = match constant {
            Constant::Null => Value::Null,
            Constant::Text(text) => Value::Text(text),
            Constant::Time(micros) => Value::Time(Timestamp::from_micros(*micros)),
            Constant::Float(number) => Value::Float(*number),
            Constant::Int(number) => Value::Int(*number),
            Constant::Bool(truth) => Value::Bool(*truth),
            Constant::TestId(id) => Value::TestId(TestId::from_u128(*id)),
        };
        for _ in 0..rows {
            self.push_varying(value);
        }
    }

    /// The column, without the room it made for rows that did not come: it may wait in memory for long.
    pub(crate) fn finish(self) -> Result<CompactColumn, ArrowError> {
        let array: ArrayRef = match self.state {
            State::Constant(constant) => return Ok(CompactColumn::Constant(constant)),
            State::Texts(texts) => texts.finish()?,
            State::TestIds { mut bytes, mut known } => {
                bytes.shrink_to_fit();
                Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(bytes), known.finish())?)
            }
            State::Whole { mut numbers, mut known } => {
                numbers.shrink_to_fit();
                Arc::new(Int64Array::try_new(ScalarBuffer::from(numbers), known.finish())?)
            }
            State::Real { mut numbers, mut known } => {
                numbers.shrink_to_fit();
                Arc::new(Float64Array::try_new(ScalarBuffer::from(numbers), known.finish())?)
            }
            State::Truths { mut bits, mut known } => {
                Arc::new(BooleanArray::new(bits.finish(), known.finish()))
            }
        };
        Ok(CompactColumn::Varying(array))
    }
}

fn value_bytes(value: Value<'_>, labels: &str) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Text(text) => text.len() + 4,
        Value::Labels(_) => labels.len() + 4,
        Value::Time(_) | Value::Float(_) | Value::Int(_) => 8,
        Value::TestId(_) => 16,
    }
}
