//! Queries use roll-ups by themselves.
//!
//! ```text
//!  Aggregate(groups, functions)                    Projection: names and types as before
//!    Filter(dimensions, range of at)                 Aggregate: parts put together
//!      tests                              ──►          Union
//!                                                        Aggregate over tests_daily   companions of the segments
//!                                                        Aggregate over tests_hourly  … of those at the ends
//!                                                        Aggregate over tests         what no roll-up covers: memory,
//!                                                                                     ends that cut an hour
//! ```
//!
//! A question qualifies when all it reads of a row, but the time range and what is aggregated of the measure, is the
//! same for all rows behind a roll-up row (`fitting`). Then each row is counted once, in a roll-up or itself (`parts`):
//! a companion describes exactly the rows of its segment, and all parts are of one snapshot. Anything else is answered
//! from the rows. Access is decided inside the tables, for parts of a table as for the whole.

mod fitting;
mod parts;
mod question;
mod range;
mod states;

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, col};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use manometer_model::{Rollup, Table, rollups_of};

use self::fitting::fits;
use self::parts::{Candidate, Parts, Worth};
use self::question::Question;
use self::range::{Range, range_of};
use self::states::{SketchFunctions, States};
use crate::RelationData;
use crate::table::SnapshotTable;
use crate::table::relation::{Relation, relations};

/// When queries read roll-ups instead of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RollupUse {
    /// Where they answer the question and have far fewer rows.
    #[default]
    WhereSmaller,
    /// Where they answer the question.
    Always,
    /// Never: every answer is made of the rows themselves.
    Never,
}

/// The rule that puts roll-ups in the place of rows.
#[derive(Debug)]
pub(crate) struct UseRollups {
    pub(crate) always: bool,
}

impl OptimizerRule for UseRollups {
    fn name(&self) -> &str {
        "use_rollups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(registry) = config.function_registry() else { return Ok(Transformed::no(plan)) };
        Ok(match self.answered(aggregate, registry)? {
            Some(answered) => Transformed::yes(answered),
            None => Transformed::no(plan),
        })
    }
}

impl UseRollups {
    /// The same aggregation over roll-ups, where they can answer it.
    fn answered(
        &self,
        aggregate: &Aggregate,
        registry: &dyn FunctionRegistry,
    ) -> Result<Option<LogicalPlan>> {
        let Some(question) = Question::of(aggregate)? else { return Ok(None) };
        let Some(table) = question.table() else { return Ok(None) };
        let Some(facts) = Table::named(table.relation().name) else { return Ok(None) };
        let Some(first) = rollups_of(facts).next() else { return Ok(None) };
        let has_sets = question.groups.iter().any(|group| matches!(group, Expr::GroupingSet(_)));
        if has_sets || question.is_known_without_reading() {
            return Ok(None);
        }

        let schema = DFSchema::try_from(Arc::clone(&table.relation().schema))?;
        let mut states = States::new(&first.measure, &schema, SketchFunctions::of(registry)?);
        let mut answers = Vec::with_capacity(question.aggregates.len());
        for function in &question.aggregates {
            let Some(answer) = states.understand(function)? else { return Ok(None) };
            answers.push(answer);
        }
        let (range, conditions) = split(&question.filters);
        if range.is_empty() {
            return Ok(None);
        }
        let mut agreed = conditions.clone();
        agreed.extend(question.groups.iter().cloned());
        agreed.append(&mut states.agreed);
        let need_sketches = states.need_sketches();
        let Some(mut candidates) = candidates(table, facts, &agreed, need_sketches)? else {
            return Ok(None);
        };

        let data = table.read(facts.name)?;
        let worth = match (self.always, need_sketches) {
            (true, _) => Worth::Always,
            (false, true) => Worth::WithSketches,
            (false, false) => Worth::WithoutSketches,
        };
        let parts = Parts::of(range, &data.segments, &mut candidates, worth);
        if parts.rollups.is_empty() {
            return Ok(None);
        }
        let asked = Asked { table, conditions, range, groups: &question.groups, states: &states };
        let whole = asked.whole(parts, &candidates, data)?;
        Ok(Some(asked.with_columns(whole, answers, &aggregate.schema)?))
    }
}

/// The range of `at` that filters ask for, and all other conditions.
fn split(filters: &[Expr]) -> (Range, Vec<Expr>) {
    let mut range = Range::ALL;
    let mut conditions = Vec::new();
    for filter in filters {
        match range_of(filter) {
            Some(part) => range = range.and(part),
            None => conditions.push(filter.clone()),
        }
    }
    (range, conditions)
}

