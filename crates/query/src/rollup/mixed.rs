//! A table in which roll-ups stand for rows: each of its rows says for how many rows of the table it stands.
//!
//! ```text
//!                         tests_daily ─┐ as they are; no value of the measure
//!                        tests_hourly ─┼─► of the columns that are asked for, where the conditions are true
//!  tests: memory, ends that cut hours ─┘ a row for itself: row_count is 1, its measure is sum, min and max
//! ```
//!
//! Its columns are those of the table and those of a roll-up. Of the first a roll-up has but its dimensions and `at`, the
//! beginning of the bucket; a question that asks for another is not for roll-ups.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, ScalarValue, project_schema};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::{CastExpr, IsNotNullExpr, Literal, col};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::physical_optimizer::PhysicalOptimizerRule as _;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::union::UnionExec;
use manometer_model::rollup::{FIRST_AT, LAST_AT, Measure, ROW_COUNT};

use super::in_turn::InTurnExec;
use super::range::Range;
use crate::table::relation::Relation;
use crate::table::{AT, SnapshotTable};

/// Rows of a table and of its roll-ups.
#[derive(Debug)]
pub(crate) struct MixedTable {
    measure: &'static Measure,
    schema: SchemaRef,
    parts: Vec<MixedPart>,
}

/// Some rows of the table, or of one of its roll-ups.
#[derive(Debug)]
pub(super) struct MixedPart {
    pub(super) rows: SnapshotTable,
    /// What of them is asked for.
    pub(super) range: Range,
    pub(super) is_rollup: bool,
}

impl MixedTable {
    /// A table of these parts, with the columns of `facts` and those that `rollup`, the one with most of them, adds.
    pub(super) fn new(
        measure: &'static Measure,
        [facts, rollup]: [&Relation; 2],
        parts: Vec<MixedPart>,
    ) -> Self {
        let of_rollup = [ROW_COUNT, FIRST_AT, LAST_AT, measure.count, measure.sum, measure.min, measure.max];
        let of_rollup = of_rollup.into_iter().chain(measure.sketch);
        let nullable = |field: &Field| field.clone().with_nullable(true);
        let mut fields: Vec<Field> = facts.schema.fields().iter().map(|field| nullable(field)).collect();
        fields.extend(of_rollup.filter_map(|name| rollup.schema.field_with_name(name).ok()).map(nullable));
        Self { measure, schema: Arc::new(Schema::new(fields)), parts }
    }

    /// The names of the tables its rows are of.
    pub(super) fn names(&self) -> String {
        let mut names: Vec<&str> = self.parts.iter().map(|part| part.rows.relation().name).collect();
        names.dedup();
        names.join(" + ")
    }

    /// The column of sketches.
    pub(crate) const fn sketch(&self) -> Option<&'static str> {
        self.measure.sketch
    }

    /// About how many rows each part has, and whether they are those of a roll-up.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, bool)> {
        self.parts.iter().filter_map(|part| Some((part.rows.rows_of_part()?, part.is_rollup)))
    }

    /// The plan that gives the wanted columns of the rows of a part for which the conditions are true.
    async fn scan_part(
        &self,
        state: &dyn Session,
        part: &MixedPart,
        wanted: &[&Field],
        conditions: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = &part.rows.relation().schema;
        let conditions: Vec<Expr> = conditions.iter().cloned().chain(part.range.as_filter()).collect();
        let mut columns: Vec<usize> = Vec::new();
        let asked = wanted.iter().filter_map(|field| self.column_of(part, field.name()));
        let in_conditions = conditions.iter().flat_map(Expr::column_refs);
        for name in asked.chain(in_conditions.map(|column| column.name.as_str())) {
            columns.push(schema.index_of(name)?);
        }
        columns.sort_unstable();
        columns.dedup();
        let mut rows = part.rows.scan(state, Some(&columns), &conditions, None).await?;
        if let Some(condition) = conjunction(conditions) {
            let read = DFSchema::try_from(rows.schema())?;
            // The optimizer has been over the conditions.
            let context = PhysicalPlanningContext::default();
            let condition = create_physical_expr(&condition, &read, state.execution_props(), &context)?;
            rows = Arc::new(FilterExec::try_new(condition, rows)?);
        }
        let read = rows.schema();
        let outputs: Vec<ProjectionExpr> = wanted
            .iter()
            .map(|field| Ok(ProjectionExpr::new(self.output(part, field, &read)?, field.name().clone())))
            .collect::<Result<_>>()?;
        Ok(Arc::new(ProjectionExec::try_new(outputs, rows)?))
    }

    /// The column that a column of this table is made of.
    fn column_of<'a>(&self, part: &MixedPart, name: &'a str) -> Option<&'a str> {
        let Measure { column, count, sum, min, max, sketch } = *self.measure;
        if part.is_rollup {
            return (name != column).then_some(name);
        }
        match name {
            FIRST_AT | LAST_AT => Some(AT),
            ROW_COUNT => None,
            _ if sketch == Some(name) => None,
            _ if [count, sum, min, max].contains(&name) => Some(column),
            _ => Some(name),
        }
    }

    /// A column of this table over the columns of a part.
    fn output(&self, part: &MixedPart, field: &Field, read: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
        let wanted = field.data_type();
        let Some(name) = self.column_of(part, field.name()) else {
            let constant = if part.is_rollup || field.name() != ROW_COUNT {
                ScalarValue::try_from(wanted)?
            } else {
                ScalarValue::Int64(Some(1))
            };
            return Ok(Arc::new(Literal::new(constant)));
        };
        let column = col(name, read)?;
        let counts = !part.is_rollup && field.name() == self.measure.count;
        let column = if counts { Arc::new(IsNotNullExpr::new(column)) } else { column };
        Ok(if column.data_type(read)? == *wanted {
            column
        } else {
            Arc::new(CastExpr::new(column, wanted.clone(), None))
        })
    }
}

/// Does it read files, which can leave out what a filter rules out?
fn has_files(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<DataSourceExec>().is_some() || plan.children().into_iter().any(has_files)
}

#[async_trait]
impl TableProvider for MixedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let asked = project_schema(&self.schema, projection)?;
        let wanted: Vec<&Field> = asked.fields().iter().map(AsRef::as_ref).collect();
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            parts.push(self.scan_part(state, part, &wanted, filters).await?);
        }
        if state.config().target_partitions() == 1 {
            let with_filters = |part| match has_files(&part) {
                true => FilterPushdown::new().optimize(part, state.config_options()),
                false => Ok(part),
            };
            let parts = parts.into_iter().map(with_filters).collect::<Result<_>>()?;
            return Ok(Arc::new(InTurnExec::new(Arc::clone(&asked), parts)));
        }
        if parts.len() > 1 {
            return UnionExec::try_new(parts);
        }
        Ok(parts.pop().unwrap_or_else(|| Arc::new(EmptyExec::new(Arc::clone(&asked)))))
    }
}
