//! How many threads a query is worth.
//!
//! To divide work among threads is work: rows are handed over, tasks are woken. Of few rows, as those of roll-ups are, one
//! thread has the answer before that is done.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

use crate::table::SnapshotTable;

/// Rows up to which one thread works alone.
const FEW_ROWS: u64 = 64 * 1024;
/// A sketch counts as so many of them.
const ROWS_OF_A_SKETCH: u64 = 8;

/// Of the rows of all services, one service has about one in so many; more often fewer, which does no harm.
const SERVICES: u64 = 8;

/// Does a plan read few rows, all of them parts of tables?
pub(crate) fn is_narrow(plan: &LogicalPlan) -> Result<bool> {
    let mut rows: Option<u64> = Some(0);
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            let table = provider.downcast_ref::<SnapshotTable>();
            rows = rows.zip(table.and_then(SnapshotTable::rows_of_part)).map(|(sum, more)| {
                let has_sketches = table.is_some_and(SnapshotTable::has_sketches);
                let more = if scan.filters.iter().any(names_a_service) { more / SERVICES } else { more };
                sum.saturating_add(if has_sketches { more.saturating_mul(ROWS_OF_A_SKETCH) } else { more })
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(rows.is_some_and(|rows| rows <= FEW_ROWS))
}

/// Is it `service = …`?
fn names_a_service(filter: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else { return false };
    matches!(
        (left.as_ref(), right.as_ref()),
        (Expr::Column(column), Expr::Literal(..)) | (Expr::Literal(..), Expr::Column(column))
            if column.name == "service"
    )
}
