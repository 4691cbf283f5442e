//! A table of SQL over one snapshot: memory and segments as one, without the rows an access may not see.
//!
//! ```text
//!                    ┌ segments whose every project is allowed ──────────────────────┐
//!  scan ─► prune ────┤                                                               ├─► union ─► rows
//!                    └ other segments, memory ─► ProjectGuardExec (drops the rest) ──┘
//! ```
//! With full access there is no guard, and the count of rows is known without reading any.

mod footers;
mod guard;
mod lookups;
pub(crate) mod pruning;
pub(crate) mod relation;
pub(crate) mod row_groups;
pub(crate) mod segments;
mod spread;
mod unflushed;
mod visible;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;

use self::guard::ProjectGuardExec;
use self::pruning::Pruned;
use self::relation::Relation;
use self::row_groups::Rules;
use self::segments::{Scan, SegmentReader};
use self::unflushed::UnflushedExec;
use crate::kept::{Kept, KeptExec, parts_of};
use crate::{Access, RelationData, SegmentFile, Source};

/// The column that says whose a row is. Every table has it.
const PROJECT: &str = "project";
/// The column that says when. Every table of segments has it.
pub(crate) const AT: &str = "at";

/// One table over one snapshot, for one access.
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    relation: &'static Relation,
    source: Arc<dyn Source>,
    access: Access,
    reader: SegmentReader,
    /// Where the table shows only some of the rows: these.
    part: Option<Shown>,
}

/// Some of the rows of a table.
#[derive(Debug)]
struct Shown {
    rows: RelationData,
    /// The first and the last moment that are asked for of them, in microseconds since 1970.
    range: (i64, i64),
}

impl SnapshotTable {
    pub(crate) fn new(
        relation: &'static Relation,
        source: Arc<dyn Source>,
        access: Access,
        reader: SegmentReader,
    ) -> Self {
        Self { relation, source, access, reader, part: None }
    }

    /// A table that shows `rows` only, which are of `relation` and of the same moment; for the same access. Of these,
    /// those from the first to the last moment of `range` are asked for.
    pub(crate) fn with_part(
        &self,
        relation: &'static Relation,
        rows: RelationData,
        range: (i64, i64),
    ) -> Self {
        let source = Arc::clone(&self.source);
        let (access, reader) = (self.access.clone(), self.reader.clone());
        Self { relation, source, access, reader, part: Some(Shown { rows, range }) }
    }

    /// Rows that are read of a part, about; `None` of a whole table.
    pub(crate) fn rows_of_part(&self) -> Option<u64> {
        let Shown { rows, range } = self.part.as_ref()?;
        let of_segment = |segment: &SegmentFile| match parts_of(segment, Some(*range)) {
            Some(parts) => parts.iter().map(|part| part.rows).sum(),
            None => share_of(segment, *range),
        };
        let batches: usize = rows.batches.iter().map(RecordBatch::num_rows).sum();
        let unflushed: u64 = rows.unflushed.iter().map(manometer_store::UnflushedRows::rows).sum();
        Some(rows.segments.iter().map(of_segment).sum::<u64>() + unflushed + batches as u64)
    }

    /// Reads segments, small parts of them from what is kept.
    async fn read_segments(
        &self,
        state: &dyn Session,
        scan: Scan<'_>,
        segments: Vec<SegmentFile>,
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let mut plans = Vec::new();
        let chosen = match state.config().get_extension::<Kept>() {
            Some(kept) => {
                let range = self.part.as_ref().map(|part| part.range);
                let (mut parts, segments) = Kept::divide(&segments, range);
                let mut chosen = self.reader.choose(&scan, segments).await?;
                Kept::take_chosen(&mut chosen, &mut parts);
                plans.extend(KeptExec::scan(&kept, scan.schema, parts, scan.projection.as_ref())?);
                chosen
            }
            None => self.reader.choose(&scan, segments).await?,
        };
        plans.extend(self.reader.scan(scan, chosen)?);
        Ok(plans)
    }

