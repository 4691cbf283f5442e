//! From rows of an answer to Rust values, by column name.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::record_batch::RecordBatch;
use manometer_model::{TestId, Timestamp};

use super::Answers;
use crate::{Parameter, QueryError, QueryRequest};

impl Answers {
    /// The rows of one SQL text of ours, all of them.
    pub(super) async fn rows(&self, sql: &str, parameters: Vec<Parameter>) -> Result<Rows, QueryError> {
        let mut request = QueryRequest::new(sql, self.access.clone());
        request.parameters = parameters;
        let result = self.engine.query(Arc::clone(&self.source), request).await?;
        let (batches, summary) = result.collect().await?;
        if summary.truncated {
            let rows = summary.row_count;
            return Err(QueryError::Execution {
                message: format!(
                    "this answer needs more rows than the limit `query_rows` allows ({rows}): narrow its time range"
                ),
            });
        }
        Ok(Rows { batches })
    }
}

/// Some rows.
#[derive(Debug)]
pub(super) struct Rows {
    batches: Vec<RecordBatch>,
}

impl Rows {
    /// Each row, made into something.
    pub(super) fn map<T>(
        &self,
        mut make: impl FnMut(Row<'_>) -> Result<T, QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let count = self.batches.iter().map(RecordBatch::num_rows).sum();
        let mut made = Vec::with_capacity(count);
        for batch in &self.batches {
            for index in 0..batch.num_rows() {
                made.push(make(Row { batch, index })?);
            }
        }
        Ok(made)
    }

    /// The only row, where there is one.
    pub(super) fn first<T>(
        &self,
        make: impl FnMut(Row<'_>) -> Result<T, QueryError>,
    ) -> Result<Option<T>, QueryError> {
        Ok(self.map(make)?.into_iter().next())
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl Row<'_> {
    /// The cell as an array of one value of the wanted type; `None` when it is null.
    fn cell(&self, column: &str, wanted: &DataType) -> Result<Option<Arc<dyn Array>>, QueryError> {
        let Some(values) = self.batch.column_by_name(column) else {
            return Err(QueryError::Internal { message: format!("an answer has no column `{column}`") });
        };
        if values.is_null(self.index) {
            return Ok(None);
        }
        let one = values.slice(self.index, 1);
        if one.data_type() == wanted {
            return Ok(Some(one));
        }
        let cast_one = cast(&one, wanted).map_err(|error| QueryError::Internal {
            message: format!("column `{column}` of an answer: {error}"),
        })?;
        Ok((!cast_one.is_null(0)).then_some(cast_one))
    }

    pub(super) fn optional_text(&self, column: &str) -> Result<Option<String>, QueryError> {
        let cell = self.cell(column, &DataType::Utf8View)?;
        Ok(cell.map(|values| values.as_string_view().value(0).to_owned()))
    }

    pub(super) fn text(&self, column: &str) -> Result<String, QueryError> {
        self.optional_text(column).map(Option::unwrap_or_default)
    }

    pub(super) fn test_id(&self, column: &str) -> Result<TestId, QueryError> {
        let digits = self.text(column)?;
        digits.parse().map_err(|error| QueryError::Storage {
            message: format!("`{digits}` in column `{column}`: {error}"),
        })
    }

    pub(super) fn optional_int(&self, column: &str) -> Result<Option<i64>, QueryError> {
        let cell = self.cell(column, &DataType::Int64)?;
        Ok(cell.map(|values| values.as_primitive::<Int64Type>().value(0)))
    }

    pub(super) fn int(&self, column: &str) -> Result<i64, QueryError> {
        self.optional_int(column).map(Option::unwrap_or_default)
    }

    /// A count; a null is none.
    pub(super) fn count(&self, column: &str) -> Result<u64, QueryError> {
        self.int(column).map(|number| u64::try_from(number).unwrap_or_default())
    }

    /// A real number; a NaN is not known.
    pub(super) fn optional_float(&self, column: &str) -> Result<Option<f64>, QueryError> {
        let cell = self.cell(column, &DataType::Float64)?;
        Ok(cell
            .map(|values| values.as_primitive::<Float64Type>().value(0))
            .filter(|number| number.is_finite()))
    }

    pub(super) fn optional_bool(&self, column: &str) -> Result<Option<bool>, QueryError> {
        let cell = self.cell(column, &DataType::Boolean)?;
        Ok(cell.map(|values| values.as_boolean().value(0)))
    }

    pub(super) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, QueryError> {
        let cell = self.cell(column, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        Ok(cell
            .map(|values| Timestamp::from_micros(values.as_primitive::<TimestampMicrosecondType>().value(0))))
    }
}
