//! Exact percentiles, of any number of rows in bounded memory: `percentile_cont` and `percentile_disc`.
//!
//! ```text
//!  input ─► aggregate: first_pass(x) ────► for each group: all its values while they are few, else a histogram
//!                                                             │
//!                                          known ◄── few ─────┴───── many ──► the bucket that holds the rank
//!                                                                                        │
//!  input again, only where there are many: values of those buckets ─► the value of the rank, or a finer histogram
//! ```
//!
//! Where roll-ups of these rows are there, their sketches are the histogram, and the first pass reads them instead.
//!
//! An optimizer rule ([`rewrite`]) puts an [`node::ExactPercentiles`] in the place of an aggregate whose input gives the
//! same rows each time it is read: it reads tables of one snapshot, and does nothing to them that may come out
//! differently. Of any other input the function itself holds all values, and the memory of the query is the bound.
//!
//! The formulas are PostgreSQL's, operation by operation, so that the answers are the same to the last bit:
//! nulls are left out, NaN is larger than all numbers.

mod accumulator;
mod cells;
mod exec;
mod function;
mod held;
mod node;
mod order;
mod passes;
mod question;
mod rewrite;
mod select;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{AggregateUDF, Expr};

pub(crate) use node::Planner;
pub(crate) use rewrite::ReadAgain;

/// `percentile_cont` and `percentile_disc`; they take the place of the engine's own.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![
        function::udaf(question::Kind::Continuous, function::Pass::Only),
        function::udaf(question::Kind::Discrete, function::Pass::Only),
    ]
}

/// The function that makes of roll-ups and of rows what this first pass makes of rows: it takes encoded sketches, how many
/// values each row stands for, and the values of rows. `None` of any other call.
pub(crate) fn first_pass_of_both(call: &AggregateFunction) -> Option<Arc<AggregateUDF>> {
    function::first_pass_of_both(&call.func)
}

/// The function that answers several probabilities of what this call asks one of, the arguments of both, and that one.
pub(crate) fn several(call: &AggregateFunction) -> Option<(Arc<AggregateUDF>, Vec<Expr>, f64)> {
    function::kind_of(&call.func)?;
    match call.params.args.as_slice() {
        [values, Expr::Literal(ScalarValue::Float64(Some(probability)), _)] => {
            Some((Arc::clone(&call.func), vec![values.clone()], *probability))
        }
        _ => None,
    }
}
