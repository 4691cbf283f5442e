//! Queries use roll-ups by themselves.
//!
//! ```text
//!  Aggregate(groups, functions)                Projection: names and types as before
//!    Filter(dimensions, range of at)             Aggregate(groups, what the functions ask of roll-ups)
//!      tests                            ──►        tests_daily   companions of the segments
//!                                                + tests_hourly  … of those at the ends
//!                                                + tests         what no roll-up covers: memory, ends that cut an hour
//! ```
//!
//! A question qualifies when all it reads of a row, but the time range and what is aggregated of the measure, is the
//! same for all rows behind a roll-up row (`fitting`). Then each row is counted once, in a roll-up or itself (`parts`):
//! a companion describes exactly the rows of its segment, and all parts are of one snapshot. Anything else is answered
//! from the rows. Access is decided inside the tables, for parts of a table as for the whole.

mod fitting;
mod in_turn;
mod mixed;
mod parts;
mod question;
mod range;
mod states;

use std::sync::Arc;

use datafusion::catalog::TableProvider as _;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use manometer_model::{Rollup, Table, rollups_of};

use self::fitting::fits;
use self::mixed::MixedPart;
use self::parts::{Candidate, Parts, Reach, Worth};
use self::question::Question;
use self::range::{Range, range_of};
use self::states::States;
use crate::RelationData;
use crate::table::SnapshotTable;
use crate::table::relation::{Relation, relations};

pub(crate) use self::mixed::MixedTable;

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
#[derive(Debug, Clone, Copy)]
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

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        Ok(match self.answered(aggregate, Reach::AllThatIsKnown)? {
            Some(answered) => Transformed::yes(answered),
            None => Transformed::no(plan),
        })
    }
}

impl UseRollups {
    /// The same aggregation over roll-ups of rows that can be read themselves as well.
    pub(crate) fn beside_rows(&self, aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
        self.answered(aggregate, Reach::RowsThatAreThere)
    }

    /// The same aggregation over roll-ups, where they can answer it.
    fn answered(&self, aggregate: &Aggregate, reach: Reach) -> Result<Option<LogicalPlan>> {
        let Some(question) = Question::of(aggregate)? else { return Ok(None) };
        let Some(table) = question.table() else { return Ok(None) };
        let Some(facts) = Table::named(table.relation().name) else { return Ok(None) };
        let Some(first) = rollups_of(facts).next() else { return Ok(None) };
        let has_sets = question.groups.iter().any(|group| matches!(group, Expr::GroupingSet(_)));
        if has_sets || question.is_known_without_reading() {
            return Ok(None);
        }

        let schema = DFSchema::try_from(Arc::clone(&table.relation().schema))?;
        let mut states = States::new(&first.measure, &schema);
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
        let need_sketches = states.need_sketches;
        let Some(mut candidates) = candidates(table, facts, &agreed, need_sketches)? else {
            return Ok(None);
        };

        let data = table.read(facts.name)?;
        let worth = match (self.always, need_sketches) {
            (true, _) => Worth::Always,
            (false, true) => Worth::WithSketches,
            (false, false) => Worth::WithoutSketches,
        };
        let parts = Parts::of(range, &data.segments, &mut candidates, worth, reach);
        if parts.rollups.is_empty() {
            return Ok(None);
        }
        let Some(relation) = relation_of(first) else { return Ok(None) };
        let parts = mixed_parts(table, range, parts, &candidates, data);
        let mixed = MixedTable::new(&first.measure, [table.relation(), relation], parts);
        answer(mixed, conditions, question.groups, states, answers, &aggregate.schema).map(Some)
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

/// The rows of each part.
fn mixed_parts(
    table: &SnapshotTable,
    range: Range,
    mut parts: Parts,
    candidates: &[Candidate],
    data: RelationData,
) -> Vec<MixedPart> {
    let mut memory = RelationData { segments: Vec::new(), ..data };
    if !(memory.batches.is_empty() && memory.unflushed.is_empty()) {
        parts.rows.entry(range).or_default();
    }
    let mut mixed = Vec::with_capacity(parts.rollups.len() + parts.rows.len());
    for ((place, buckets), segments) in parts.rollups {
        let candidate = candidates.get(place);
        let Some(relation) = candidate.and_then(|candidate| relation_of(candidate.rollup)) else { continue };
        let rows = RelationData { segments, ..RelationData::default() };
        let range = buckets.unwrap_or(Range::ALL);
        let rows = table.with_part(relation, rows, range.first_and_last());
        mixed.push(MixedPart { rows, range, is_rollup: true });
    }
    for (part, segments) in parts.rows {
        // What is in memory is read with the segments that are read over the whole range.
        let memory = if part == range { std::mem::take(&mut memory) } else { RelationData::default() };
        let rows = RelationData { segments, ..memory };
        let rows = table.with_part(table.relation(), rows, part.first_and_last());
        mixed.push(MixedPart { rows, range: part, is_rollup: false });
    }
    mixed
}

/// The aggregation of a mixed table, with the columns of the one it stands for.
fn answer(
    mixed: MixedTable,
    conditions: Vec<Expr>,
    groups: Vec<Expr>,
    states: States<'_>,
    answers: Vec<Expr>,
    schema: &DFSchema,
) -> Result<LogicalPlan> {
    let names = TableReference::bare(mixed.names());
    let states: Vec<Expr> = states.aggregates().collect();
    let mut columns: Vec<usize> = Vec::new();
    for column in groups.iter().chain(&states).flat_map(Expr::column_refs) {
        columns.push(mixed.schema().index_of(&column.name)?);
    }
    columns.sort_unstable();
    columns.dedup();
    let source = provider_as_source(Arc::new(mixed));
    let group_names = (0..groups.len()).map(group_name);
    let groups: Vec<Expr> =
        groups.into_iter().zip(group_names.clone()).map(|(group, name)| group.alias(name)).collect();
    let builder = LogicalPlanBuilder::scan_with_filters(names, source, Some(columns), conditions)?
        .aggregate(groups, states)?;
    let groups = group_names.map(|name| Expr::Column(Column::from_name(name)));
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

fn group_name(place: usize) -> String {
    format!("__group_{place}")
}

fn relation_of(rollup: &Rollup) -> Option<&'static Relation> {
    relations().iter().find(|relation| relation.name == rollup.table.name)
}
