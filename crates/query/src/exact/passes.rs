//! Reading the input again: the values of the ranges that hold ranks, of all parts of the input at once.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, SchemaRef};
use datafusion::common::runtime::JoinSet;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, IsNotNullExpr, lit};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

use super::cells::KeyRange;
use super::order;
use super::select::Collector;
use crate::functions::numbers::for_each_stretch;

/// Different values held by one part of the input, over all ranges, before the widest become steps.
const MOST_KEYS: usize = 1 << 21;
/// Different values that any range may hold.
const LEAST_KEYS: usize = 4_096;

/// The ranges of one column of values, by group.
#[derive(Debug, Default)]
pub(super) struct Targets {
    ranges: Vec<KeyRange>,
    of_group: Vec<Range<usize>>,
}

impl Targets {
    /// Adds the ranges of the next group.
    pub(super) fn push(&mut self, ranges: Vec<KeyRange>) {
        let begin = self.ranges.len();
        self.ranges.extend(ranges);
        self.of_group.push(begin..self.ranges.len());
    }

    /// The smallest and the largest number of all ranges; `None` of no ranges.
    fn bounds(&self) -> Option<(f64, f64)> {
        let low = self.ranges.iter().map(|range| range.low).min()?;
        let high = self.ranges.iter().map(|range| range.high).max()?;
        Some((order::number(low), order::number(high)))
    }

    /// The ranges of a group, with their place among all.
    pub(super) fn of(&self, group: usize) -> impl Iterator<Item = (usize, KeyRange)> {
        let places = self.of_group.get(group).cloned().unwrap_or_default();
        places.filter_map(|place| Some((place, *self.ranges.get(place)?)))
    }
}

/// What a pass looks for.
#[derive(Debug)]
pub(super) struct Search {
    /// The groups that have ranges: their columns, in the order of `targets`.
    pub(super) groups: Vec<ArrayRef>,
    /// The schema of these columns, which are the first of the input.
    pub(super) group_schema: SchemaRef,
    /// For each column of values of the input, which follow.
    pub(super) targets: Vec<Targets>,
}

impl Search {
    /// Is a value of the input anywhere near what is looked for? Asked of the expressions of the columns of values.
    pub(super) fn nearby(&self, values: &[Arc<dyn PhysicalExpr>]) -> Arc<dyn PhysicalExpr> {
        let nearby = self.targets.iter().zip(values).filter_map(|(targets, value)| {
            let (low, high) = targets.bounds()?;
            if high.is_nan() {
                // The engine has a NaN at either end of its order, and none in what it knows of files.
                return Some(Arc::new(IsNotNullExpr::new(Arc::clone(value))) as Arc<dyn PhysicalExpr>);
            }
            // The engine compares the bits of zeros too.
            let low = if low == 0.0 { -0.0 } else { low };
            let compare = |operator, bound: f64| -> Arc<dyn PhysicalExpr> {
                Arc::new(BinaryExpr::new(Arc::clone(value), operator, lit(bound)))
            };
            let (above, below) = (compare(Operator::GtEq, low), compare(Operator::LtEq, high));
            Some(Arc::new(BinaryExpr::new(above, Operator::And, below)))
        });
        nearby
            .reduce(|left, right| Arc::new(BinaryExpr::new(left, Operator::Or, right)))
            .unwrap_or_else(|| lit(false))
    }
}

/// Reads all of the input and gives, for each column of values, a collector for each of its ranges.
///
/// # Errors
/// When the input fails, or memory ends.
pub(super) async fn read_again(
    input: &Arc<dyn ExecutionPlan>,
    search: Arc<Search>,
    context: &Arc<TaskContext>,
) -> Result<Vec<Vec<Collector>>> {
    let mut parts = JoinSet::new();
    for partition in 0..input.output_partitioning().partition_count() {
        let rows = input.execute(partition, Arc::clone(context))?;
        let memory = MemoryConsumer::new("exact percentiles").register(context.memory_pool());
        let mut part = Part::new(Arc::clone(&search), memory)?;
        parts.spawn(async move {
            let mut rows = rows;
            while let Some(batch) = rows.next().await {
                part.read(&batch?)?;
            }
            Ok::<_, DataFusionError>(part)
        });
    }
    let mut whole: Option<Part> = None;
    while let Some(joined) = parts.join_next().await {
        let part = joined.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => whole.merge(part),
        }
    }
    Ok(whole.map(|part| part.collectors).unwrap_or_default())
}

