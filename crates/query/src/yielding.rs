//! Lets joins give way: a join can make a million batches of one batch it reads, and the engine counts only what is read.
//! Without a pause in between, neither a time limit nor a caller who goes away ends such a query.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// The same plan; each part that may give more batches than it reads counts those it gives.
pub(crate) fn with_pauses(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let wrapped = plan.transform_up(|node| {
        if multiplies(node.as_ref()) {
            Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>))
        } else {
            Ok(Transformed::no(node))
        }
    })?;
    Ok(wrapped.data)
}

fn multiplies(node: &dyn ExecutionPlan) -> bool {
    let only_passes_on = ["UnionExec", "InterleaveExec"].contains(&node.name());
    (node.children().len() > 1 && !only_passes_on) || node.name() == "UnnestExec"
}
