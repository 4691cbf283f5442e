//! Parts of segments as a plan.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::{Statistics, project_schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::part::Which;
use super::{Answer, Kept, Part};
use crate::leaf::{self, leaf_methods};
use crate::pieces::in_pieces;

/// Gives the rows of parts from what is kept of them.
#[derive(Debug)]
pub(crate) struct KeptExec {
    kept: Arc<Kept>,
    parts: Vec<Part>,
    /// The columns of the table, and which of them come out.
    table: SchemaRef,
    columns: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl KeptExec {
    /// The plan that gives some columns of these parts, all where none are named; `None` when there are no parts.
    pub(crate) fn scan(
        kept: &Arc<Kept>,
        table: &SchemaRef,
        parts: Vec<Part>,
        columns: Option<&Vec<usize>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if parts.is_empty() {
            return Ok(None);
        }
        let properties = leaf::properties(project_schema(table, columns)?, 1);
        let columns = columns.cloned().unwrap_or_else(|| (0..table.fields().len()).collect());
        let (kept, table) = (Arc::clone(kept), Arc::clone(table));
        Ok(Some(Arc::new(Self { kept, parts, table, columns, properties })))
    }
}

impl DisplayAs for KeptExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: u64 = self.parts.iter().map(|part| part.rows).sum();
        write!(formatter, "KeptExec: parts={}, rows about {rows}", self.parts.len())
    }
}

impl ExecutionPlan for KeptExec {
    fn name(&self) -> &str {
        "KeptExec"
    }

    leaf_methods!();

    /// Rows exactly, where that many are in the file: a count reads none.
    fn partition_statistics(&self, _partition: Option<usize>) -> Result<Arc<Statistics>> {
        let mut known = Statistics::new_unknown(&self.schema());
        if self.parts.iter().all(|part| !matches!(part.which, Which::Times(..))) {
            let rows: u64 = self.parts.iter().map(|part| part.rows).sum();
            known.num_rows = Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX));
        }
        Ok(Arc::new(known))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (kept, table) = (Arc::clone(&self.kept), Arc::clone(&self.table));
        let columns: Arc<[usize]> = self.columns.as_slice().into();
        let batch_rows = context.session_config().batch_size();
        let batches = stream::iter(self.parts.clone())
            .then(move |part| {
                let (kept, table, columns) = (Arc::clone(&kept), Arc::clone(&table), Arc::clone(&columns));
                async move {
                    let answer = kept.rows(part, &table, &columns).await?;
                    Ok::<_, DataFusionError>(in_batches(answer, batch_rows))
                }
            })
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

fn in_batches(answer: Answer, rows: usize) -> SendableRecordBatchStream {
    let batch = match answer {
        Answer::Held(batch) => batch,
        Answer::Passing(stream) => return stream,
    };
    let schema = batch.schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(in_pieces(batch, rows).map(Ok))))
}
