//! How many threads a query is worth.
//!
//! To divide work among threads is work: rows are handed over, tasks are woken. Of few rows, as those of roll-ups are, one
//! thread has the answer before that is done.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::table::SnapshotTable;

/// Rows up to which one thread works alone. A row of a roll-up counts as several, for its sketch.
const FEW_ROWS: u64 = 64 * 1024;
/// So many.
const ROWS_OF_A_ROLLUP_ROW: u64 = 8;

/// Does a plan read few rows, all of them parts of tables?
pub(crate) fn is_narrow(plan: &LogicalPlan) -> Result<bool> {
    let mut rows: Option<u64> = Some(0);
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            let table = provider.downcast_ref::<SnapshotTable>();
            rows = rows.zip(table.and_then(SnapshotTable::rows_of_part)).map(|(sum, more)| {
                let is_rollup = table.is_some_and(SnapshotTable::is_rollup);
                sum.saturating_add(if is_rollup { more.saturating_mul(ROWS_OF_A_ROLLUP_ROW) } else { more })
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(rows.is_some_and(|rows| rows <= FEW_ROWS))
}
