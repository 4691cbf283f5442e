//! Lets batches that are held hold their own texts.
//!
//! A batch out of a join or a sort refers to texts that lie in the memory of many others. Whoever holds such batches is
//! charged for all of that memory with each of them: a sort of 300,000 runs met a limit of 12 GB with 1 GB in use. So
//! what sorts, joins and exchanges take in is copied first, where a batch uses little of what it refers to.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, GenericByteViewArray, RecordBatch};
use datafusion::arrow::datatypes::{ByteViewType, DataType, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, replace_children_if_necessary,
};
use futures::StreamExt as _;

/// Less than this is not worth a copy, in bytes of one column of a batch.
const LITTLE: usize = 16 * 1024;

/// The same plan; what holds batches is given such as hold their own texts.
pub(crate) fn with_own_texts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        if !holds_batches(node.as_ref()) {
            return Ok(Transformed::no(node));
        }
        let inputs: Vec<_> = node.children().into_iter().map(|input| owning(Arc::clone(input))).collect();
        Ok(Transformed::yes(replace_children_if_necessary(node, inputs)?))
    })?;
    Ok(changed.data)
}

fn holds_batches(node: &dyn ExecutionPlan) -> bool {
    let name = node.name();
    ["SortExec", "RepartitionExec"].contains(&name) || name.contains("Join") || name.contains("Window")
}

fn owning(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if has_texts(&input.schema()) { Arc::new(OwnTextsExec { input }) } else { input }
}

fn has_texts(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| matches!(field.data_type(), DataType::Utf8View | DataType::BinaryView))
}

/// The same batches, with their own texts.
#[derive(Debug)]
struct OwnTextsExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for OwnTextsExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OwnTextsExec")
    }
}

impl ExecutionPlan for OwnTextsExec {
    fn name(&self) -> &str {
        "OwnTextsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
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
            .map_err(|_| DataFusionError::Internal("texts are taken from one input".to_owned()))?;
        Ok(Arc::new(Self { input }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let owned = input.map(|batch| with_own(batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), owned)))
    }
}

fn with_own(batch: RecordBatch) -> Result<RecordBatch> {
    let owned: Vec<Option<ArrayRef>> = batch.columns().iter().map(own).collect();
    if owned.iter().all(Option::is_none) {
        return Ok(batch);
    }
    let (schema, mut columns, _) = batch.into_parts();
    for (column, owned) in columns.iter_mut().zip(owned) {
        if let Some(owned) = owned {
            *column = owned;
        }
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// A copy of the column, where it refers to far more than it uses.
fn own(column: &ArrayRef) -> Option<ArrayRef> {
    fn copied<T: ByteViewType>(texts: &GenericByteViewArray<T>) -> Option<ArrayRef> {
        let held: usize = texts.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
        let is_far_more = held > LITTLE && held > 2 * texts.total_buffer_bytes_used();
        is_far_more.then(|| Arc::new(texts.gc()) as ArrayRef)
    }
    match column.data_type() {
        DataType::Utf8View => copied(column.as_string_view()),
        DataType::BinaryView => copied(column.as_binary_view()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, StringViewArray};
    use datafusion::arrow::compute::take;
    use datafusion::arrow::datatypes::Field;

    use super::*;

    #[test]
    fn a_batch_that_uses_little_of_what_it_refers_to_is_copied_and_another_is_not() {
        let long = |number: i64| Some(format!("a text too long for a view, number {number}"));
        let all: ArrayRef = Arc::new((0..10_000).map(long).collect::<StringViewArray>());
        assert!(own(&all).is_none());
        let few = take(&all, &Int64Array::from(vec![Some(7), None, Some(9_999)]), None).unwrap();
        let schema = Schema::new(vec![Field::new("text", DataType::Utf8View, true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![few]).unwrap();
        let owned = with_own(batch.clone()).unwrap();
        assert_eq!(owned, batch);
        assert!(batch.get_array_memory_size() > 400_000);
        assert!(owned.get_array_memory_size() < 2_000);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1; 100_000]));
        assert!(own(&numbers).is_none());
    }
}
