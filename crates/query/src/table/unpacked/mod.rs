//! Roll-ups are read from memory: their files are small, and every panel of every dashboard asks them again.
//!
//! What a query needs of a file is read once, column by column, and kept as arrays, of all queries at most
//! [`UNPACKED_CACHE_BYTES`]. A file too large to be worth its place there is read as any other.

mod cache;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, project_schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use manometer_model::rollup_named;

use crate::SegmentFile;

pub(crate) use cache::UnpackedCache;

/// Most memory of unpacked columns of roll-ups, in bytes.
pub(crate) const UNPACKED_CACHE_BYTES: usize = 128 * 1024 * 1024;
/// Packed, a file that is kept has at most this many bytes.
const LARGEST_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Fewer rows than this are not worth a second thread.
const LEAST_ROWS_A_PARTITION: u64 = 65_536;
/// Rows of one batch.
const BATCH_ROWS: usize = 8_192;

/// Reads files from memory, spread over partitions.
#[derive(Debug)]
pub(super) struct UnpackedExec {
    partitions: Vec<Vec<SegmentFile>>,
    cache: Arc<UnpackedCache>,
    /// Of the table.
    schema: SchemaRef,
    /// Positions in it.
    columns: Vec<usize>,
    properties: Arc<PlanProperties>,
}

/// Those of a table's files that are read from memory, and those that are not.
pub(super) fn shared_out(table: &str, files: Vec<SegmentFile>) -> (Vec<SegmentFile>, Vec<SegmentFile>) {
    let is_rollup = rollup_named(table).is_some();
    files.into_iter().partition(|file| is_rollup && file.size_bytes <= LARGEST_FILE_BYTES)
}

impl UnpackedExec {
    /// The plan that reads these files; `None` when there are none.
    pub(super) fn scan(
        cache: &Arc<UnpackedCache>,
        schema: &SchemaRef,
        files: Vec<SegmentFile>,
        columns: Option<&Vec<usize>>,
        most_partitions: usize,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if files.is_empty() {
            return Ok(None);
        }
        let partitions = balanced(files, most_partitions);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(project_schema(schema, columns)?),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Some(Arc::new(Self {
            partitions,
            cache: Arc::clone(cache),
            schema: Arc::clone(schema),
            columns: columns.map_or_else(|| (0..schema.fields().len()).collect(), Clone::clone),
            properties: Arc::new(properties),
        })))
    }
}

/// Spreads files so that each partition has about the same rows.
fn balanced(mut files: Vec<SegmentFile>, most: usize) -> Vec<Vec<SegmentFile>> {
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let worthwhile = usize::try_from(rows / LEAST_ROWS_A_PARTITION).unwrap_or(most);
    files.sort_by_key(|file| std::cmp::Reverse(file.rows));
    let mut groups: Vec<(u64, Vec<SegmentFile>)> = Vec::new();
    groups.resize_with(worthwhile.clamp(1, most.max(1)), Default::default);
    for file in files {
        if let Some((count, group)) = groups.iter_mut().min_by_key(|(count, _)| *count) {
            *count += file.rows;
            group.push(file);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

impl DisplayAs for UnpackedExec {
    fn fmt_as(&self, _format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.partitions.iter().map(Vec::len).sum();
        write!(formatter, "UnpackedExec: files={files}, partitions={}", self.partitions.len())
    }
}

impl ExecutionPlan for UnpackedExec {
    fn name(&self) -> &str {
        "UnpackedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// Rows exactly: a count reads nothing.
    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let counted = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(number, _)| partition.is_none_or(|one| one == *number));
        let rows: u64 = counted.flat_map(|(_, files)| files).map(|file| file.rows).sum();
        let mut known = Statistics::new_unknown(&self.schema());
        known.num_rows = Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX));
        Ok(Arc::new(known))
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let files = self.partitions.get(partition).cloned().unwrap_or_default();
        let (cache, schema) = (Arc::clone(&self.cache), Arc::clone(&self.schema));
        let columns = Arc::new(self.columns.clone());
        let shown = self.schema();
        let batches = stream::iter(files).then(move |file| {
            let (cache, schema) = (Arc::clone(&cache), Arc::clone(&schema));
            let (columns, shown) = (Arc::clone(&columns), Arc::clone(&shown));
            async move {
                let rows = usize::try_from(file.rows).unwrap_or(usize::MAX);
                let arrays = cache.columns(&file, &schema, &columns)?;
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let whole = RecordBatch::try_new_with_options(shown, arrays, &options)?;
                let slices = (0..rows).step_by(BATCH_ROWS);
                let slices = slices.map(move |start| Ok(whole.slice(start, BATCH_ROWS.min(rows - start))));
                Ok::<_, DataFusionError>(stream::iter(slices))
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten())))
    }
}