/// The roll-ups whose rows agree in all that is asked for, with sketches where these are needed; `None` when there are
/// none.
fn candidates(
    table: &SnapshotTable,
    facts: &Table,
    agreed: &[Expr],
    need_sketches: bool,
) -> Result<Option<Vec<Candidate>>> {
    let mut found = Vec::new();
    for rollup in rollups_of(facts) {
        let mut fit = rollup.measure.sketch.is_some() || !need_sketches;
        for expression in agreed {
            fit = fit && fits(expression, rollup)?;
        }
        if fit {
            found.push(Candidate::new(rollup, table.read(rollup.table.name)?.segments));
        }
    }
    Ok((!found.is_empty()).then_some(found))
}

/// A question that roll-ups can answer.
struct Asked<'a> {
    table: &'a SnapshotTable,
    /// What has to be true of a row besides its time.
    conditions: Vec<Expr>,
    range: Range,
    groups: &'a [Expr],
    states: &'a States<'a>,
}

impl Asked<'_> {
    /// One aggregation of all parts of the rows.
    fn whole(
        &self,
        mut parts: Parts,
        candidates: &[Candidate],
        data: RelationData,
    ) -> Result<LogicalPlanBuilder> {
        let mut memory = RelationData { segments: Vec::new(), ..data };
        if !(memory.batches.is_empty() && memory.unflushed.is_empty()) {
            parts.rows.entry(self.range).or_default();
        }
        let is_alone = parts.rollups.len() == 1 && parts.rows.is_empty();
        let mut inputs = Vec::with_capacity(parts.rollups.len() + parts.rows.len());
        for ((place, buckets), segments) in parts.rollups {
            let Some(relation) = candidates.get(place).and_then(|candidate| relation_of(candidate.rollup))
            else {
                continue;
            };
            let part = RelationData { segments, ..RelationData::default() };
            let range = buckets.unwrap_or(Range::ALL);
            let states = if is_alone { self.states.of_rollup_alone() } else { self.states.of_rollup() };
            inputs.push(self.input(relation, part, range, states)?);
        }
        for (range, segments) in parts.rows {
            // What is in memory is read with the segments that are read over the whole range.
            let memory =
                if range == self.range { std::mem::take(&mut memory) } else { RelationData::default() };
            let part = RelationData { segments, ..memory };
            inputs.push(self.input(self.table.relation(), part, range, self.states.of_rows())?);
        }
        let mut inputs = inputs.into_iter();
        let Some(first) = inputs.next() else {
            return datafusion::common::internal_err!("a question without parts");
        };
        let mut builder = LogicalPlanBuilder::new(first);
        for input in inputs {
            builder = builder.union(input)?;
        }
        if is_alone {
            return Ok(builder);
        }
        let groups = (0..self.groups.len()).map(|place| col(group_name(place)));
        builder.aggregate(groups, self.states.merged())
    }

    fn input(
        &self,
        relation: &'static Relation,
        part: RelationData,
        range: Range,
        states: Vec<Expr>,
    ) -> Result<LogicalPlan> {
        let table = self.table.with_part(relation, part, range.first_and_last());
        let source = provider_as_source(Arc::new(table));
        let mut builder = LogicalPlanBuilder::scan(relation.name, source, None)?;
        if let Some(filter) = conjunction(self.conditions.iter().cloned().chain(range.as_filter())) {
            builder = builder.filter(filter)?;
        }
        let groups = self.groups.iter().enumerate();
        let groups = groups.map(|(place, group)| group.clone().alias(group_name(place)));
        builder.aggregate(groups, states)?.build()
    }

    /// Gives an aggregation of all parts the columns of the one it stands for.
    fn with_columns(
        &self,
        builder: LogicalPlanBuilder,
        answers: Vec<Expr>,
        schema: &DFSchema,
    ) -> Result<LogicalPlan> {
        let groups = (0..self.groups.len()).map(|place| Expr::Column(Column::from_name(group_name(place))));
        let mut columns = Vec::with_capacity(schema.fields().len());
        for ((qualifier, field), expression) in schema.iter().zip(groups.chain(answers)) {
            let found = expression.get_type(builder.schema())?;
            let typed = if found == *field.data_type() {
                expression
            } else {
                cast(expression, field.data_type().clone())
            };
            columns.push(typed.alias_qualified(qualifier.cloned(), field.name()));
        }
        builder.project(columns)?.build()
    }
}

fn group_name(place: usize) -> String {
    format!("__group_{place}")
}

fn relation_of(rollup: &Rollup) -> Option<&'static Relation> {
    relations().iter().find(|relation| relation.name == rollup.table.name)
}
