//! The footers of segments; and segments opened with their page index, read once and kept beside the footer.
//!
//! DataFusion asks for a footer first and for the page index when a filter needs it, and keeps only the first of the
//! two: every query would copy the footer and read the index of all columns and row groups again, which for a large
//! file takes longer than the rows of a selective query.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetFileReaderFactory,
};
use datafusion::error::Result;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

/// A file that is looked into before it is read.
#[derive(Clone, Copy)]
pub(super) struct LookedInto<'a> {
    pub(super) store: &'a dyn ObjectStore,
    pub(super) footers: &'a Arc<FileMetadataCache>,
    pub(super) file: &'a ObjectMeta,
}

impl LookedInto<'_> {
    /// Its footer, from the cache where it is there.
    pub(super) async fn footer(self, index: PageIndexPolicy) -> Result<Arc<ParquetMetaData>> {
        DFParquetMetadata::new(self.store, self.file)
            .with_file_metadata_cache(Some(Arc::clone(self.footers)))
            .with_page_index_policy(Some(index))
            .fetch_metadata()
            .await
    }
}

/// For scans with a filter; those that read everything need no index.
#[derive(Debug)]
pub(super) struct WithPageIndex {
    pub(super) files: Arc<CachedParquetFileReaderFactory>,
}

impl ParquetFileReaderFactory for WithPageIndex {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let file = self.files.create_reader(partition_index, file, metadata_size_hint, metrics)?;
        Ok(Box::new(Indexed { file }))
    }
}

struct Indexed {
    file: Box<dyn AsyncFileReader + Send>,
}

impl AsyncFileReader for Indexed {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.file.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.file.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let options = options.cloned().unwrap_or_default().with_page_index_policy(PageIndexPolicy::Optional);
        async move { self.file.get_metadata(Some(&options)).await }.boxed()
    }
}
