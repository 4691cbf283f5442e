//! Rows of the journal as a plan: each part becomes a batch when its turn comes, of the columns the query needs, so that
//! a question costs one part of memory a thread, however many rows wait for their flush.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::{Statistics, project_schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::stream;
use manometer_store::UnflushedRows;

use super::spread::spread;
use crate::leaf::{self, leaf_methods};

/// Reads unflushed rows, spread over partitions.
#[derive(Debug)]
pub(super) struct UnflushedExec {
    partitions: Vec<Vec<UnflushedRows>>,
    /// Positions in the table's schema; all columns where none are named.
    columns: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl UnflushedExec {
    /// The plan that reads these rows; `None` when there are none.
    pub(super) fn scan(
        schema: &SchemaRef,
        rows: Vec<UnflushedRows>,
        columns: Option<Vec<usize>>,
        most_partitions: usize,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if rows.is_empty() {
            return Ok(None);
        }
        let mut parts: Vec<_> = rows.into_iter().map(|part| (part.rows(), part)).collect();
        parts.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
        let partitions = spread(parts, most_partitions);
        let properties = leaf::properties(project_schema(schema, columns.as_ref())?, partitions.len());
        Ok(Some(Arc::new(Self { partitions, columns, properties })))
    }
}

impl DisplayAs for UnflushedExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: usize = self.partitions.iter().map(Vec::len).sum();
        write!(formatter, "UnflushedExec: parts={parts}, partitions={}", self.partitions.len())
    }
}

impl ExecutionPlan for UnflushedExec {
    fn name(&self) -> &str {
        "UnflushedExec"
    }

    leaf_methods!();

    /// Rows exactly: a count makes no batch.
    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let counted = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(number, _)| partition.is_none_or(|one| one == *number));
        let rows: u64 = counted.flat_map(|(_, parts)| parts).map(UnflushedRows::rows).sum();
        let mut known = Statistics::new_unknown(&self.schema());
        known.num_rows = Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX));
        Ok(Arc::new(known))
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let parts = self.partitions.get(partition).cloned().unwrap_or_default();
        let columns = self.columns.clone();
        let batches = parts.into_iter().map(move |part| {
            part.read(columns.as_deref()).map_err(|error| DataFusionError::External(Box::new(error)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::iter(batches))))
    }
}
