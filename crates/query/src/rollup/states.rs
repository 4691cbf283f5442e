//! What an aggregate function needs of each part of the rows, from the rows or from a roll-up of them, and how that is
//! put together.
//!
//! | aggregate | needs | of rows | of a roll-up |
//! |---|---|---|---|
//! | `count(*)` | a sum | `count(*)` | `sum(row_count)` |
//! | `count(x)`, `sum(x)`, `min(x)`, `max(x)` of the measure | sum, sum, least, greatest | the same | of the measure's columns |
//! | `avg(x)` of the measure | two sums | `sum(x)`, `count(x)` | of the measure's columns |
//! | `p95(x)`, `quantile(x, p)`, `sketch(x)`, … of the measure | a sketch | `sketch(x)` | `sketch_merge` of the measure's sketches |
//! | `min(at)`, `max(at)` | least, greatest | the same | of `first_at`, `last_at` |
//! | `count(d)` of what all rows of a group agree in | a sum | `count(d)` | `sum(row_count)` of those that have one |
//! | `sum(d)`, `avg(d)` of the same | sums | `sum(d)`, `count(d)` | `sum(d * row_count)`, … |
//! | `min(d)`, `max(d)` of the same | least, greatest | the same | the same |
//!
//! A FILTER goes with each of them, so what it reads has to be agreed in as well.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprFunctionExt, ExprSchemable, cast, col, lit};
use manometer_model::rollup::{FIRST_AT, LAST_AT, Measure, ROW_COUNT};

use super::fitting::is_at;

/// How two of a kind become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Merge {
    Sum,
    Least,
    Greatest,
    Sketch,
}

/// The functions over sketches.
#[derive(Debug)]
pub(super) struct SketchFunctions {
    /// Numbers to a sketch.
    sketch: Arc<AggregateUDF>,
    /// Sketches to one.
    merge: Arc<AggregateUDF>,
    /// Sketches to a quantile, and to a list of quantiles.
    quantile: Arc<AggregateUDF>,
    quantiles: Arc<AggregateUDF>,
}

impl SketchFunctions {
    /// As a session knows them.
    pub(super) fn of(registry: &dyn FunctionRegistry) -> Result<Self> {
        Ok(Self {
            sketch: registry.udaf("sketch")?,
            merge: registry.udaf("sketch_merge")?,
            quantile: registry.udaf("sketch_quantile")?,
            quantiles: registry.udaf("sketch_quantiles")?,
        })
    }
}

/// Something that is computed of each part and then put together.
#[derive(Debug, Clone, PartialEq)]
struct State {
    merge: Merge,
    of_rows: Expr,
    of_rollup: Expr,
}

/// An answer that is made of sketches.
#[derive(Debug, Clone, PartialEq)]
struct OfSketches {
    /// Of those that the parts have made.
    of_parts: Expr,
    /// Of those of a roll-up.
    of_rollup: Expr,
}

/// What all aggregates of a question need.
pub(super) struct States<'a> {
    measure: &'a Measure,
    /// The columns of the table.
    schema: &'a DFSchema,
    sketches: SketchFunctions,
    list: Vec<State>,
    /// What is made of sketches as they are put together.
    of_sketches: Vec<OfSketches>,
    /// What all rows behind a row of the roll-up have to agree in.
    pub(super) agreed: Vec<Expr>,
}

impl<'a> States<'a> {
    pub(super) const fn new(measure: &'a Measure, schema: &'a DFSchema, sketches: SketchFunctions) -> Self {
        Self { measure, schema, sketches, list: Vec::new(), of_sketches: Vec::new(), agreed: Vec::new() }
    }

