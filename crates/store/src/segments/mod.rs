//! Writing segments: sorted rows become Parquet files that are on disk before anything refers to them.

mod draft;
mod file;
mod sort;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::filesystem::Filesystem;
use crate::folders::Folders;
use crate::garbage::Garbage;

pub(crate) use draft::{SegmentDraft, place_durable};
pub(crate) use file::{SegmentFile, io_error};
pub(crate) use sort::{keys_of, row_converter, write_sorted};

/// Where segments are written and how they are numbered.
#[derive(Debug)]
pub(crate) struct SegmentSpace {
    pub(crate) folders: Folders,
    pub(crate) filesystem: Arc<dyn Filesystem>,
    pub(crate) garbage: Arc<Garbage>,
    next_id: AtomicI64,
}

impl SegmentSpace {
    pub(crate) fn new(
        folders: Folders,
        filesystem: Arc<dyn Filesystem>,
        garbage: Arc<Garbage>,
        greatest_id: i64,
    ) -> Self {
        Self { folders, filesystem, garbage, next_id: AtomicI64::new(greatest_id + 1) }
    }

    fn number(&self) -> i64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn tmp_file(&self, id: i64) -> PathBuf {
        self.folders.tmp().join(format!("{id:012}.parquet"))
    }
}
