//! Where the local store of a project lies, and what can be done with it.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use manometer_model::{Problems, Timestamp};

use super::append::{LOCK_PATIENCE, append_line};
use super::error::LocalError;
use super::reading::{self, DayFiles};
use super::record::RunRecord;
use super::{FOLDER, PANTHER_FOLDER, RECORD_BYTES};

/// The runs measured on this machine for one project. Opening it touches nothing; the folder is made by the first
/// record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalStore {
    folder: PathBuf,
    read_only_folders: Vec<PathBuf>,
}

impl LocalStore {
    /// The store in exactly this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), read_only_folders: Vec::new() }
    }

    /// The store of a project: its folder [`FOLDER`], and for reading also [`PANTHER_FOLDER`].
    pub fn of_project(project: &Path) -> Self {
        Self { folder: project.join(FOLDER), read_only_folders: vec![project.join(PANTHER_FOLDER)] }
    }

    /// The store for work done in `current`: `explicit` where one is named (`MANOMETER_PATH`), else that of the git
    /// checkout around `current`, else that of `current` itself.
    pub fn locate(explicit: Option<&Path>, current: &Path) -> Self {
        match explicit {
            Some(folder) => Self::at(current.join(folder)),
            None => Self::of_project(checkout_around(current).unwrap_or(current)),
        }
    }

    /// The folder that is written to.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends one record to the file of its day; safe beside any number of other writers. Gives the file.
    ///
    /// The record survives the end of this process, however it ends; it is not forced to the disk.
    ///
    /// # Errors
    /// When the folder cannot be made or written, the disk is full, or the record is longer than [`RECORD_BYTES`].
    /// Records that were stored before are not touched by any of this.
    pub fn append(&self, record: &RunRecord) -> Result<PathBuf, LocalError> {
        let path = self.folder.join(reading::file_name(record.timestamp));
        let line = record.to_line();
        if line.len() > RECORD_BYTES {
            let cause = io::Error::other(format!(
                "the record has {} bytes, at most {RECORD_BYTES} are stored",
                line.len()
            ));
            return Err(LocalError::new("write", path, cause));
        }
        self.make_folder()?;
        append_line(&path, line.as_bytes(), LOCK_PATIENCE)
            .map_err(|cause| LocalError::new("write", &path, cause))?;
        Ok(path)
    }

    /// Visits records, newest first, until `visit` breaks off. Days outside of `since` and `until` are not opened;
    /// records outside are not visited. Gives what could not be read.
    ///
    /// # Errors
    /// When a folder or file cannot be read at all.
    pub fn read(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        visit: &mut dyn FnMut(RunRecord) -> ControlFlow<()>,
    ) -> Result<Problems, LocalError> {
        let mut problems = Problems::new();
        let days = DayFiles::list(std::iter::once(&self.folder).chain(&self.read_only_folders))?;
        for paths in days.newest_first(since, until) {
            let mut day = reading::Day::open(paths, since, until, &mut problems)?;
            while let Some(record) = day.next_record(&mut problems)? {
                if visit(record).is_break() {
                    return Ok(problems);
                }
            }
        }
        Ok(problems)
    }

    fn make_folder(&self) -> Result<(), LocalError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).map_err(|cause| LocalError::new("create", &self.folder, cause))?;
        // Measurements are no part of the sources: git is told so from inside the folder. A folder without this file
        // works just as well.
        fs::write(self.folder.join(".gitignore"), "*\n").ok();
        Ok(())
    }
}

/// The nearest folder with a `.git` (a folder, or a file in a worktree).
fn checkout_around(current: &Path) -> Option<&Path> {
    current.ancestors().find(|folder| folder.join(".git").exists())
}
