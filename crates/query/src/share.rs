//! The optimizer rule that counts the same values once: `p50(x), p95(x), p99(x)` becomes one `quantiles(x, [0.5, 0.95,
//! 0.99])` and the elements of its list, and several `percentile_cont` of one order become one with a list.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_nested::extract::array_element;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, LogicalPlan, Projection, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::exact;
use crate::functions::sketches;

/// The rule.
#[derive(Debug)]
pub(crate) struct CountOnce;

/// A call that can be one of several: what answers several, of which values, and the probability it asks.
struct Call {
    several: Arc<AggregateUDF>,
    /// As it was written, with the list in place of the probability still to come.
    params: AggregateFunctionParams,
    probability: f64,
}

/// Calls over the same values.
struct Shared {
    several: Arc<AggregateUDF>,
    params: AggregateFunctionParams,
    probabilities: Vec<f64>,
}

impl OptimizerRule for CountOnce {
    fn name(&self) -> &str {
        "count_percentiles_once"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        match count_once(aggregate)? {
            Some(rewritten) => Ok(Transformed::yes(rewritten)),
            None => Ok(Transformed::no(plan)),
        }
    }
}

fn call(expression: &Expr) -> Option<Call> {
    let Expr::AggregateFunction(function) = expression.clone().unalias() else { return None };
    let (several, args, probability) = sketches::several(&function).or_else(|| exact::several(&function))?;
    let params = AggregateFunctionParams { args, ..function.params };
    Some(Call { several, params, probability })
}

/// `None` when no values are counted more than once.
fn count_once(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let calls: Vec<Option<Call>> = aggregate.aggr_expr.iter().map(call).collect();
    let same = |left: &Call, right: &Call| left.several == right.several && left.params == right.params;
    let is_shared = |call: &Call| calls.iter().flatten().filter(|other| same(call, other)).count() > 1;

    let mut shared: Vec<Shared> = Vec::new();
    let mut aggregates: Vec<Expr> = Vec::new();
    let group_count = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let field = |position| Expr::Column(Column::from(aggregate.schema.qualified_field(position)));
    let mut columns: Vec<Expr> = (0..group_count).map(field).collect();
    for (position, (expression, call)) in aggregate.aggr_expr.iter().zip(&calls).enumerate() {
        let column = field(group_count + position);
        let Some(call) = call.as_ref().filter(|call| is_shared(call)) else {
            aggregates.push(expression.clone());
            columns.push(column);
            continue;
        };
        let known = shared.iter().position(|one| one.several == call.several && one.params == call.params);
        let number = known.unwrap_or(shared.len());
        if known.is_none() {
            shared.push(Shared {
                several: Arc::clone(&call.several),
                params: call.params.clone(),
                probabilities: Vec::new(),
            });
        }
        if let Some(one) = shared.get_mut(number) {
            one.probabilities.push(call.probability);
            let element = array_element(name(number), lit(one.probabilities.len() as i64));
            columns.push(element.alias(aggregate.schema.field(group_count + position).name()));
        }
    }
    if shared.is_empty() {
        return Ok(None);
    }
    for (number, Shared { several, mut params, probabilities }) in shared.into_iter().enumerate() {
        let func = match sketches::with_probabilities(&several, &probabilities) {
            Some(with_probabilities) => with_probabilities,
            None => {
                let list: Vec<ScalarValue> = probabilities.into_iter().map(ScalarValue::from).collect();
                let list = ScalarValue::new_list_nullable(&list, &DataType::Float64);
                params.args.push(lit(ScalarValue::List(list)));
                several
            }
        };
        let call = Expr::AggregateFunction(AggregateFunction { func, params });
        aggregates.push(call.alias(NAME.to_owned() + &number.to_string()));
    }
    let once = Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), aggregates)?;
    let projection = Projection::try_new_with_schema(
        columns,
        Arc::new(LogicalPlan::Aggregate(once)),
        Arc::clone(&aggregate.schema),
    )?;
    Ok(Some(LogicalPlan::Projection(projection)))
}

/// Beginning of the names of columns that hold several answers.
const NAME: &str = "percentiles_counted_once_";

fn name(number: usize) -> Expr {
    Expr::Column(Column::new_unqualified(NAME.to_owned() + &number.to_string()))
}