/// One part of the input.
struct Part {
    search: Arc<Search>,
    /// Numbers the groups; those looked for come first. `None` where all rows are one group.
    names: Option<Box<dyn GroupValues>>,
    collectors: Vec<Vec<Collector>>,
    group_of_row: Vec<usize>,
    collected_bytes: usize,
    memory: MemoryReservation,
}

impl Part {
    fn new(search: Arc<Search>, memory: MemoryReservation) -> Result<Self> {
        let range_count: usize = search.targets.iter().map(|targets| targets.ranges.len()).sum();
        let most_keys = (MOST_KEYS / range_count.max(1)).max(LEAST_KEYS);
        let collectors: Vec<Vec<Collector>> = search
            .targets
            .iter()
            .map(|targets| targets.ranges.iter().map(|range| Collector::new(*range, most_keys)).collect())
            .collect();
        let mut group_of_row = Vec::new();
        let mut names = None;
        if !search.groups.is_empty() {
            let mut values = new_group_values(Arc::clone(&search.group_schema), &GroupOrdering::None)?;
            values.intern(&search.groups, &mut group_of_row)?;
            names = Some(values);
        }
        let collected_bytes = collectors.iter().flatten().map(Collector::memory_bytes).sum();
        Ok(Self { search, names, collectors, group_of_row, collected_bytes, memory })
    }

    fn read(&mut self, batch: &RecordBatch) -> Result<()> {
        let (groups, values) = batch.columns().split_at(self.search.groups.len());
        match &mut self.names {
            Some(names) => names.intern(groups, &mut self.group_of_row)?,
            None => {
                self.group_of_row.clear();
                self.group_of_row.resize(batch.num_rows(), 0);
            }
        }
        for ((column, targets), collectors) in
            values.iter().zip(&self.search.targets).zip(&mut self.collectors)
        {
            let values = column.as_primitive::<Float64Type>();
            for_each_stretch(values, &self.group_of_row, None, |group, values| {
                for (place, range) in targets.of(group) {
                    let Some(collector) = collectors.get_mut(place) else { continue };
                    let before = collector.memory_bytes();
                    let (low, high) = (order::number(range.low), order::number(range.high));
                    if high.is_nan() {
                        // With which numbers cannot be compared.
                        let keys = values.iter().map(|value| order::key(*value));
                        keys.filter(|key| *key >= range.low).for_each(|key| collector.add(key));
                    } else {
                        for value in values.iter().filter(|value| low <= **value && **value <= high) {
                            collector.add(order::key(*value));
                        }
                    }
                    self.collected_bytes += collector.memory_bytes();
                    self.collected_bytes -= before;
                }
            });
        }
        let names = self.names.as_ref().map_or(0, |names| names.size());
        self.memory.try_resize(names + self.collected_bytes)
    }

    fn merge(&mut self, other: Self) {
        for (ours, theirs) in self.collectors.iter_mut().zip(other.collectors) {
            for (collector, more) in ours.iter_mut().zip(theirs) {
                collector.merge(more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Float64Array;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::physical_expr::expressions::Column;

    use super::*;

    fn range(low: f64, high: f64) -> KeyRange {
        KeyRange { low: order::key(low), high: order::key(high), below: 0, count: 1 }
    }

    #[test]
    fn nearby_are_the_values_between_the_ends_of_all_ranges_and_either_zero() {
        let mut zero = Targets::default();
        zero.push(vec![range(0.0, 1.0)]);
        zero.push(Vec::new());
        zero.push(vec![range(3.0, 4.0)]);
        let mut none = Targets::default();
        none.push(Vec::new());
        let search =
            Search { groups: Vec::new(), group_schema: Arc::new(Schema::empty()), targets: vec![zero, none] };
        let fields = ["x", "y"].map(|name| Field::new(name, DataType::Float64, true));
        let x = Float64Array::from(vec![
            Some(-0.0),
            Some(0.0),
            Some(-5e-324),
            Some(2.0),
            Some(4.0),
            Some(4.5),
            None,
        ]);
        let y = Float64Array::from(vec![0.5; 7]);
        let batch =
            RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), vec![Arc::new(x), Arc::new(y)])
                .unwrap();
        let values: Vec<Arc<dyn PhysicalExpr>> =
            vec![Arc::new(Column::new("x", 0)), Arc::new(Column::new("y", 1))];
        let found = search.nearby(&values).evaluate(&batch).unwrap().into_array(7).unwrap();
        let found: Vec<bool> =
            found.as_boolean().iter().map(|is_nearby| is_nearby.unwrap_or_default()).collect();
        assert_eq!(found, [true, true, false, true, true, false, false]);
    }
}
