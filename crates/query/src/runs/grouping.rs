//! The groups of one part of the input.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_arrays;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::ExecutionOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::ExecutionPlan as _;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::aggregates::{
    AggregateExec, PhysicalGroupBy, aggregate_expressions, evaluate_group_by,
};

use super::starts::Starts;

/// Groups rows and aggregates what is in them.
pub(super) struct Grouping {
    /// Columns of the groups, then the states of the aggregates.
    schema: SchemaRef,
    group_by: PhysicalGroupBy,
    functions: Vec<Function>,
    groups: Box<dyn GroupValues>,
    starts: Starts,
    group_of_run: Vec<usize>,
    group_of_row: Vec<usize>,
    memory: MemoryReservation,
    probe: Probe,
}

/// What became of a batch.
pub(super) enum Taken {
    /// It is held with the others.
    Held,
    /// There was no room: these are the groups of all so far.
    Early(RecordBatch),
    /// Nearly every row is a group of its own: these are the groups of all so far, and to hold more is in vain.
    InVain(RecordBatch),
}

impl Grouping {
    pub(super) fn new(aggregate: &AggregateExec, context: &TaskContext) -> Result<Self> {
        let input = aggregate.input().schema();
        let group_by = aggregate.group_expr().clone();
        let arguments =
            aggregate_expressions(aggregate.aggr_expr(), aggregate.mode(), group_by.expr().len())?;
        let functions = aggregate.aggr_expr().iter().zip(arguments).zip(aggregate.filter_expr());
        let functions = functions.map(|((function, arguments), filter)| {
            Ok(Function {
                arguments: arguments.into_iter().map(Argument::new).collect(),
                filter: filter.clone(),
                accumulator: function.create_groups_accumulator()?,
            })
        });
        Ok(Self {
            schema: aggregate.schema(),
            functions: functions.collect::<Result<_>>()?,
            groups: new_group_values(group_by.group_schema(&input)?, &GroupOrdering::None)?,
            group_by,
            starts: Starts::default(),
            group_of_run: Vec::new(),
            group_of_row: Vec::new(),
            // Memory that is short is no failure: it hands on what it holds.
            memory: MemoryConsumer::new("grouping by runs")
                .with_can_spill(true)
                .register(context.memory_pool()),
            probe: Probe::new(&context.session_config().options().execution),
        })
    }

    /// Adds rows of the input.
    ///
    /// # Errors
    /// When an expression fails, or memory is short even without any groups.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<Taken> {
        let columns = self.columns_of_groups(batch)?;
        self.find_groups(&columns)?;
        let group_count = self.groups.len();
        for function in &mut self.functions {
            let (arguments, filter) = function.evaluate(batch)?;
            let filter = filter.as_ref().map(|filter| filter.as_boolean());
            function.accumulator.update_batch(&arguments, &self.group_of_row, filter, group_count)?;
        }
        self.probe.rows += batch.num_rows();
        if group_count > 0 && self.probe.is_in_vain(group_count) {
            return self.take().map(Taken::InVain);
        }
        match self.memory.try_resize(self.bytes()) {
            Ok(()) => Ok(Taken::Held),
            Err(DataFusionError::ResourcesExhausted(_)) if group_count > 0 => self.take().map(Taken::Early),
            Err(error) => Err(error),
        }
    }

    /// Does it hold no groups?
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The groups of all so far, of which there is one at least; none are held afterwards.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        let mut columns = self.groups.emit(EmitTo::All)?;
        for function in &mut self.functions {
            columns.extend(function.accumulator.state(EmitTo::All)?);
        }
        self.groups.clear_shrink(0);
        self.memory.try_resize(self.bytes())?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// Rows as groups of one row each.
    ///
    /// # Errors
    /// When an expression fails.
    pub(super) fn pass(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = self.columns_of_groups(batch)?;
        for function in &mut self.functions {
            let (arguments, filter) = function.evaluate(batch)?;
            let filter = filter.as_ref().map(|filter| filter.as_boolean());
            columns.extend(function.accumulator.convert_to_state(&arguments, filter)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn columns_of_groups(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let mut sets = evaluate_group_by(&self.group_by, batch)?;
        sets.pop().ok_or_else(|| DataFusionError::Internal("rows are grouped by nothing".to_owned()))
    }

    /// Finds the group of each row.
    fn find_groups(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let rows = columns.first().map_or(0, |column| column.len());
        let Some(starts) = self.starts.of(columns) else {
            return self.groups.intern(columns, &mut self.group_of_row);
        };
        let firsts = take_arrays(columns, &UInt32Array::from(starts.to_vec()), None)?;
        self.groups.intern(&firsts, &mut self.group_of_run)?;
        self.group_of_row.clear();
        self.group_of_row.reserve(rows);
        let ends = starts.iter().skip(1).map(|start| *start as usize).chain([rows]);
        for (group, end) in self.group_of_run.iter().zip(ends) {
            self.group_of_row.resize(end, *group);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let accumulators: usize = self.functions.iter().map(|function| function.accumulator.size()).sum();
        let numbers = (self.group_of_row.capacity() + self.group_of_run.capacity()) * size_of::<usize>();
        self.groups.size() + accumulators + numbers
    }
}

/// One aggregate.
struct Function {
    arguments: Vec<Argument>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    accumulator: Box<dyn GroupsAccumulator>,
}

impl Function {
    /// The arguments, and which rows count.
    fn evaluate(&mut self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Option<ArrayRef>)> {
        let arguments = self.arguments.iter_mut().map(|argument| argument.evaluate(batch));
        let arguments = arguments.collect::<Result<_>>()?;
        let filter = self.filter.as_ref();
        let filter = filter.map(|filter| filter.evaluate(batch)?.into_array(batch.num_rows()));
        Ok((arguments, filter.transpose()?))
    }
}

/// One argument of an aggregate.
struct Argument {
    expression: Arc<dyn PhysicalExpr>,
    /// Of a constant, the longest column of it there was.
    constant: Option<ArrayRef>,
}

impl Argument {
    fn new(expression: Arc<dyn PhysicalExpr>) -> Self {
        Self { expression, constant: None }
    }

    fn evaluate(&mut self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        if let Some(constant) = self.constant.as_ref().filter(|constant| constant.len() >= rows) {
            return Ok(constant.slice(0, rows));
        }
        let column = self.expression.evaluate(batch)?.into_array(rows)?;
        if self.expression.is::<Literal>() {
            self.constant = Some(Arc::clone(&column));
        }
        Ok(column)
    }
}

/// Finds out whether there are so many groups that to hold them is in vain, as the engine's own aggregates do.
struct Probe {
    rows: usize,
    least_rows: usize,
    most_groups_per_row: f64,
}

impl Probe {
    fn new(options: &ExecutionOptions) -> Self {
        Self {
            rows: 0,
            least_rows: options.skip_partial_aggregation_probe_rows_threshold,
            most_groups_per_row: options.skip_partial_aggregation_probe_ratio_threshold,
        }
    }

    fn is_in_vain(&self, groups: usize) -> bool {
        self.rows >= self.least_rows && groups as f64 > self.rows as f64 * self.most_groups_per_row
    }
}
