//! Grouping by runs: rows that follow each other and belong to one group are looked up once.
//!
//! Rows lie sorted in segments, so those of a test, of a service, of a day of a test follow each other. To hash and look up
//! the group of each row takes half of the time of a query over many; the rows of a run have the same.
//!
//! ```text
//!  batch ─► columns of the groups ─► where runs begin ─► the group of each first row ─► of all rows ─┐
//!     └───► arguments of the aggregates ─────────────────────────────────────────────────────────────┴─► accumulators
//! ```
//!
//! It takes the place of the first of two aggregates only, the one beside the rows, whose groups the second puts together.
//! What it holds when memory is short it hands on early, and where nearly every row is a group of its own it holds nothing.

mod exec;
mod grouping;
mod starts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use self::exec::RunAggregateExec;

/// The same plan; aggregates beside the rows go by runs.
///
/// # Errors
/// When the plan cannot be put together again.
pub(crate) fn by_runs(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        let Some(aggregate) = node.downcast_ref::<AggregateExec>().filter(|aggregate| is_for_runs(aggregate))
        else {
            return Ok(Transformed::no(node));
        };
        let by_runs = RunAggregateExec::new(aggregate.clone());
        Ok(Transformed::yes(Arc::new(by_runs) as Arc<dyn ExecutionPlan>))
    })?;
    Ok(changed.data)
}

fn is_for_runs(aggregate: &AggregateExec) -> bool {
    let groups = aggregate.group_expr();
    *aggregate.mode() == AggregateMode::Partial
        && *aggregate.input_order_mode() == InputOrderMode::Linear
        && groups.is_single()
        && !groups.is_empty()
        && aggregate.limit_options().is_none()
        && aggregate.aggr_expr().iter().all(|function| function.groups_accumulator_supported())
}
