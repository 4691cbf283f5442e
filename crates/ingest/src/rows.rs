//! Where the rows of an upload go: into a delivery, or onto paper.

use std::collections::BTreeMap;
use std::io::{self, Write};

use manometer_model::{Table, Value};
use manometer_store::DeliveryWriter;

use crate::error::IngestError;

/// Takes the rows of an upload, one at a time.
pub trait RowSink {
    /// One row; `cells` stand in the order of the table's columns.
    ///
    /// # Errors
    /// When the row cannot be taken; the upload ends there.
    fn append(&mut self, table: &'static Table, cells: &[Value<'_>]) -> Result<(), IngestError>;
}

impl RowSink for DeliveryWriter {
    fn append(&mut self, table: &'static Table, cells: &[Value<'_>]) -> Result<(), IngestError> {
        Ok(DeliveryWriter::append(self, table, cells)?)
    }
}

/// Writes rows as records, one JSON object a line: what `manometer ingest` takes as well.
pub struct RecordLines<'w> {
    out: &'w mut dyn Write,
    line: Vec<u8>,
    rows: BTreeMap<&'static str, u64>,
}

impl<'w> RecordLines<'w> {
    /// Writes to `out`.
    pub fn new(out: &'w mut dyn Write) -> Self {
        Self { out, line: Vec::new(), rows: BTreeMap::new() }
    }

    /// Rows written so far, by table.
    pub const fn rows(&self) -> &BTreeMap<&'static str, u64> {
        &self.rows
    }
}

impl std::fmt::Debug for RecordLines<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RecordLines").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl RowSink for RecordLines<'_> {
    fn append(&mut self, table: &'static Table, cells: &[Value<'_>]) -> Result<(), IngestError> {
        self.line.clear();
        write_record(&mut self.line, table, cells).map_err(IngestError::Write)?;
        self.out.write_all(&self.line).map_err(IngestError::Write)?;
        *self.rows.entry(table.name).or_default() += 1;
        Ok(())
    }
}

/// One line; what is not known is left out.
fn write_record(line: &mut Vec<u8>, table: &Table, cells: &[Value<'_>]) -> io::Result<()> {
    line.extend_from_slice(b"{\"type\":");
    serde_json::to_writer(&mut *line, table.record)?;
    for (column, cell) in table.columns.iter().zip(cells) {
        let is_unknown = match cell {
            Value::Null => true,
            Value::Labels(labels) => labels.is_empty(),
            // JSON has no such numbers.
            Value::Float(number) => !number.is_finite(),
            _ => false,
        };
        if is_unknown {
            continue;
        }
        line.push(b',');
        serde_json::to_writer(&mut *line, column.name)?;
        line.push(b':');
        write_cell(line, *cell)?;
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

fn write_cell(line: &mut Vec<u8>, cell: Value<'_>) -> io::Result<()> {
    match cell {
        Value::Null => line.extend_from_slice(b"null"),
        Value::Text(text) => serde_json::to_writer(line, text)?,
        Value::Time(time) => serde_json::to_writer(line, &time)?,
        Value::Float(number) => serde_json::to_writer(line, &number)?,
        Value::Int(number) => serde_json::to_writer(line, &number)?,
        Value::Bool(truth) => serde_json::to_writer(line, &truth)?,
        Value::Labels(labels) => serde_json::to_writer(line, labels)?,
        Value::TestId(id) => serde_json::to_writer(line, &id)?,
    }
    Ok(())
}
