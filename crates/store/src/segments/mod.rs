//! Writing segments: sorted rows become Parquet files that are on disk before anything refers to them; and reading them
//! again, to merge, roll up or shorten them.

mod draft;
mod file;
mod joined;
mod order;
mod rows;
mod sort;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use crate::error::StoreError;
use crate::filesystem::Filesystem;
use crate::folders::Folders;
use crate::garbage::Garbage;

pub(crate) use draft::{SegmentDraft, place_durable};
pub(crate) use file::{SegmentFile, io_error};
pub(crate) use rows::{MOST_BATCH_ROWS, SegmentRows, as_table, open_reader};
pub(crate) use sort::{keys_of, row_converter, write_sorted};

/// Where segments are written and how they are numbered.
#[derive(Debug)]
pub(crate) struct SegmentSpace {
    pub(crate) folders: Folders,
    pub(crate) filesystem: Arc<dyn Filesystem>,
    pub(crate) garbage: Arc<Garbage>,
    /// Held by the one delivery that is sorting rows too many for memory.
    pub(crate) spilling: Mutex<()>,
    next_id: AtomicI64,
    /// Folders whose names this process has synced. That a folder is there does not mean that it is on the
    /// disk: the attempt that made it may have failed before the sync.
    durable_folders: Mutex<HashSet<PathBuf>>,
}

impl SegmentSpace {
    pub(crate) fn new(
        folders: Folders,
        filesystem: Arc<dyn Filesystem>,
        garbage: Arc<Garbage>,
        greatest_id: i64,
    ) -> Self {
        Self {
            folders,
            filesystem,
            garbage,
            spilling: Mutex::new(()),
            next_id: AtomicI64::new(greatest_id + 1),
            durable_folders: Mutex::default(),
        }
    }

    /// Makes a folder below `segments/` and returns when its name, and those of the folders above it, are on disk.
    fn make_folder_durable(&self, folder: &Path) -> Result<(), StoreError> {
        let segments = self.folders.segments();
        let mut levels: Vec<&Path> =
            folder.ancestors().take_while(|level| level.starts_with(&segments)).collect();
        levels.reverse();
        for level in levels {
            if self.durable_folders.lock().contains(level) {
                continue;
            }
            self.filesystem.create_folder(level).map_err(|error| io_error(level, error))?;
            if let Some(parent) = level.parent() {
                self.filesystem.sync_folder_durable(parent).map_err(|error| io_error(parent, error))?;
            }
            self.durable_folders.lock().insert(level.to_owned());
        }
        Ok(())
    }

    /// The number the next segment will have.
    pub(crate) fn next_number(&self) -> i64 {
        self.next_id.load(Ordering::Relaxed)
    }

    /// A number no segment has or will have, unless it is given this one.
    pub(crate) fn number(&self) -> i64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn tmp_file(&self, id: i64) -> PathBuf {
        self.folders.tmp().join(format!("{id:012}.parquet"))
    }
}
