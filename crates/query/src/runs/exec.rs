//! The aggregate as a node of a plan.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::grouping::{Grouping, Taken};
use crate::pieces::in_pieces;

/// Gives what an [`AggregateExec`] beside the rows gives, and groups these by runs.
#[derive(Debug)]
pub(super) struct RunAggregateExec {
    aggregate: AggregateExec,
}

impl RunAggregateExec {
    pub(super) const fn new(aggregate: AggregateExec) -> Self {
        Self { aggregate }
    }
}

/// Where it is in its input.
enum State {
    Holding(SendableRecordBatchStream, Grouping),
    /// Holds no groups any more.
    Passing(SendableRecordBatchStream, Grouping),
    Done,
}

impl State {
    /// The next groups, and where it is then.
    async fn next(self) -> Result<Option<(RecordBatch, Self)>> {
        match self {
            Self::Holding(mut input, mut grouping) => {
                while let Some(batch) = input.next().await {
                    match grouping.add(&batch?)? {
                        Taken::Held => {}
                        Taken::Early(groups) => return Ok(Some((groups, Self::Holding(input, grouping)))),
                        Taken::InVain(groups) => return Ok(Some((groups, Self::Passing(input, grouping)))),
                    }
                }
                // What the input held is free before its groups are laid out.
                drop(input);
                if grouping.is_empty() {
                    return Ok(None);
                }
                Ok(Some((grouping.take()?, Self::Done)))
            }
            Self::Passing(mut input, mut grouping) => {
                let Some(batch) = input.next().await else { return Ok(None) };
                Ok(Some((grouping.pass(&batch?)?, Self::Passing(input, grouping))))
            }
            Self::Done => Ok(None),
        }
    }
}

impl DisplayAs for RunAggregateExec {
    fn fmt_as(&self, format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("By runs: ")?;
        self.aggregate.fmt_as(format, formatter)
    }
}

impl ExecutionPlan for RunAggregateExec {
    fn name(&self) -> &str {
        "RunAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.aggregate.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.aggregate.input()]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.aggregate.apply_expressions(visit)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("an aggregate has one input".to_owned()))?;
        let aggregate = &self.aggregate;
        let aggregate = AggregateExec::try_new(
            *aggregate.mode(),
            aggregate.group_expr().clone(),
            aggregate.aggr_expr().to_vec(),
            aggregate.filter_expr().to_vec(),
            input,
            aggregate.input_schema(),
        )?;
        Ok(Arc::new(Self { aggregate }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let grouping = Grouping::new(&self.aggregate, &context)?;
        let rows_at_once = context.session_config().batch_size();
        let input = self.aggregate.input().execute(partition, context)?;
        let groups = stream::try_unfold(State::Holding(input, grouping), State::next);
        let batches = groups.map_ok(move |groups| stream::iter(in_pieces(groups, rows_at_once).map(Ok)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten())))
    }
}
