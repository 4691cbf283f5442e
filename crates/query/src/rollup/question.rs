//! What an aggregation asks of a table: the chain between it and the scan, flattened into expressions over the columns
//! of the table.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};

use super::fitting::is_at;
use crate::table::SnapshotTable;

/// An aggregation over one table. Every expression is over the plain columns of the table.
pub(super) struct Question {
    /// The table, whole.
    pub(super) provider: Arc<dyn TableProvider>,
    /// What all has to be true of a row.
    pub(super) filters: Vec<Expr>,
    /// By what rows are grouped.
    pub(super) groups: Vec<Expr>,
    /// What is computed of each group; aliases are taken off.
    pub(super) aggregates: Vec<Expr>,
}

impl Question {
    /// The question an aggregation asks; `None` when its input is more than filters and computed columns over one of
    /// our tables.
    pub(super) fn of(aggregate: &Aggregate) -> Result<Option<Self>> {
        let Some(flat) = Flat::of(&aggregate.input)? else { return Ok(None) };
        let schema = aggregate.input.schema();
        let over_table = |expressions: &[Expr]| -> Result<Option<Vec<Expr>>> {
            expressions.iter().map(|expression| flat.over_table(expression, schema)).collect()
        };
        let (Some(groups), Some(aggregates)) =
            (over_table(&aggregate.group_expr)?, over_table(&aggregate.aggr_expr)?)
        else {
            return Ok(None);
        };
        let plain = |expressions: Vec<Expr>| expressions.into_iter().map(Expr::unalias).collect();
        Ok(Some(Self {
            provider: flat.provider,
            filters: flat.filters,
            groups: plain(groups),
            aggregates: plain(aggregates),
        }))
    }

    /// Does it ask for nothing but how many rows there are, and from when to when? The catalog knows that, and it is
    /// about the rows themselves.
    pub(super) fn is_known_without_reading(&self) -> bool {
        let is_in_catalog = |aggregate: &Expr| {
            let Expr::AggregateFunction(call) = aggregate else { return false };
            let [argument] = call.params.args.as_slice() else { return false };
            call.params.filter.is_none()
                && match call.func.name() {
                    "count" => matches!(argument, Expr::Literal(..)) || is_at(argument),
                    "min" | "max" => is_at(argument),
                    _ => false,
                }
        };
        self.groups.is_empty() && self.filters.is_empty() && self.aggregates.iter().all(is_in_catalog)
    }

    /// The table, as what it is.
    pub(super) fn table(&self) -> Option<&SnapshotTable> {
        self.provider.as_ref().downcast_ref::<SnapshotTable>()
    }
}

/// A plan as filters and output columns over a table.
struct Flat {
    provider: Arc<dyn TableProvider>,
    filters: Vec<Expr>,
    /// For each column of the plan's schema.
    outputs: Vec<Expr>,
}

impl Flat {
    fn of(plan: &LogicalPlan) -> Result<Option<Self>> {
        match plan {
            LogicalPlan::TableScan(scan) => {
                if scan.fetch.is_some() {
                    return Ok(None);
                }
                let provider = source_as_provider(&scan.source)?;
                let Some(table) = provider.as_ref().downcast_ref::<SnapshotTable>() else { return Ok(None) };
                if table.is_part() {
                    return Ok(None);
                }
                let outputs: Vec<Expr> = scan
                    .projected_schema
                    .fields()
                    .iter()
                    .map(|field| Expr::Column(Column::from_name(field.name())))
                    .collect();
                let mut flat = Self { provider: Arc::clone(&provider), filters: Vec::new(), outputs };
                for filter in &scan.filters {
                    let plain = filter.clone().transform(|expression| {
                        Ok(match expression {
                            Expr::Column(column) => {
                                Transformed::yes(Expr::Column(Column::from_name(column.name)))
                            }
                            other => Transformed::no(other),
                        })
                    })?;
                    flat.require(&plain.data);
                }
                Ok(Some(flat))
            }
            LogicalPlan::SubqueryAlias(alias) => Self::of(&alias.input),
            LogicalPlan::Filter(filter) => {
                let Some(mut flat) = Self::of(&filter.input)? else { return Ok(None) };
                let Some(predicate) = flat.over_table(&filter.predicate, filter.input.schema())? else {
                    return Ok(None);
                };
                flat.require(&predicate);
                Ok(Some(flat))
            }
            LogicalPlan::Projection(projection) => {
                let Some(flat) = Self::of(&projection.input)? else { return Ok(None) };
                let schema = projection.input.schema();
                let outputs: Option<Vec<Expr>> = projection
                    .expr
                    .iter()
                    .map(|expression| Ok(flat.over_table(expression, schema)?.map(Expr::unalias)))
                    .collect::<Result<_>>()?;
                Ok(outputs.map(|outputs| Self { outputs, ..flat }))
            }
            _ => Ok(None),
        }
    }

    /// Adds what has to be true, once: a filter stands above the scan and, as a hint, in it.
    fn require(&mut self, predicate: &Expr) {
        for conjunct in split_conjunction(predicate) {
            if !self.filters.contains(conjunct) {
                self.filters.push(conjunct.clone());
            }
        }
    }

    /// The expression, whose columns are of `schema`, over the columns of the table. `None` when one is not there.
    fn over_table(&self, expression: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
        let mut is_complete = true;
        let replaced = expression.clone().transform(|part| {
            let Expr::Column(column) = &part else { return Ok(Transformed::no(part)) };
            let output = schema.maybe_index_of_column(column).and_then(|index| self.outputs.get(index));
            is_complete &= output.is_some();
            // Not looked into again: its columns are those of the table already.
            Ok(output.map_or_else(
                || Transformed::no(part.clone()),
                |output| {
                    Transformed::new(
                        output.clone(),
                        true,
                        datafusion::common::tree_node::TreeNodeRecursion::Jump,
                    )
                },
            ))
        })?;
        Ok(is_complete.then_some(replaced.data))
    }
}
