//! The plan node that runs the first pass, then as many more as it takes.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

use super::cells::Cell;
use super::held::Held;
use super::passes::{Search, Targets, read_again};
use super::question::Question;
use crate::pieces::in_pieces;

/// Passes after which the keys of a range cannot but be told apart: each takes 12 of 64 bits.
const MOST_PASSES: usize = 8;

/// Exact percentiles of the groups of an aggregate.
#[derive(Debug, Clone)]
pub(super) struct ExactPercentilesExec {
    /// Columns of the groups, then of the aggregates: of a percentile, what the first pass holds.
    first: Arc<dyn ExecutionPlan>,
    /// Columns of the groups, then the values of each percentile; read only where values are too many to hold.
    again: Arc<dyn ExecutionPlan>,
    /// Lets through the rows of `again` that a pass needs.
    nearby: Nearby,
    group_count: usize,
    /// The percentiles: which column of `first`, and what is asked.
    questions: Arc<Vec<(usize, Question)>>,
    properties: Arc<PlanProperties>,
}

impl ExactPercentilesExec {
    /// # Errors
    /// When no filter can be put into `again`.
    pub(super) fn try_new(
        first: Arc<dyn ExecutionPlan>,
        again: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        group_count: usize,
        questions: Arc<Vec<(usize, Question)>>,
    ) -> Result<Self> {
        let (again, nearby) = filtered(again, group_count)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self { first, again, nearby, group_count, questions, properties: Arc::new(properties) })
    }

    async fn run(self, context: Arc<TaskContext>) -> Result<RecordBatch> {
        let schema = self.schema();
        let memory = MemoryConsumer::new("exact percentiles").register(context.memory_pool());
        let mut held = Vec::new();
        let mut rows = self.first.execute(0, Arc::clone(&context))?;
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            memory.try_grow(batch.get_array_memory_size())?;
            held.push(batch);
        }
        let held = concat_batches(&self.first.schema(), &held)?;
        let mut cells: Vec<Vec<Cell>> = Vec::new();
        for (column, question) in self.questions.iter() {
            cells.push(decode(held.column(*column), question)?);
        }
        let mut again = Arc::clone(&self.again);
        for _ in 0..MOST_PASSES {
            let Some(search) = self.search(&held, &cells)? else { break };
            let (open, search) = (search.0, Arc::new(search.1));
            self.nearby.filter.update(search.nearby(&self.nearby.values))?;
            let collectors = read_again(&again, Arc::clone(&search), &context).await?;
            for ((cells, targets), collectors) in cells.iter_mut().zip(&search.targets).zip(collectors) {
                tell(cells, &open, targets, collectors)?;
            }
            again = reset_plan_states(again)?;
        }
        let mut columns = held.columns().to_vec();
        for ((column, question), cells) in self.questions.iter().zip(cells) {
            if let Some(place) = columns.get_mut(*column) {
                *place = question.column(cells.into_iter().map(|cell| cell.into_answers(question)));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(held.num_rows()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }

    /// The groups that are open, and what to look for; `None` when everything is known.
    fn search(&self, held: &RecordBatch, cells: &[Vec<Cell>]) -> Result<Option<(Vec<u32>, Search)>> {
        let mut targets: Vec<Targets> = cells.iter().map(|_| Targets::default()).collect();
        let mut open: Vec<u32> = Vec::new();
        for row in 0..held.num_rows() {
            let ranges: Vec<_> =
                cells.iter().map(|column| column.get(row).map(Cell::ranges).unwrap_or_default()).collect();
            if ranges.iter().any(|ranges| !ranges.is_empty()) {
                open.push(u32::try_from(row).map_err(|_| too_many_groups())?);
                targets.iter_mut().zip(ranges).for_each(|(targets, ranges)| targets.push(ranges));
            }
        }
        if open.is_empty() {
            return Ok(None);
        }
        let rows = UInt32Array::from(open.clone());
        let groups = held.columns().iter().take(self.group_count).map(|column| take(column, &rows, None));
        let fields = held.schema().fields().iter().take(self.group_count).cloned().collect::<Vec<_>>();
        let search = Search {
            groups: groups.collect::<std::result::Result<_, _>>()?,
            group_schema: Arc::new(Schema::new(fields)),
            targets,
        };
        Ok(Some((open, search)))
    }
}

/// A filter that is told later what to let through, and of which expressions.
#[derive(Debug, Clone)]
struct Nearby {
    filter: Arc<DynamicFilterPhysicalExpr>,
    values: Vec<Arc<dyn PhysicalExpr>>,
}

impl Nearby {
    /// What the engine follows on the way down are the columns: of two expressions one may be a part of the other.
    fn of(values: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        let columns: HashSet<Column> = values.iter().flat_map(collect_columns).collect();
        let columns = columns.into_iter().map(|column| Arc::new(column) as Arc<dyn PhysicalExpr>);
        Self { filter: Arc::new(DynamicFilterPhysicalExpr::new(columns.collect(), lit(true))), values }
    }
}

/// The input with a filter in it that is told later what to let through, and that filter.
///
/// It lies below the projection that makes the columns of the groups, which are then made of the few rows it lets
/// through.
fn filtered(input: Arc<dyn ExecutionPlan>, group_count: usize) -> Result<(Arc<dyn ExecutionPlan>, Nearby)> {
    let filter = |input: &Arc<dyn ExecutionPlan>, values: Vec<Arc<dyn PhysicalExpr>>| {
        let nearby = Nearby::of(values);
        let predicate = Arc::clone(&nearby.filter) as Arc<dyn PhysicalExpr>;
        let filter = FilterExec::try_new(predicate, Arc::clone(input))?;
        Ok::<_, DataFusionError>((Arc::new(filter) as Arc<dyn ExecutionPlan>, nearby))
    };
    if let Some(projection) = input.downcast_ref::<ProjectionExec>() {
        let values = projection.expr().iter().skip(group_count).map(|column| Arc::clone(&column.expr));
        let (filter, nearby) = filter(projection.input(), values.collect())?;
        let projection = ProjectionExec::try_new(projection.expr().to_vec(), filter)?;
        return Ok((Arc::new(projection), nearby));
    }
    let fields = input.schema();
    let values = fields.fields().iter().enumerate().skip(group_count);
    let values =
        values.map(|(place, field)| Arc::new(Column::new(field.name(), place)) as Arc<dyn PhysicalExpr>);
    filter(&input, values.collect())
}

fn too_many_groups() -> DataFusionError {
    DataFusionError::ResourcesExhausted("more than four thousand million groups of a percentile".to_owned())
}

/// What the first pass holds of each group, as answers or what is left to find.
fn decode(column: &ArrayRef, question: &Question) -> Result<Vec<Cell>> {
    let groups = column.as_binary::<i64>();
    let decode = |row| {
        let mut held = Held::default();
        if groups.is_valid(row) {
            held.merge_encoded(groups.value(row))?;
        }
        Ok(Cell::of(held, question))
    };
    (0..groups.len()).map(decode).collect()
}

/// Tells the open cells of one column what a pass found.
fn tell(
    cells: &mut [Cell],
    open: &[u32],
    targets: &Targets,
    collectors: Vec<super::select::Collector>,
) -> Result<()> {
    let mut collectors = collectors.into_iter();
    for (group, row) in open.iter().enumerate() {
        for (_, range) in targets.of(group) {
            let Some(collector) = collectors.next() else { return Ok(()) };
            let selected = collector.finish()?;
            let Some(cell) = cells.get_mut(*row as usize) else { continue };
            for (rank, found) in cell.ranks_in(range) {
                if let Some(now) = selected.of_rank(rank) {
                    *found = now;
                }
            }
        }
    }
    Ok(())
}

impl DisplayAs for ExactPercentilesExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ExactPercentilesExec: columns={}", self.questions.len())
    }
}

impl ExecutionPlan for ExactPercentilesExec {
    fn name(&self) -> &str {
        "ExactPercentilesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.first, &self.again]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition, Distribution::UnspecifiedDistribution]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [first, again] = <[_; 2]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("exact percentiles have two inputs".to_owned()))?;
        Ok(Arc::new(Self { first, again, ..Self::clone(&self) }))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let rows_at_once = context.session_config().batch_size();
        let whole = self.clone().run(context);
        let batches =
            stream::once(whole).map_ok(move |whole| stream::iter(in_pieces(whole, rows_at_once).map(Ok)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches.try_flatten())))
    }
}
