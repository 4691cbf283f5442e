//! The memory of one query, and the runtime environment around it.
//!
//! Each query has a pool of its own, so a greedy one fails alone. Counted is what operators hold on to
//! (hash tables, sorts, values of exact percentiles), not the few batches on their way between them. There
//! is no spilling to disk: a query past its memory is stopped and told so.
//!
//! Parquet footers and page indexes are kept in one cache for all queries, of at most [`FOOTER_CACHE_BYTES`]:
//! segments never change, so an entry is never stale. For the same reason decoded columns of small parts of segments are
//! kept, of at most [`crate::kept::KEPT_BYTES`].

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::object_store::ObjectStore;
use datafusion::object_store::local::LocalFileSystem;
use url::Url;

/// Most memory of cached Parquet footers and page indexes, in bytes.
pub(crate) const FOOTER_CACHE_BYTES: usize = 64 * 1024 * 1024;
/// The scheme and host under which segments are read; no SQL can name it.
pub(crate) const SEGMENTS_URL: &str = "manometer-segments://local/";

/// Operators named in the error of a query past its memory.
const OPERATORS_NAMED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// The environment all queries share; each gets its own memory pool by [`for_query`].
pub(crate) fn shared() -> Result<RuntimeEnv, DataFusionError> {
    let caches = CacheManagerConfig::default()
        .with_metadata_cache_limit(FOOTER_CACHE_BYTES)
        .with_list_files_cache_limit(0)
        .with_file_statistics_cache_limit(0);
    RuntimeEnvBuilder::new()
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .with_object_store_registry(Arc::new(SegmentsOnly { store: Arc::new(LocalFileSystem::new()) }))
        .with_cache_manager(caches)
        .build()
}

/// The same with a memory pool of this many bytes.
pub(crate) fn for_query(shared: &RuntimeEnv, bytes: usize) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let pool = TrackConsumersPool::new(GreedyMemoryPool::new(bytes), OPERATORS_NAMED);
    RuntimeEnvBuilder::from_runtime_env(shared).with_memory_pool(Arc::new(pool)).build_arc()
}

/// A registry that knows one store, and refuses every address but that of segments.
#[derive(Debug)]
struct SegmentsOnly {
    store: Arc<dyn ObjectStore>,
}

impl ObjectStoreRegistry for SegmentsOnly {
    fn register_store(&self, _url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        Some(store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        if SEGMENTS_URL.starts_with(url.as_str()) && url.scheme() == "manometer-segments" {
            return Ok(Arc::clone(&self.store));
        }
        Err(DataFusionError::Plan(format!("no file or address is reachable from a query ({url})")))
    }
}