    /// Is it a part whose segments are all given from what is kept? These are of the time that is asked for.
    fn is_kept(&self, state: &dyn Session, segments: &[SegmentFile]) -> bool {
        let keeps = state.config().get_extension::<Kept>().is_some();
        self.part.as_ref().is_some_and(|part| keeps && Kept::keeps_all(segments, part.range))
    }

    /// What it is a table of.
    pub(crate) const fn relation(&self) -> &'static Relation {
        self.relation
    }

    /// Shows it only some of the rows?
    pub(crate) const fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// The rows of a relation at the moment of this table.
    pub(crate) fn read(&self, relation: &str) -> Result<RelationData> {
        self.source.read(relation).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn memory(
        &self,
        batches: Vec<RecordBatch>,
        projection: Option<Vec<usize>>,
        partitions: usize,
        limit: Option<usize>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if batches.is_empty() {
            return Ok(None);
        }
        let mut parts = vec![Vec::new(); partitions.clamp(1, batches.len())];
        let count = parts.len();
        for (position, batch) in batches.into_iter().enumerate() {
            parts[position % count].push(batch);
        }
        let memory = MemorySourceConfig::try_new(&parts, Arc::clone(&self.relation.schema), projection)?;
        Ok(Some(DataSourceExec::from_data_source(memory.with_limit(limit))))
    }
}

/// How many rows of a segment lie in a range, if they lie evenly between its first and its last moment.
fn share_of(segment: &SegmentFile, (first, last): (i64, i64)) -> u64 {
    let (min, max) = (segment.min_at.as_micros(), segment.max_at.as_micros());
    let span = i128::from(max) - i128::from(min) + 1;
    let common = i128::from(last.min(max)) - i128::from(first.max(min)) + 1;
    let rows = i128::from(segment.rows) * common.clamp(0, span) / span.max(1);
    u64::try_from(rows).unwrap_or(segment.rows)
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.relation.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = &self.relation.schema;
        let data = match &self.part {
            Some(part) => part.rows.clone(),
            None => self.read(self.relation.name)?,
        };
        let Pruned { segments, lookups, ranges } = if self.is_kept(state, &data.segments) {
            pruning::of_asked_projects(filters, data.segments)
        } else {
            pruning::prune(state, schema, filters, data.segments)?
        };
        let partitions = state.config().target_partitions();
        let plain = Scan {
            schema,
            partitions,
            projection: projection.cloned(),
            filtered: !filters.is_empty(),
            rules: Rules { lookups: &lookups, ranges: ranges.as_ref() },
            predicate: None,
            limit,
        };

        let mut parts: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        match &self.access {
            Access::All => {
                parts.extend(self.read_segments(state, plain, segments).await?);
                parts.extend(self.memory(data.batches, projection.cloned(), partitions, limit)?);
                parts.extend(UnflushedExec::scan(schema, data.unflushed, projection.cloned(), partitions)?);
            }
            Access::Projects(allowed) => {
                let (open, mixed) = visible::shared_out(segments, allowed);
                parts.extend(self.read_segments(state, plain, open).await?);

                let inside = visible::projection_with_project(schema, projection)?;
                let predicate = visible::predicate(state, schema, allowed, filters)?;
                let guarded = Scan {
                    schema,
                    partitions,
                    projection: inside.clone(),
                    filtered: true,
                    // A range is asked with the whole filter of the query: not where rows are hidden.
                    rules: Rules { lookups: &lookups, ranges: None },
                    predicate: Some(predicate),
                    limit: None,
                };
                let mut hidden: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
                hidden.extend(self.read_segments(state, guarded, mixed).await?);
                hidden.extend(self.memory(data.batches, inside.clone(), partitions, None)?);
                hidden.extend(UnflushedExec::scan(schema, data.unflushed, inside, partitions)?);
                for part in hidden {
                    let guard = ProjectGuardExec::new(part, allowed.clone(), projection.map(Vec::len))?;
                    parts.push(Arc::new(guard));
                }
            }
        }
        if parts.len() > 1 {
            return UnionExec::try_new(parts);
        }
        match parts.pop() {
            Some(only) => Ok(only),
            None => Ok(Arc::new(EmptyExec::new(project_schema(schema, projection)?))),
        }
    }
}
