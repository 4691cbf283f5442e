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
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::{ObjectMeta, path::Path as StorePath};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;

use crate::SegmentFile;
use crate::memory::SEGMENTS_URL;

/// What reads segments; cheap to copy.
#[derive(Debug, Clone)]
pub(crate) struct SegmentReader {
    files: Arc<dyn ParquetFileReaderFactory>,
}

/// What to read of segments.
pub(super) struct Scan<'a> {
    pub(super) schema: &'a SchemaRef,
    pub(super) partitions: usize,
    pub(super) projection: Option<Vec<usize>>,
    /// Skips rows; never needed for a right answer.
    pub(super) predicate: Option<Arc<dyn PhysicalExpr>>,
    pub(super) limit: Option<usize>,
}

impl SegmentReader {
    pub(crate) fn new(environment: &RuntimeEnv) -> Self {
        let footers = environment.cache_manager.get_file_metadata_cache();
        let files = CachedParquetFileReaderFactory::new(Arc::new(LocalFileSystem::new()), footers);
        Self { files: Arc::new(files) }
    }

    /// The plan that reads these segments; `None` when there are none.
    pub(super) fn scan(
        &self,
        scan: Scan<'_>,
        segments: Vec<SegmentFile>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if segments.is_empty() {
            return Ok(None);
        }
        let statistics = statistics(scan.schema, &segments)?;
        let mut source = ParquetSource::new(Arc::clone(scan.schema))
            .with_parquet_file_reader_factory(Arc::clone(&self.files))
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_enable_page_index(true);
        if let Some(predicate) = scan.predicate {
            source = source.with_predicate(predicate);
        }
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(SEGMENTS_URL)?, Arc::new(source))
            .with_file_groups(balanced(segments, scan.partitions)?)
            .with_statistics(statistics)
            .with_projection_indices(scan.projection)?
            .with_limit(scan.limit)
            .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }
}

/// Rows exactly, and the range of `at` exactly: a count needs no file to be opened.
fn statistics(schema: &SchemaRef, segments: &[SegmentFile]) -> Result<Statistics> {
    let rows: u64 = segments.iter().map(|segment| segment.rows).sum();
    let mut known = Statistics::new_unknown(schema);
    known.num_rows = Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX));
    let position = schema.index_of("at")?;
    let earliest = segments.iter().map(|segment| segment.min_at.as_micros()).min();
    let latest = segments.iter().map(|segment| segment.max_at.as_micros()).max();
    if let Some(at) = known.column_statistics.get_mut(position) {
        at.null_count = Precision::Exact(0);
        at.min_value = Precision::Exact(ScalarValue::TimestampMicrosecond(earliest, Some("UTC".into())));
        at.max_value = Precision::Exact(ScalarValue::TimestampMicrosecond(latest, Some("UTC".into())));
    }
    Ok(known)
}

/// Spreads files over partitions so that each has about the same bytes to read.
fn balanced(mut segments: Vec<SegmentFile>, partitions: usize) -> Result<Vec<FileGroup>> {
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.size_bytes));
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = Vec::new();
    groups.resize_with(partitions.clamp(1, segments.len().max(1)), Default::default);
    for segment in segments {
        if let Some((bytes, files)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += segment.size_bytes;
            files.push(file(&segment)?);
        }
    }
    Ok(groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect())
}

/// A segment never changes under its name, so its time of change may be any constant.
fn file(segment: &SegmentFile) -> Result<PartitionedFile> {
    let location = store_path(&segment.path)?;
    Ok(PartitionedFile::new_from_meta(ObjectMeta {
        location,
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: segment.size_bytes,
        e_tag: None,
        version: None,
    }))
}

fn store_path(path: &Path) -> Result<StorePath> {
    let absolute = std::path::absolute(path)?;
    StorePath::from_absolute_path(absolute).map_err(|error| DataFusionError::External(Box::new(error)))
}
