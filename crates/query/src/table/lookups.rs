//! Skips row groups that cannot hold what is looked up: of a test's identity, most of them.
//!
//! Rows lie in the order of names and an identity is a hash of them, so no range rules it out. Segments have a Bloom
//! filter of it for each row group. DataFusion would read them at every query, one by one, from every file; here they
//! are kept, and files in which nothing can be found are not opened at all. They lie in the cache of footers and share
//! its bound: some kilobytes a row group.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::HashMap;
use datafusion::error::Result;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadata};
use datafusion::object_store::path::Path as StorePath;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::PageIndexPolicy;

use super::footers::LookedInto;
use super::pruning::Lookup;

/// The Bloom filters of one column of one file.
struct Filters {
    /// One a row group; `None` where there is none, so that anything may be in it.
    row_groups: Vec<Option<Sbbf>>,
}

impl FileMetadata for Filters {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn memory_size(&self) -> usize {
        let blocks: usize = self.row_groups.iter().flatten().map(|filter| filter.num_blocks() * 32).sum();
        blocks + self.row_groups.len() * size_of::<Option<Sbbf>>() + size_of::<Self>()
    }

    fn extra_info(&self) -> HashMap<String, String> {
        HashMap::new()
    }
}

/// Says for each row group of a file whether it may hold a row that all `lookups` find; `None` where nothing is known.
pub(super) async fn may_hold(file: LookedInto<'_>, lookups: &[Lookup]) -> Option<Vec<bool>> {
    let mut verdicts: Option<Vec<bool>> = None;
    for lookup in lookups {
        match filters(file, &lookup.column).await {
            Ok(filters) => {
                let found = filters.row_groups.iter().map(|filter| may_find(filter.as_ref(), &lookup.texts));
                verdicts = Some(match verdicts {
                    Some(before) => {
                        before.into_iter().zip(found).map(|(left, right)| left && right).collect()
                    }
                    None => found.collect(),
                });
            }
            // Whoever reads the file says what is wrong with it.
            Err(error) => tracing::debug!(file = %file.file.location, %error, "no filters to look up with"),
        }
    }
    verdicts
}

fn may_find(filter: Option<&Sbbf>, texts: &[String]) -> bool {
    filter.is_none_or(|filter| texts.iter().any(|text| filter.check(text.as_str())))
}

async fn filters(looked: LookedInto<'_>, column: &str) -> Result<Arc<Filters>> {
    let LookedInto { footers, file, .. } = looked;
    let key = StorePath::from(format!("{}/{column}", file.location));
    if let Some(cached) = footers.get(&key)
        && cached.is_valid_for(file)
        && let Ok(filters) = Arc::downcast::<Filters>(cached.file_metadata)
    {
        return Ok(filters);
    }
    let read = Arc::new(read(looked, column).await?);
    let entry: Arc<dyn FileMetadata> = Arc::clone(&read) as Arc<dyn FileMetadata>;
    footers.put(&key, CachedFileMetadataEntry::new(file.clone(), entry));
    Ok(read)
}

/// In a file of ours the filters lie side by side, so this is one read beside that of the footer.
async fn read(looked: LookedInto<'_>, column: &str) -> Result<Filters> {
    let LookedInto { store, file, .. } = looked;
    let footer = looked.footer(PageIndexPolicy::Skip).await?;
    let mut row_groups: Vec<Option<Sbbf>> = Vec::new();
    row_groups.resize_with(footer.num_row_groups(), || None);
    let columns = footer.file_metadata().schema_descr().columns();
    let Some(position) = columns.iter().position(|candidate| candidate.path().string() == column) else {
        return Ok(Filters { row_groups });
    };
    let (numbers, ranges): (Vec<usize>, Vec<_>) = footer
        .row_groups()
        .iter()
        .enumerate()
        .filter_map(|(number, group)| {
            let chunk = group.columns().get(position)?;
            let start = u64::try_from(chunk.bloom_filter_offset()?).ok()?;
            let length = u64::try_from(chunk.bloom_filter_length()?).ok()?;
            let end = start.checked_add(length).filter(|end| *end <= file.size)?;
            Some((number, start..end))
        })
        .unzip();
    let found = store.get_ranges(&file.location, &ranges).await?;
    for (number, bytes) in numbers.into_iter().zip(found) {
        let filter = Sbbf::from_bytes(&bytes)?;
        if let Some(place) = row_groups.get_mut(number) {
            *place = Some(filter).filter(|filter| filter.num_blocks() > 0);
        }
    }
    Ok(Filters { row_groups })
}
