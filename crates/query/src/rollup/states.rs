//! What an aggregate function asks of a table in which roll-ups stand for rows ([`super::mixed`]).
//!
//! | aggregate | over rows of which each stands for some |
//! |---|---|
//! | `count(*)` | `sum(row_count)` |
//! | `count(x)`, `sum(x)`, `min(x)`, `max(x)` of the measure | `sum`, `sum`, `min`, `max` of the measure's columns |
//! | `avg(x)` of the measure | both sums |
//! | `p95(x)`, `quantile(x, p)`, `sketch(x)`, … of the measure | the same, of sketches and of values |
//! | the first pass of exact percentiles of the measure | the same, of sketches, of how many they count, and of values |
//! | `min(at)`, `max(at)` | of `first_at`, `last_at` |
//! | `count(d)` of what all rows of a group agree in | `sum(row_count)` of those that have one |
//! | `sum(d)`, `avg(d)` of the same | `sum(d * row_count)`, … |
//! | `min(d)`, `max(d)` of the same | the same |
//!
//! A FILTER goes with each of them, so what it reads has to be agreed in as well.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{max, min, sum};
use datafusion::logical_expr::{Expr, ExprFunctionExt, ExprSchemable, cast, col, lit, when};
use manometer_model::rollup::{FIRST_AT, LAST_AT, Measure, ROW_COUNT};

use super::fitting::is_at;
use crate::exact;
use crate::functions::sketches;

/// What all aggregates of a question need.
pub(super) struct States<'a> {
    measure: &'a Measure,
    /// The columns of the table.
    schema: &'a DFSchema,
    list: Vec<Expr>,
    /// Does it take roll-ups with sketches to answer?
    pub(super) need_sketches: bool,
    /// What all rows behind a row of the roll-up have to agree in.
    pub(super) agreed: Vec<Expr>,
}

impl<'a> States<'a> {
    pub(super) const fn new(measure: &'a Measure, schema: &'a DFSchema) -> Self {
        Self { measure, schema, list: Vec::new(), need_sketches: false, agreed: Vec::new() }
    }

    /// Makes sure that what this aggregate needs is computed. Returns the aggregate as an expression over the columns
    /// that [`Self::aggregates`] make; `None` when roll-ups cannot answer it.
    pub(super) fn understand(&mut self, aggregate: &Expr) -> Result<Option<Expr>> {
        let Expr::AggregateFunction(call) = aggregate else { return Ok(None) };
        let params = &call.params;
        // Of the first pass of exact percentiles the order says nothing yet.
        let first_pass = exact::first_pass_of_both(call);
        let is_ordered = !params.order_by.is_empty() && first_pass.is_none();
        if params.distinct || is_ordered || params.null_treatment.is_some() {
            return Ok(None);
        }
        let Some((argument, further)) = params.args.split_first() else { return Ok(None) };
        let filter = params.filter.as_deref();
        self.agreed.extend(filter.cloned());
        let measure = *self.measure;
        let is_measure = matches!(argument, Expr::Column(column) if column.name == measure.column);
        if let Some(sketch) = measure.sketch.filter(|_| is_measure) {
            let of_both = sketches::of_both(call).map(|function| {
                let values = [col(sketch), argument.clone()];
                function.call(values.iter().chain(further).cloned().collect())
            });
            let first_pass = first_pass
                .map(|function| function.call(vec![col(sketch), col(measure.count), argument.clone()]));
            if let Some(aggregate) = of_both.or(first_pass) {
                self.need_sketches = true;
                return self.need(aggregate, filter).map(Some);
            }
        }
        if !further.is_empty() {
            return Ok(None);
        }
        Ok(Some(match (call.func.name(), argument) {
            ("count", Expr::Literal(value, _)) if !value.is_null() => self.rows(filter)?,
            ("count", time) if is_at(time) => self.rows(filter)?,
            ("count", _) if is_measure => or_zero(self.need(sum(col(measure.count)), filter)?)?,
            ("count", agreed) => or_zero(self.count_of_agreed(agreed, filter)?)?,
            ("sum", _) if is_measure => self.need(sum(col(measure.sum)), filter)?,
            ("sum", agreed) => match self.sum_of_agreed(agreed, filter)? {
                Some(total) => total,
                None => return Ok(None),
            },
            ("avg", _) if is_measure => divided(
                self.need(sum(col(measure.sum)), filter)?,
                self.need(sum(col(measure.count)), filter)?,
            ),
            ("avg", agreed) => match self.sum_of_agreed(agreed, filter)? {
                Some(total) => divided(total, self.count_of_agreed(agreed, filter)?),
                None => return Ok(None),
            },
            ("min", _) if is_measure => self.need(min(col(measure.min)), filter)?,
            ("max", _) if is_measure => self.need(max(col(measure.max)), filter)?,
            ("min", Expr::Column(_)) if is_at(argument) => self.need(min(col(FIRST_AT)), filter)?,
            ("max", Expr::Column(_)) if is_at(argument) => self.need(max(col(LAST_AT)), filter)?,
            ("min", agreed) => {
                self.agreed.push(agreed.clone());
                self.need(min(agreed.clone()), filter)?
            }
            ("max", agreed) => {
                self.agreed.push(agreed.clone());
                self.need(max(agreed.clone()), filter)?
            }
            _ => return Ok(None),
        }))
    }

    fn rows(&mut self, filter: Option<&Expr>) -> Result<Expr> {
        or_zero(self.need(sum(col(ROW_COUNT)), filter)?)
    }

    fn count_of_agreed(&mut self, agreed: &Expr, filter: Option<&Expr>) -> Result<Expr> {
        self.agreed.push(agreed.clone());
        let known = agreed.clone().is_not_null();
        let of_known = filter.map_or_else(|| known.clone(), |filter| filter.clone().and(known.clone()));
        self.need(sum(col(ROW_COUNT)), Some(&of_known))
    }

    /// `None` where the sum is of a kind that is not made of floats or 64-bit numbers.
    fn sum_of_agreed(&mut self, agreed: &Expr, filter: Option<&Expr>) -> Result<Option<Expr>> {
        let weight = match agreed.get_type(self.schema)? {
            DataType::Int64 => col(ROW_COUNT),
            DataType::Float64 => cast(col(ROW_COUNT), DataType::Float64),
            _ => return Ok(None),
        };
        self.agreed.push(agreed.clone());
        self.need(sum(agreed.clone() * weight), filter).map(Some)
    }

    /// The column of an aggregate.
    fn need(&mut self, aggregate: Expr, filter: Option<&Expr>) -> Result<Expr> {
        let aggregate = match filter {
            Some(filter) => aggregate.filter(filter.clone()).build()?,
            None => aggregate,
        };
        let place = self.list.iter().position(|known| *known == aggregate).unwrap_or(self.list.len());
        if place == self.list.len() {
            self.list.push(aggregate);
        }
        Ok(col(name_of(place)))
    }

    /// The aggregates that answers are made of, with names.
    pub(super) fn aggregates(self) -> impl Iterator<Item = Expr> {
        self.list.into_iter().enumerate().map(|(place, aggregate)| aggregate.alias(name_of(place)))
    }
}

fn name_of(place: usize) -> String {
    format!("__state_{place}")
}

/// A count is never null, also where no part has a row.
fn or_zero(total: Expr) -> Result<Expr> {
    when(total.clone().is_not_null(), total).otherwise(lit(0_i64))
}

/// Null where there is nothing to divide by: then there is no sum either.
fn divided(total: Expr, count: Expr) -> Expr {
    cast(total, DataType::Float64) / cast(count, DataType::Float64)
}
