//! Reads Parquet segments through DataFusion, with one cache of footers for all queries.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::{ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetFileReaderFactory,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::{ObjectMeta, ObjectStore, path::Path as StorePath};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{StreamExt as _, stream};
use parquet::arrow::async_reader::AsyncFileReader;

use super::AT;
use super::footers::{LookedInto, WithPageIndex};
use super::pruning::Lookup;
use super::row_groups::{Needed, Rules, needed};
use super::spread::spread;
use crate::SegmentFile;
use crate::memory::SEGMENTS_URL;

/// Least bytes of a part of a file: to open one costs about as much as reading so many.
const LEAST_PART_BYTES: u64 = 4 << 20;

/// Parts for each thread, where files are large enough: threads take them in turns, so that all end at about the same
/// time although a filter may need much of one part and nothing of another.
const PARTS_PER_THREAD: u64 = 8;

/// Columns of which segments have Bloom filters.
const FILTERED: &[&str] = &["test_id"];

/// Files that are looked into at once.
const LOOKED_INTO_AT_ONCE: usize = 8;

/// Of more files than this only those are looked into that are asked for an identity: their threads have enough to
/// share as it is.
const MOST_LOOKED_INTO: usize = 64;

/// What reads segments; cheap to copy.
#[derive(Debug, Clone)]
pub(crate) struct SegmentReader {
    store: Arc<LocalFileSystem>,
    footers: Arc<FileMetadataCache>,
    files: Arc<CachedParquetFileReaderFactory>,
}

/// What to read of segments.
pub(super) struct Scan<'a> {
    pub(super) schema: &'a SchemaRef,
    pub(super) partitions: usize,
    pub(super) projection: Option<Vec<usize>>,
    /// Has the query a filter? Then the index of pages is worth reading.
    pub(super) filtered: bool,
    pub(super) rules: Rules<'a>,
    /// Skips rows; never needed for a right answer.
    pub(super) predicate: Option<Arc<dyn PhysicalExpr>>,
    pub(super) limit: Option<usize>,
}

/// A segment and which of its row groups are read; all where that is not said.
pub(crate) struct Chosen {
    pub(crate) segment: SegmentFile,
    pub(crate) needed: Option<Needed>,
}

impl Chosen {
    fn bytes(&self) -> u64 {
        self.needed.as_ref().map_or(self.segment.size_bytes, Needed::bytes)
    }
}

impl SegmentReader {
    pub(crate) fn new(environment: &RuntimeEnv) -> Self {
        let store = Arc::new(LocalFileSystem::new());
        let footers = environment.cache_manager.get_file_metadata_cache();
        let files = CachedParquetFileReaderFactory::new(
            Arc::clone(&store) as Arc<dyn ObjectStore>,
            Arc::clone(&footers),
        );
        Self { store, footers, files: Arc::new(files) }
    }

    /// Opens a segment that has so many bytes.
    pub(crate) fn open(&self, path: &Path, size_bytes: u64) -> Result<Box<dyn AsyncFileReader>> {
        let file = PartitionedFile::new_from_meta(object(path, size_bytes)?);
        Ok(self.files.create_reader(0, file, None, &ExecutionPlanMetricsSet::new())?)
    }

    /// The plan that reads what is chosen of segments; `None` when that is nothing.
    pub(super) fn scan(&self, scan: Scan<'_>, chosen: Vec<Chosen>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if chosen.is_empty() {
            return Ok(None);
        }
        let statistics = statistics(scan.schema, &chosen)?;
        let mut source = ParquetSource::new(Arc::clone(scan.schema))
            .with_parquet_file_reader_factory(self.opening(scan.filtered))
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_enable_page_index(true)
            // `choose` has.
            .with_bloom_filter_on_read(false);
        if let Some(predicate) = scan.predicate {
            source = source.with_predicate(predicate);
        }
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(SEGMENTS_URL)?, Arc::new(source))
            .with_file_groups(balanced(chosen, scan.partitions, scan.limit.is_some())?)
            .with_statistics(statistics)
            .with_projection_indices(scan.projection)?
            .with_limit(scan.limit)
            .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }

    fn opening(&self, filtered: bool) -> Arc<dyn ParquetFileReaderFactory> {
        let files = Arc::clone(&self.files);
        if filtered { Arc::new(WithPageIndex { files }) } else { files }
    }

    /// Leaves out the row groups, and so the segments, that hold nothing of what is asked for.
    pub(super) async fn choose(&self, scan: &Scan<'_>, segments: Vec<SegmentFile>) -> Result<Vec<Chosen>> {
        let is_filtered = |lookup: &&Lookup| FILTERED.contains(&lookup.column.as_str());
        let lookups: Vec<Lookup> = scan.rules.lookups.iter().filter(is_filtered).cloned().collect();
        let are_few = segments.len() <= MOST_LOOKED_INTO;
        if lookups.is_empty() && !(are_few && scan.rules.ranges.is_some()) {
            return Ok(segments.into_iter().map(|segment| Chosen { segment, needed: None }).collect());
        }
        let rules = Rules { lookups: &lookups, ranges: scan.rules.ranges };
        let mut looked_into = stream::iter(segments)
            .map(|segment| self.look_into(segment, scan.schema, rules))
            .buffered(LOOKED_INTO_AT_ONCE);
        let mut chosen = Vec::new();
        while let Some(next) = looked_into.next().await {
            let next = next?;
            if next.needed.as_ref().is_none_or(|needed| !needed.row_groups.is_empty()) {
                chosen.push(next);
            }
        }
        Ok(chosen)
    }

    async fn look_into(&self, segment: SegmentFile, schema: &SchemaRef, rules: Rules<'_>) -> Result<Chosen> {
        let file = object(&segment.path, segment.size_bytes)?;
        let file = LookedInto { store: self.store.as_ref(), footers: &self.footers, file: &file };
        let needed = needed(file, schema, rules).await;
        Ok(Chosen { segment, needed })
    }
}

