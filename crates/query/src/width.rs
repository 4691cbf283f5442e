//! How many threads a query is worth.
//!
//! To divide work among threads is work: rows are handed over, tasks are woken. Of few rows, as those of roll-ups are, one
//! thread has the answer before that is done.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};

use crate::rollup::MixedTable;
use crate::table::pruning::equality;

/// Rows up to which one thread works alone.
const FEW_ROWS: u64 = 128 * 1024;
/// A sketch counts as so many of them.
const ROWS_OF_A_SKETCH: u64 = 8;

/// Of the rows of all services, one service has about one in so many; more often fewer, which does no harm.
const SERVICES: u64 = 8;

/// Does a plan read few rows, those of roll-ups and of what they do not cover?
pub(crate) fn is_narrow(plan: &LogicalPlan) -> Result<bool> {
    let mut rows: Option<u64> = Some(0);
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            let mixed = provider.downcast_ref::<MixedTable>();
            rows = rows.zip(mixed.map(|mixed| work(mixed, scan))).map(|(sum, more)| sum.saturating_add(more));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(rows.is_some_and(|rows| rows <= FEW_ROWS))
}

/// About how many rows a scan reads, sketches counted as the work they are.
fn work(mixed: &MixedTable, scan: &TableScan) -> u64 {
    let asks_for = |name| scan.projected_schema.has_column_with_unqualified_name(name);
    let of_rollup = if mixed.sketch().is_some_and(asks_for) { ROWS_OF_A_SKETCH } else { 1 };
    let rows: u64 =
        mixed.rows().map(|(rows, are_of_rollup)| if are_of_rollup { rows * of_rollup } else { rows }).sum();
    if scan.filters.iter().any(names_a_service) { rows / SERVICES } else { rows }
}

/// Is it `service = …`?
fn names_a_service(filter: &Expr) -> bool {
    equality(filter).is_some_and(|(column, _)| column.name == "service")
}