    /// Makes sure that what this aggregate needs is computed. Returns the aggregate as an expression over the columns
    /// [`Self::merged`] makes; `None` when roll-ups cannot answer it.
    pub(super) fn understand(&mut self, aggregate: &Expr) -> Result<Option<Expr>> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = aggregate else { return Ok(None) };
        if params.distinct || !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Ok(None);
        }
        let Some((argument, further)) = params.args.split_first() else { return Ok(None) };
        let filter = params.filter.as_deref();
        self.agreed.extend(filter.cloned());
        let measure = *self.measure;
        let is_measure = matches!(argument, Expr::Column(column) if column.name == measure.column);
        if is_measure && let Some(answer) = self.of_sketch(func.name(), further, filter)? {
            return Ok(Some(answer));
        }
        if !further.is_empty() {
            return Ok(None);
        }
        Ok(Some(match (func.name(), argument) {
            ("count", Expr::Literal(value, _)) if !value.is_null() => self.rows(filter)?,
            ("count", time) if is_at(time) => self.rows(filter)?,
            ("count", _) if is_measure => or_zero(self.measured_count(filter)?),
            ("count", agreed) => or_zero(self.count_of_agreed(agreed, filter)?),
            ("sum", _) if is_measure => self.measured_sum(filter)?,
            ("sum", agreed) => match self.sum_of_agreed(agreed, filter)? {
                Some(total) => total,
                None => return Ok(None),
            },
            ("avg", _) if is_measure => divided(self.measured_sum(filter)?, self.measured_count(filter)?),
            ("avg", agreed) => match self.sum_of_agreed(agreed, filter)? {
                Some(total) => divided(total, self.count_of_agreed(agreed, filter)?),
                None => return Ok(None),
            },
            ("min", _) if is_measure => {
                self.need(Merge::Least, min(argument.clone()), min(col(measure.min)), filter)?
            }
            ("max", _) if is_measure => {
                self.need(Merge::Greatest, max(argument.clone()), max(col(measure.max)), filter)?
            }
            ("min", Expr::Column(_)) if is_at(argument) => {
                self.need(Merge::Least, min(argument.clone()), min(col(FIRST_AT)), filter)?
            }
            ("max", Expr::Column(_)) if is_at(argument) => {
                self.need(Merge::Greatest, max(argument.clone()), max(col(LAST_AT)), filter)?
            }
            ("min", agreed) => {
                self.agreed.push(agreed.clone());
                self.need(Merge::Least, min(agreed.clone()), min(agreed.clone()), filter)?
            }
            ("max", agreed) => {
                self.agreed.push(agreed.clone());
                self.need(Merge::Greatest, max(agreed.clone()), max(agreed.clone()), filter)?
            }
            _ => return Ok(None),
        }))
    }

    /// An answer that is made of the sketch of the measure.
    fn of_sketch(&mut self, name: &str, further: &[Expr], filter: Option<&Expr>) -> Result<Option<Expr>> {
        let (function, probability) = match (name, further) {
            ("sketch", []) => (&self.sketches.merge, None),
            ("p50", []) => (&self.sketches.quantile, Some(lit(0.50))),
            ("p75", []) => (&self.sketches.quantile, Some(lit(0.75))),
            ("p90", []) => (&self.sketches.quantile, Some(lit(0.90))),
            ("p95", []) => (&self.sketches.quantile, Some(lit(0.95))),
            ("p99", []) => (&self.sketches.quantile, Some(lit(0.99))),
            ("quantile", [probability]) => (&self.sketches.quantile, Some(probability.clone())),
            ("quantiles", [probabilities]) => (&self.sketches.quantiles, Some(probabilities.clone())),
            _ => return Ok(None),
        };
        let function = Arc::clone(function);
        let measure = *self.measure;
        let Some(sketch) = measure.sketch else { return Ok(None) };
        let of_rows = self.sketches.sketch.call(vec![col(measure.column)]);
        let of_rollup = self.sketches.merge.call(vec![col(sketch)]);
        let part = self.need(Merge::Sketch, of_rows, of_rollup, filter)?;
        let answer_of =
            |sketches: Expr| function.call(std::iter::once(sketches).chain(probability.clone()).collect());
        let answer =
            OfSketches { of_parts: answer_of(part), of_rollup: filtered(answer_of(col(sketch)), filter)? };
        let place =
            self.of_sketches.iter().position(|known| *known == answer).unwrap_or(self.of_sketches.len());
        if place == self.of_sketches.len() {
            self.of_sketches.push(answer);
        }
        Ok(Some(col(answer_name(place))))
    }

    /// Does it take a roll-up with sketches to answer?
    pub(super) const fn need_sketches(&self) -> bool {
        !self.of_sketches.is_empty()
    }

    fn rows(&mut self, filter: Option<&Expr>) -> Result<Expr> {
        Ok(or_zero(self.need(Merge::Sum, count(lit(1_i64)), sum(col(ROW_COUNT)), filter)?))
    }

    fn measured_count(&mut self, filter: Option<&Expr>) -> Result<Expr> {
        let measure = *self.measure;
        self.need(Merge::Sum, count(col(measure.column)), sum(col(measure.count)), filter)
    }

    fn measured_sum(&mut self, filter: Option<&Expr>) -> Result<Expr> {
        let measure = *self.measure;
        self.need(Merge::Sum, sum(col(measure.column)), sum(col(measure.sum)), filter)
    }

    fn count_of_agreed(&mut self, agreed: &Expr, filter: Option<&Expr>) -> Result<Expr> {
        self.agreed.push(agreed.clone());
        let known = agreed.clone().is_not_null();
        let of_known = filter.map_or_else(|| known.clone(), |filter| filter.clone().and(known.clone()));
        let of_rows = filtered(count(lit(1_i64)), Some(&of_known))?;
        let of_rollup = filtered(sum(col(ROW_COUNT)), Some(&of_known))?;
        Ok(self.column_of(State { merge: Merge::Sum, of_rows, of_rollup }))
    }

    /// `None` where the sum is of a kind that is not made of floats or 64-bit numbers.
    fn sum_of_agreed(&mut self, agreed: &Expr, filter: Option<&Expr>) -> Result<Option<Expr>> {
        let weight = match agreed.get_type(self.schema)? {
            DataType::Int64 => col(ROW_COUNT),
            DataType::Float64 => cast(col(ROW_COUNT), DataType::Float64),
            _ => return Ok(None),
        };
        self.agreed.push(agreed.clone());
        let of_rollup = sum(agreed.clone() * weight);
        Ok(Some(self.need(Merge::Sum, sum(agreed.clone()), of_rollup, filter)?))
    }

    fn need(&mut self, merge: Merge, of_rows: Expr, of_rollup: Expr, filter: Option<&Expr>) -> Result<Expr> {
        let state =
            State { merge, of_rows: filtered(of_rows, filter)?, of_rollup: filtered(of_rollup, filter)? };
        Ok(self.column_of(state))
    }

    fn column_of(&mut self, state: State) -> Expr {
        let place = self.list.iter().position(|known| *known == state).unwrap_or(self.list.len());
        if place == self.list.len() {
            self.list.push(state);
        }
        col(name_of(place))
    }

    /// The aggregates that compute everything of rows.
    pub(super) fn of_rows(&self) -> Vec<Expr> {
        named(self.list.iter().map(|state| state.of_rows.clone()))
    }

    /// The aggregates that compute everything of rows of a roll-up.
    pub(super) fn of_rollup(&self) -> Vec<Expr> {
        named(self.list.iter().map(|state| state.of_rollup.clone()))
    }

    /// The aggregates that compute of rows of a roll-up what [`Self::merged`] makes of parts.
    pub(super) fn of_rollup_alone(&self) -> Vec<Expr> {
        let states = self.list.iter().enumerate().filter(|(_, state)| state.merge != Merge::Sketch);
        let states = states.map(|(place, state)| state.of_rollup.clone().alias(name_of(place)));
        let answers = self.of_sketches.iter().enumerate();
        states
            .chain(answers.map(|(place, answer)| answer.of_rollup.clone().alias(answer_name(place))))
            .collect()
    }

    /// The aggregates that put parts together.
    pub(super) fn merged(&self) -> Vec<Expr> {
        let states = self.list.iter().enumerate().filter_map(|(place, state)| {
            let name = name_of(place);
            let part = col(&name);
            let whole = match state.merge {
                Merge::Sum => sum(part),
                Merge::Least => min(part),
                Merge::Greatest => max(part),
                // Put together by those that read it.
                Merge::Sketch => return None,
            };
            Some(whole.alias(name))
        });
        let answers = self.of_sketches.iter().enumerate();
        states
            .chain(answers.map(|(place, answer)| answer.of_parts.clone().alias(answer_name(place))))
            .collect()
    }
}

fn name_of(place: usize) -> String {
    format!("__state_{place}")
}

fn answer_name(place: usize) -> String {
    format!("__answer_{place}")
}

fn named(states: impl Iterator<Item = Expr>) -> Vec<Expr> {
    states.enumerate().map(|(place, state)| state.alias(name_of(place))).collect()
}

fn filtered(aggregate: Expr, filter: Option<&Expr>) -> Result<Expr> {
    match filter {
        Some(filter) => aggregate.filter(filter.clone()).build(),
        None => Ok(aggregate),
    }
}

/// A count is never null, also where no part has a row.
fn or_zero(total: Expr) -> Expr {
    coalesce(vec![total, lit(0_i64)])
}

/// Null where there is nothing to divide by: then there is no sum either.
fn divided(total: Expr, count: Expr) -> Expr {
    cast(total, DataType::Float64) / cast(count, DataType::Float64)
}
