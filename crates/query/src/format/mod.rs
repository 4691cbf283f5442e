//! Answers as bytes: JSON, CSV, Parquet, Arrow IPC, and a table for a terminal.
//!
//! Each format is an encoder that takes batches one after the other, so an answer of any length costs the
//! memory of a few batches (Parquet: of one row group; the table: of the rows its widths are taken from).

mod arrow_stream;
mod cell;
mod csv;
mod json;
mod parquet;
mod plan;
mod table;

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use futures::{Stream, stream};

use crate::{QueryError, QueryResult, ResultColumn, Summary};

/// A format of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"columns":[{"name","type"}],"rows":[[…]],"row_count","truncated","elapsed_ms"}`. Times are RFC 3339
    /// with `Z`; NaN and infinities are `null`.
    Json,
    /// A header line, then a line a row (RFC 4180, ended by `\n`). Null is empty.
    Csv,
    /// A Parquet file, zstd.
    Parquet,
    /// An Arrow IPC stream.
    ArrowStream,
    /// Columns side by side for a terminal, this many letters wide. Plans, which `EXPLAIN` answers, are written in full.
    Table {
        /// Letters in a line; long texts are clipped to it. `None` for no end.
        width: Option<usize>,
    },
}

impl Format {
    /// The words that name a format.
    pub const WORDS: &'static [&'static str] = &["json", "csv", "parquet", "arrow", "table"];

    /// The media type for HTTP.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::ArrowStream => "application/vnd.apache.arrow.stream",
            Self::Table { .. } => "text/plain; charset=utf-8",
        }
    }
}

/// Why a text names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a format: expected one of json, csv, parquet, arrow, table")]
pub struct UnknownFormat {
    found: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "arrow" => Ok(Self::ArrowStream),
            "table" => Ok(Self::Table { width: None }),
            other => Err(UnknownFormat { found: other.chars().take(64).collect() }),
        }
    }
}

/// Why an answer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The bytes could not be written.
    #[error("failed to write the answer: {0}")]
    Output(#[from] std::io::Error),
}

/// Writes a whole answer.
///
/// # Errors
/// When the query fails on the way, or the output does.
pub async fn write(
    mut result: QueryResult,
    format: Format,
    output: &mut (dyn Write + Send),
) -> Result<Summary, WriteError> {
    let mut encoder = encoder(format, result.schema());
    output.write_all(&encoder.start()?)?;
    while let Some(batch) = result.next_batch().await? {
        output.write_all(&encoder.batch(&batch)?)?;
    }
    let summary = result.ending();
    output.write_all(&encoder.finish(&summary)?)?;
    output.flush()?;
    Ok(summary)
}

/// An answer as chunks of bytes, made as they are asked for. Dropping the stream stops the query. An error
/// on the way is the last item: what came before it is not a whole answer.
pub fn chunks(
    result: QueryResult,
    format: Format,
) -> impl Stream<Item = Result<Bytes, QueryError>> + Send + use<> {
    let encoder = encoder(format, result.schema());
    stream::try_unfold(Progress::Start(result, encoder), |progress| async move {
        match progress {
            Progress::Start(result, mut encoder) => {
                let bytes = encoder.start()?;
                Ok(Some((bytes, Progress::Rows(result, encoder))))
            }
            Progress::Rows(mut result, mut encoder) => match result.next_batch().await? {
                Some(batch) => {
                    let bytes = encoder.batch(&batch)?;
                    Ok(Some((bytes, Progress::Rows(result, encoder))))
                }
                None => Ok(Some((encoder.finish(&result.ending())?, Progress::Done))),
            },
            Progress::Done => Ok(None),
        }
    })
}

enum Progress {
    Start(QueryResult, Box<dyn Encoder>),
    Rows(QueryResult, Box<dyn Encoder>),
    Done,
}

/// Batches to bytes. What comes out of `start`, every `batch` and `finish`, put together, is the answer.
trait Encoder: Send {
    fn start(&mut self) -> Result<Bytes, QueryError>;
    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError>;
    fn finish(&mut self, summary: &Summary) -> Result<Bytes, QueryError>;
}

fn encoder(format: Format, schema: &SchemaRef) -> Box<dyn Encoder> {
    match format {
        Format::Json => Box::new(json::Json::new(schema)),
        Format::Csv => Box::new(csv::Csv::new(schema)),
        Format::Parquet => Box::new(parquet::Parquet::new(schema)),
        Format::ArrowStream => Box::new(arrow_stream::ArrowStream::new(schema)),
        Format::Table { .. } if plan::Plans::are(schema) => Box::new(plan::Plans),
        Format::Table { width } => Box::new(table::Table::new(schema, width)),
    }
}

fn failed_to_encode(what: &str, error: impl fmt::Display) -> QueryError {
    QueryError::Internal { message: format!("failed to write {what}: {error}") }
}

/// The columns of a schema, in words.
pub(crate) fn columns(schema: &Schema) -> Vec<ResultColumn> {
    schema
        .fields()
        .iter()
        .map(|field| ResultColumn { name: field.name().clone(), kind: kind(field.data_type()) })
        .collect()
}

fn kind(data_type: &DataType) -> String {
    let word = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Boolean => "boolean",
        DataType::Timestamp(..) => "time",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::Dictionary(_, values) => return kind(values),
        number if number.is_integer() => "integer",
        number if is_number(number) => "number",
        other => return other.to_string().to_lowercase(),
    };
    word.to_owned()
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}
