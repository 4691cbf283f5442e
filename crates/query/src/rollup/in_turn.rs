//! The parts of a question of few rows, read one after the other.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, PlanProperties, displayable,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::leaf::{self, leaf_methods};

/// Gives the rows of plans of one schema, one plan after the other, in one partition.
///
/// To those who walk over plans it is a leaf: its plans are made as they should be, and to look at each of them again is
/// more work than to read what they read.
#[derive(Debug)]
pub(super) struct InTurnExec {
    plans: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
}

impl InTurnExec {
    /// The plan that reads these, whose columns are those of `schema`.
    pub(super) fn new(schema: SchemaRef, plans: Vec<Arc<dyn ExecutionPlan>>) -> Self {
        let properties = leaf::properties(schema, 1);
        Self { plans, properties }
    }
}

impl DisplayAs for InTurnExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InTurnExec")?;
        for (number, plan) in self.plans.iter().enumerate() {
            let text = displayable(plan.as_ref()).indent(false).to_string();
            let steps: Vec<&str> = text.lines().map(str::trim).collect();
            write!(formatter, "{} {}", if number == 0 { ":" } else { ";" }, steps.join(" <- "))?;
        }
        Ok(())
    }
}

impl ExecutionPlan for InTurnExec {
    fn name(&self) -> &str {
        "InTurnExec"
    }

    leaf_methods!();

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions: Vec<_> = self
            .plans
            .iter()
            .flat_map(|plan| {
                (0..plan.output_partitioning().partition_count()).map(|number| (Arc::clone(plan), number))
            })
            .collect();
        // A plan begins when its turn comes.
        let batches = stream::iter(partitions)
            .map(move |(plan, number)| plan.execute(number, Arc::clone(&context)))
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}
