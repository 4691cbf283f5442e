//! What may be evaluated on rows that may not be seen.
//!
//! A filter of the query that can fail (a division, a cast) must never meet a hidden row: whether it fails
//! would tell of the row. So below the guard only comparisons that cannot fail are used, and only to skip.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Like, Operator, col, lit};
use datafusion::physical_expr::PhysicalExpr;

use super::PROJECT;
use crate::SegmentFile;

/// The columns to read below the guard: those asked for, then the project, so that the guard finds it last.
pub(super) fn projection_with_project(
    schema: &SchemaRef,
    projection: Option<&Vec<usize>>,
) -> Result<Option<Vec<usize>>> {
    let project = schema.index_of(PROJECT)?;
    let mut columns: Vec<usize> = match projection {
        Some(chosen) => chosen.clone(),
        None => (0..schema.fields().len()).collect(),
    };
    columns.push(project);
    Ok(Some(columns))
}

/// `project IN (allowed)` and every filter that cannot fail.
pub(super) fn predicate(
    state: &dyn Session,
    schema: &SchemaRef,
    allowed: &BTreeSet<String>,
    filters: &[Expr],
) -> Result<Arc<dyn PhysicalExpr>> {
    let names = allowed
        .iter()
        .map(|name| lit(datafusion::common::ScalarValue::Utf8View(Some(name.clone()))))
        .collect();
    let mut together = vec![col(PROJECT).in_list(names, false)];
    together.extend(filters.iter().filter(|filter| cannot_fail(filter)).cloned());
    let whole = conjunction(together).unwrap_or_else(|| lit(false));
    state.create_physical_expr(whole, &DFSchema::try_from(Arc::clone(schema))?)
}

/// Of the segments that may hold a row of an allowed project: those that hold no others, and those that may.
pub(super) fn shared_out(
    segments: Vec<SegmentFile>,
    allowed: &BTreeSet<String>,
) -> (Vec<SegmentFile>, Vec<SegmentFile>) {
    segments
        .into_iter()
        .filter(|segment| may_hold_any(segment, allowed))
        .partition(|segment| holds_only(segment, allowed))
}

/// May a row of an allowed project be in the segment?
fn may_hold_any(segment: &SegmentFile, allowed: &BTreeSet<String>) -> bool {
    segment.projects.as_ref().is_none_or(|names| names.iter().any(|name| allowed.contains(name)))
}

/// Is every row of the segment surely of an allowed project?
fn holds_only(segment: &SegmentFile, allowed: &BTreeSet<String>) -> bool {
    segment.projects.as_ref().is_some_and(|names| names.iter().all(|name| allowed.contains(name)))
}

fn cannot_fail(filter: &Expr) -> bool {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            cannot_fail(left) && cannot_fail(right)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            is_comparison(*op) && is_plain(left) && is_plain(right)
        }
        Expr::Not(inner) => cannot_fail(inner),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) | Expr::IsTrue(inner) | Expr::IsFalse(inner) => {
            is_plain(inner)
        }
        Expr::Between(Between { expr, low, high, .. }) => is_plain(expr) && is_plain(low) && is_plain(high),
        Expr::InList(InList { expr, list, .. }) => is_plain(expr) && list.iter().all(is_plain),
        Expr::Like(Like { expr, pattern, .. }) => is_plain(expr) && matches!(**pattern, Expr::Literal(..)),
        Expr::Column(_) => true,
        _ => false,
    }
}

fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn is_plain(expression: &Expr) -> bool {
    matches!(expression, Expr::Column(_) | Expr::Literal(..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{cast, in_list};

    #[test]
    fn only_what_cannot_fail_goes_below_the_guard() {
        let harmless = col("branch").eq(lit("main")).and(col("at").gt(lit(1)).or(col("number").is_null()));
        assert!(cannot_fail(&harmless));
        assert!(cannot_fail(&in_list(col("branch"), vec![lit("a"), lit("b")], true)));
        assert!(cannot_fail(&col("branch").like(lit("rel%"))));
        assert!(!cannot_fail(&(lit(1) / col("number")).gt(lit(0))));
        assert!(!cannot_fail(&harmless_but(
            cast(col("branch"), datafusion::arrow::datatypes::DataType::Int64).eq(lit(1))
        )));
        assert!(!cannot_fail(&col("branch").like(col("name"))));
    }

    fn harmless_but(other: Expr) -> Expr {
        col("branch").eq(lit("main")).and(other)
    }
}
