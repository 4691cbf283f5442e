//! The columns of one part that are decoded.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringViewBuilder,
};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::internal_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;

use super::MOST_BYTES_OF_A_PART;
use super::reading::{Reader, Rows};
use crate::table::AT;

/// Rows past which a part is not kept, however few it seemed to have.
const MOST_ROWS: usize = 256 * 1024;

/// What a part is read as.
pub(crate) enum Answer {
    /// All its rows.
    Held(RecordBatch),
    /// They are too many to be held.
    Passing(SendableRecordBatchStream),
}

/// What is decoded of a part.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Which rows of the file it has; not known until it is first asked for.
    rows: Option<Rows>,
    /// By their positions in the table.
    decoded: BTreeMap<usize, ArrayRef>,
    /// It turned out to take more than is kept of a part: each query decodes what it needs.
    is_too_large: bool,
    bytes: usize,
}

impl Columns {
    /// Memory that is kept, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) async fn rows(&mut self, reader: &Reader<'_>, wanted: &[usize]) -> Result<Answer> {
        if self.rows.is_none() {
            let (rows, times) = reader.find().await?;
            self.bytes += rows.bytes();
            if !times.is_empty() && rows.count() <= MOST_ROWS {
                let pieces: Vec<&dyn Array> = times.iter().map(AsRef::as_ref).collect();
                self.keep(BTreeMap::from([(reader.schema.index_of(AT)?, concat(&pieces)?)]));
            }
            self.rows = Some(rows);
        }
        let Some(rows) = &self.rows else { return internal_err!("a part without rows") };
        if rows.count() > MOST_ROWS {
            return Ok(Answer::Passing(reader.pass(rows, wanted)?));
        }
        let missing: Vec<usize> =
            wanted.iter().copied().filter(|column| !self.decoded.contains_key(column)).collect();
        let fresh = decode(reader, rows, missing).await?;
        let answer = put_together(reader.schema, wanted, rows.count(), |column| {
            fresh.get(column).or_else(|| self.decoded.get(column)).cloned()
        })?;
        let answer =
            answer.ok_or_else(|| DataFusionError::Internal("a column was not decoded".to_owned()))?;
        self.keep(fresh);
        Ok(Answer::Held(answer))
    }

    /// The rows, if all these columns are here.
    pub(super) fn held(&self, schema: &Schema, wanted: &[usize]) -> Result<Option<RecordBatch>> {
        let Some(rows) = &self.rows else { return Ok(None) };
        if rows.count() > MOST_ROWS {
            return Ok(None);
        }
        put_together(schema, wanted, rows.count(), |column| self.decoded.get(column).cloned())
    }

    fn keep(&mut self, mut fresh: BTreeMap<usize, ArrayRef>) {
        if self.is_too_large {
            return;
        }
        let bytes = |columns: &BTreeMap<usize, ArrayRef>| -> usize {
            columns.values().map(|column| column.get_array_memory_size()).sum()
        };
        self.bytes += bytes(&fresh);
        self.decoded.append(&mut fresh);
        if self.bytes > MOST_BYTES_OF_A_PART {
            self.is_too_large = true;
            self.bytes = self.bytes.saturating_sub(bytes(&self.decoded));
            self.decoded.clear();
        }
    }
}

async fn decode(reader: &Reader<'_>, rows: &Rows, columns: Vec<usize>) -> Result<BTreeMap<usize, ArrayRef>> {
    let mut decoded = BTreeMap::new();
    if columns.is_empty() || rows.count() == 0 {
        return Ok(decoded);
    }
    let batches = reader.read(rows, &columns).await?;
    for (place, column) in columns.into_iter().enumerate() {
        let pieces: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(place).as_ref()).collect();
        let whole = alone(concat(&pieces)?);
        if whole.len() != rows.count() {
            return internal_err!("a column of {} rows in place of {}", whole.len(), rows.count());
        }
        decoded.insert(column, whole);
    }
    Ok(decoded)
}

/// A batch of these columns; `None` when one is not there.
fn put_together(
    schema: &Schema,
    wanted: &[usize],
    rows: usize,
    column: impl FnMut(&usize) -> Option<ArrayRef>,
) -> Result<Option<RecordBatch>> {
    let schema = Arc::new(schema.project(wanted)?);
    if rows == 0 {
        return Ok(Some(RecordBatch::new_empty(schema)));
    }
    let columns: Option<Vec<ArrayRef>> = wanted.iter().map(column).collect();
    let Some(columns) = columns else { return Ok(None) };
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(Some(RecordBatch::try_new_with_options(schema, columns, &options)?))
}

/// The same column with no more memory than its values take: what is read of a file holds on to whole pages.
fn alone(column: ArrayRef) -> ArrayRef {
    if *column.data_type() != DataType::Utf8View {
        return column;
    }
    let mut built = StringViewBuilder::with_capacity(column.len()).with_deduplicate_strings();
    for text in column.as_string_view() {
        built.append_option(text);
    }
    Arc::new(built.finish())
}
