//! The optimizer rule that gives percentiles a second pass, where the rows are the same when they are read again.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Extension, LogicalPlan, Projection, when};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_plan::expressions::lit;

use super::accumulator::Input;
use super::function::{Pass, kind_of, probabilities_of, udaf};
use super::node::ExactPercentiles;
use super::question::{Kind, Question};
use crate::rollup::UseRollups;

/// The rule.
#[derive(Debug)]
pub(crate) struct ReadAgain {
    /// What lets the first pass read roll-ups, where it may.
    pub(crate) rollups: Option<UseRollups>,
}

impl OptimizerRule for ReadAgain {
    fn name(&self) -> &str {
        "exact_percentiles_read_again"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_))) {
            return Ok(Transformed::no(plan));
        }
        let percentiles = percentiles(aggregate)?;
        if percentiles.is_empty() || !is_repeatable(aggregate)? {
            return Ok(Transformed::no(plan));
        }
        Ok(Transformed::yes(self.two_passes(aggregate, percentiles)?))
    }
}

impl ReadAgain {
    fn two_passes(&self, aggregate: &Aggregate, percentiles: Vec<Percentile>) -> Result<LogicalPlan> {
        let group_count = aggregate.group_expr.len();
        let mut first_aggregates = aggregate.aggr_expr.clone();
        let mut read_again: Vec<Expr> = aggregate.group_expr.clone();
        let mut questions = Vec::new();
        for Percentile { position, question, params } in percentiles {
            if let [value, _] = params.args.as_slice() {
                let counted = match &params.filter {
                    Some(filter) => when(filter.as_ref().clone(), value.clone()).end()?,
                    None => value.clone(),
                };
                read_again.push(counted.alias(format!("percentile_value_{position}")));
            }
            if let Some(slot) = first_aggregates.get_mut(position) {
                *slot = first_pass(question.kind, params);
            }
            questions.push((group_count + position, question));
        }
        let again = Projection::try_new(read_again, Arc::clone(&aggregate.input))?;
        let first =
            Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), first_aggregates)?;
        let rolled_up = match &self.rollups {
            Some(rollups) => rollups.beside_rows(&first)?,
            None => None,
        };
        let first = rolled_up.unwrap_or(LogicalPlan::Aggregate(first));
        let node = ExactPercentiles {
            first,
            again: LogicalPlan::Projection(again),
            schema: Arc::clone(&aggregate.schema),
            group_count,
            questions: Arc::new(questions),
        };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }
}

/// A call of `percentile_cont` or `percentile_disc` in an aggregate.
struct Percentile {
    /// Which of the aggregates it is.
    position: usize,
    question: Question,
    params: AggregateFunctionParams,
}

/// The percentiles of an aggregate; none where one is written so that only the function itself can tell what is wrong.
fn percentiles(aggregate: &Aggregate) -> Result<Vec<Percentile>> {
    let mut found = Vec::new();
    for (position, expression) in aggregate.aggr_expr.iter().enumerate() {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expression.clone().unalias() else {
            continue;
        };
        let Some(kind) = kind_of(&func) else { continue };
        let ([_, Expr::Literal(wanted, _)], false) = (params.args.as_slice(), params.distinct) else {
            return Ok(Vec::new());
        };
        let is_list = wanted.data_type().is_nested();
        let question = Question {
            kind,
            probabilities: probabilities_of(kind, &lit(wanted.clone()), is_list)?,
            descending: params.order_by.first().is_some_and(|order| !order.asc),
        };
        found.push(Percentile { position, question, params });
    }
    Ok(found)
}

fn first_pass(kind: Kind, params: AggregateFunctionParams) -> Expr {
    Expr::AggregateFunction(AggregateFunction { func: udaf(kind, Pass::First(Input::Values)), params })
}

/// Does the aggregate get the same rows whenever its input is read, and make the same groups of them?
///
/// Only what surely does counts: of a limit, of a window or of another aggregate the rows, or the last bits of their
/// numbers, may depend on which part of the input was read first.
fn is_repeatable(aggregate: &Aggregate) -> Result<bool> {
    let mut repeatable = aggregate.group_expr.iter().chain(&aggregate.aggr_expr).all(is_steady);
    aggregate.input.apply(|node| {
        let is_plain = match node {
            LogicalPlan::TableScan(scan) => scan.fetch.is_none(),
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Distinct(Distinct::All(_)) => true,
            _ => false,
        };
        repeatable &= is_plain && node.expressions().iter().all(is_steady);
        Ok(if repeatable { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(repeatable)
}

/// Is it the same of the same row, whenever and wherever it is computed?
fn is_steady(expression: &Expr) -> bool {
    let asks_a_plan = |inner: &Expr| {
        Ok(matches!(
            inner,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    };
    !expression.is_volatile() && !expression.exists(asks_a_plan).unwrap_or(true)
}
