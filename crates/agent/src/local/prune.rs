//! Removing days that nobody needs any more.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;

use manometer_model::Timestamp;

use super::append::{LOCK_PATIENCE, lock_within};
use super::reading::DayFiles;
use super::{LocalError, LocalStore};

/// A file of one day that was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedDay {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
}

impl LocalStore {
    /// The files of whole days (UTC) before the day of `before`, oldest first. Those of other programs are not among
    /// them.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn days_before(&self, before: Timestamp) -> Result<Vec<PrunedDay>, LocalError> {
        let folder = self.folder().to_path_buf();
        DayFiles::list(std::iter::once(&folder))?
            .before(before)
            .map(|path| {
                let size_bytes =
                    fs::metadata(path).map_err(|cause| LocalError::new("read", path, cause))?.len();
                Ok(PrunedDay { path: path.clone(), size_bytes })
            })
            .collect()
    }

    /// Removes the files that [`days_before`](Self::days_before) lists. A writer that waits for one of them begins a
    /// new file, so no record goes with it.
    ///
    /// # Errors
    /// When a file cannot be removed; those before it are gone then.
    pub fn prune(&self, before: Timestamp) -> Result<Vec<PrunedDay>, LocalError> {
        let days = self.days_before(before)?;
        for day in &days {
            let failed = |cause| LocalError::new("remove", &day.path, cause);
            let file = OpenOptions::new().append(true).open(&day.path).map_err(failed)?;
            if !lock_within(&file, LOCK_PATIENCE) {
                return Err(failed(io::Error::other("another process is writing to it")));
            }
            fs::remove_file(&day.path).map_err(failed)?;
        }
        Ok(days)
    }
}
