//! A segment file that nothing refers to yet.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use manometer_model::Table;

use crate::catalog::segments::SegmentEntry;
use crate::error::StoreError;
use crate::segments::{SegmentSpace, io_error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Complete and synced in `tmp/`.
    Written,
    /// Complete and synced under its final name.
    Placed,
    /// Somebody else answers for the file now.
    HandedOver,
}

/// A complete segment file on its way into the catalog. Dropped before it is listed, its file goes.
#[derive(Debug)]
pub(crate) struct SegmentDraft {
    pub(crate) entry: SegmentEntry,
    pub(crate) table: &'static Table,
    space: Arc<SegmentSpace>,
    stage: Stage,
}

impl SegmentDraft {
    pub(super) fn written(entry: SegmentEntry, table: &'static Table, space: Arc<SegmentSpace>) -> Self {
        Self { entry, table, space, stage: Stage::Written }
    }

    fn path(&self) -> PathBuf {
        match self.stage {
            Stage::Written => self.space.tmp_file(self.entry.id),
            Stage::Placed | Stage::HandedOver => self.space.folders.file(&self.entry.file),
        }
    }

    /// The transaction that lists it is durable: the file stays.
    pub(crate) fn hand_over(mut self) {
        self.stage = Stage::HandedOver;
    }

    /// The transaction that lists it failed at its `COMMIT`: the file stays until that is settled.
    pub(crate) fn doubtful(mut self) {
        self.stage = Stage::HandedOver;
        self.space.garbage.add_doubtful(self.entry.file.clone());
    }
}

impl Drop for SegmentDraft {
    fn drop(&mut self) {
        if self.stage == Stage::HandedOver {
            return;
        }
        let path = self.path();
        if let Err(error) = self.space.filesystem.remove_file(&path) {
            // The next start removes what is not listed.
            tracing::warn!(path = %path.display(), %error, "a segment file that is not needed stays for now");
        }
    }
}

/// Gives written segments their final names and returns when those are on disk.
pub(crate) fn place_durable(drafts: &mut [SegmentDraft]) -> Result<(), StoreError> {
    let mut folders = BTreeSet::new();
    for draft in drafts.iter_mut() {
        let space = Arc::clone(&draft.space);
        let target = space.folders.file(&draft.entry.file);
        if let Some(folder) = target.parent() {
            space.make_folder_durable(folder)?;
            folders.insert(folder.to_owned());
        }
        space.filesystem.rename(&draft.path(), &target).map_err(|error| io_error(&target, error))?;
        draft.stage = Stage::Placed;
    }
    if let Some(first) = drafts.first() {
        for folder in &folders {
            first.space.filesystem.sync_folder_durable(folder).map_err(|error| io_error(folder, error))?;
        }
    }
    Ok(())
}