/// Rows exactly, and the range of `at` exactly: a count needs no file to be opened.
fn statistics(schema: &SchemaRef, chosen: &[Chosen]) -> Result<Statistics> {
    let rows: u64 = chosen.iter().map(|chosen| chosen.segment.rows).sum();
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let is_whole = chosen.iter().all(|chosen| chosen.needed.is_none());
    let mut known = Statistics::new_unknown(schema);
    known.num_rows = if is_whole { Precision::Exact(rows) } else { Precision::Inexact(rows) };
    let position = schema.index_of(AT)?;
    let earliest = chosen.iter().map(|chosen| chosen.segment.min_at.as_micros()).min();
    let latest = chosen.iter().map(|chosen| chosen.segment.max_at.as_micros()).max();
    if let Some(at) = known.column_statistics.get_mut(position) {
        let exactly = |micros| {
            let value = ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()));
            if is_whole { Precision::Exact(value) } else { Precision::Inexact(value) }
        };
        at.null_count = Precision::Exact(0);
        at.min_value = exactly(earliest);
        at.max_value = exactly(latest);
    }
    Ok(known)
}

/// Spreads files over partitions so that each has about the same bytes to read; large ones in parts, so that all
/// threads can work on one. Under a limit, which may be reached in the first row group, files stay whole.
fn balanced(mut chosen: Vec<Chosen>, partitions: usize, limited: bool) -> Result<Vec<FileGroup>> {
    chosen.sort_by_key(|chosen| std::cmp::Reverse(chosen.bytes()));
    let total: u64 = chosen.iter().map(Chosen::bytes).sum();
    let share = total / (partitions.max(1) as u64 * PARTS_PER_THREAD);
    let part_bytes = if limited || partitions < 2 { u64::MAX } else { share };
    let mut parts = Vec::new();
    for Chosen { segment, needed } in chosen {
        let whole = PartitionedFile::new_from_meta(object(&segment.path, segment.size_bytes)?);
        match needed {
            Some(needed) => {
                let split = needed.parts(part_bytes).into_iter();
                parts.extend(split.map(|part| (part.bytes(), whole.clone().with_extension(part.plan()))));
            }
            None => parts.extend(ranges(&whole, segment.size_bytes, part_bytes.max(LEAST_PART_BYTES))),
        }
    }
    Ok(spread(parts, partitions).into_iter().map(FileGroup::new).collect())
}

/// A file that is not looked into, in ranges of its bytes: a part reads the row groups that begin in its range.
fn ranges(whole: &PartitionedFile, size: u64, most_bytes: u64) -> Vec<(u64, PartitionedFile)> {
    let count = size.div_ceil(most_bytes).max(1);
    if count == 1 {
        return vec![(size, whole.clone())];
    }
    let part = |number: u64| {
        let (start, end) = (size * number / count, size * (number + 1) / count);
        (end - start, whole.clone().with_range(signed(start), signed(end)))
    };
    (0..count).map(part).collect()
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A segment never changes under its name, so its time of change may be any constant.
fn object(path: &Path, size_bytes: u64) -> Result<ObjectMeta> {
    let location = store_path(path)?;
    Ok(ObjectMeta {
        location,
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: size_bytes,
        e_tag: None,
        version: None,
    })
}

fn store_path(path: &Path) -> Result<StorePath> {
    let absolute = std::path::absolute(path)?;
    StorePath::from_absolute_path(absolute).map_err(|error| DataFusionError::External(Box::new(error)))
}
