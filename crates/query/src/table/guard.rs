//! The one place where rows of other projects end.
//!
//! A plan node that drops every row whose project is not allowed. It lets no filter of the query pass to
//! its input (see `visible`), and knows no statistics, so that nothing counts rows it hides.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::cast::as_string_view_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;

/// Drops rows of projects that are not allowed. Its input ends in an extra column, the project, which it removes.
#[derive(Debug)]
pub(super) struct ProjectGuardExec {
    input: Arc<dyn ExecutionPlan>,
    allowed: Arc<BTreeSet<String>>,
    /// How many columns come out.
    columns: usize,
    properties: Arc<PlanProperties>,
}

impl ProjectGuardExec {
    /// Guards `input`, of which the last column is the project and the others come out.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        allowed: BTreeSet<String>,
        columns: Option<usize>,
    ) -> Result<Self> {
        let columns = columns.unwrap_or(input.schema().fields().len().saturating_sub(1));
        Self::over(input, Arc::new(allowed), columns)
    }

    fn over(input: Arc<dyn ExecutionPlan>, allowed: Arc<BTreeSet<String>>, columns: usize) -> Result<Self> {
        let kept: Vec<usize> = (0..columns).collect();
        let schema: SchemaRef = Arc::new(input.schema().project(&kept)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(
                input.output_partitioning().partition_count(),
            ),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Ok(Self { input, allowed, columns, properties: Arc::new(properties) })
    }
}

fn keep_visible(batch: &RecordBatch, allowed: &BTreeSet<String>, columns: usize) -> Result<RecordBatch> {
    let projects = as_string_view_array(batch.column(columns))?;
    let mut last: Option<(&str, bool)> = None;
    let visible: BooleanArray = projects
        .iter()
        .map(|project| {
            let Some(name) = project else { return Some(false) };
            if let Some((known, verdict)) = last
                && known == name
            {
                return Some(verdict);
            }
            let verdict = allowed.contains(name);
            last = Some((name, verdict));
            Some(verdict)
        })
        .collect();
    let kept: Vec<usize> = (0..columns).collect();
    let shown = batch.project(&kept)?;
    if visible.true_count() == visible.len() {
        return Ok(shown);
    }
    Ok(filter_record_batch(&shown, &visible)?)
}

impl DisplayAs for ProjectGuardExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProjectGuardExec: projects={}", self.allowed.len())
    }
}

impl ExecutionPlan for ProjectGuardExec {
    fn name(&self) -> &str {
        "ProjectGuardExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("the project guard has one input".to_owned()))?;
        Ok(Arc::new(Self::over(input, Arc::clone(&self.allowed), self.columns)?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let allowed = Arc::clone(&self.allowed);
        let columns = self.columns;
        let visible = input.map(move |batch| keep_visible(&batch?, &allowed, columns));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), visible)))
    }
}
