//! Backup while serving, from this process or another.
//!
//! A pin first, so that no segment goes; then the catalog is copied as of one moment, and the segments that
//! *the copy* lists are linked or copied. The manifest comes last and makes the folder a backup.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::catalog::segments::SegmentEntry;
use crate::catalog::{Doing, LAYOUT_VERSION, segments};
use crate::error::StoreError;
use crate::filesystem::Filesystem;
use crate::manifest::{
    self, MANIFEST_VERSION, Manifest, ManifestFile, copy_durable, fingerprint, refuse_occupied,
};
use crate::options::StoreOptions;
use crate::pin::Pin;
use crate::read_only::begin_reading;
use crate::report::BackupReport;
use crate::segments::io_error;

/// Copies a consistent state of a data folder into an empty or new folder.
pub(crate) fn backup_to(options: &StoreOptions, destination: &Path) -> Result<BackupReport, StoreError> {
    let filesystem = options.filesystem.as_ref();
    refuse_occupied(filesystem, destination)?;
    filesystem.create_folders_durable(destination).map_err(|error| io_error(destination, error))?;
    let pin = Pin::place(&options.data, &options.clock, "backup")?;
    let written = write_backup(options, destination);
    drop(pin);
    if written.is_err() {
        clear(destination);
    }
    written
}

fn write_backup(options: &StoreOptions, destination: &Path) -> Result<BackupReport, StoreError> {
    let filesystem = options.filesystem.as_ref();
    let created_at = options.clock.now();
    let mut report = BackupReport { destination: destination.to_owned(), ..BackupReport::default() };
    let listed = copy_catalog(&options.data, destination)?;
    let mut files = vec![catalog_file(filesystem, destination)?];
    let mut folders = BTreeSet::new();
    for entry in &listed {
        let target = destination.join(&entry.file);
        if let Some(folder) = target.parent() {
            filesystem.create_folders_durable(folder).map_err(|error| io_error(folder, error))?;
            folders.insert(folder.to_owned());
        }
        let linked = take_over(filesystem, &options.data.join(&entry.file), &target, entry)?;
        report.linked += u64::from(linked);
        files.push(ManifestFile::new(entry.file.clone(), entry.size_bytes, entry.checksum));
    }
    for folder in &folders {
        filesystem.sync_folder_durable(folder).map_err(|error| io_error(folder, error))?;
    }
    filesystem.sync_folder_durable(destination).map_err(|error| io_error(destination, error))?;
    report.files = files.len() as u64;
    report.size_bytes = files.iter().map(|file| file.size_bytes).sum();
    let manifest =
        Manifest { manifest_version: MANIFEST_VERSION, layout_version: LAYOUT_VERSION, created_at, files };
    manifest::write_durable(filesystem, destination, &manifest)?;
    sync_name_durable(filesystem, destination)?;
    Ok(report)
}

/// The folder may have been made by an attempt that failed before its name was synced.
fn sync_name_durable(filesystem: &dyn Filesystem, folder: &Path) -> Result<(), StoreError> {
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => filesystem.sync_folder_durable(parent).map_err(|error| io_error(parent, error)),
        None => Ok(()),
    }
}

/// Copies the catalog as of one moment and returns the segments the copy lists. The copy is one file, and
/// knows of no readers and no files to be removed.
fn copy_catalog(data: &Path, destination: &Path) -> Result<Vec<SegmentEntry>, StoreError> {
    const DOING: &str = "copy the catalog";
    let source = begin_reading(data)?;
    let mut copy = Connection::open(destination.join("meta.db")).doing(DOING)?;
    copy.pragma_update(None, "synchronous", "FULL").doing(DOING)?;
    let all = Backup::new(&source, &mut copy).doing(DOING)?;
    // All pages in one step, inside one read transaction: commits go on beside it and cannot make it begin anew.
    let step = all.step(-1).doing(DOING)?;
    drop(all);
    if step != StepResult::Done {
        return Err(StoreError::Sqlite { doing: DOING, source: rusqlite::Error::StatementChangedRows(0) });
    }
    let mode: String = copy.query_row("PRAGMA journal_mode=DELETE", [], |row| row.get(0)).doing(DOING)?;
    if mode != "delete" {
        return Err(StoreError::Corrupt { what: format!("the copied catalog stays in journal mode {mode}") });
    }
    copy.execute_batch("BEGIN; DELETE FROM pin; DELETE FROM garbage; COMMIT").doing(DOING)?;
    let listed = segments::all(&copy).doing(DOING)?;
    copy.close().map_err(|(_, source)| StoreError::Sqlite { doing: DOING, source })?;
    Ok(listed)
}

fn catalog_file(filesystem: &dyn Filesystem, destination: &Path) -> Result<ManifestFile, StoreError> {
    let path = destination.join("meta.db");
    let file = filesystem.open_for_reading(&path).map_err(|error| io_error(&path, error))?;
    let (size_bytes, checksum) = fingerprint(file).map_err(|error| io_error(&path, error))?;
    Ok(ManifestFile::new("meta.db".to_owned(), size_bytes, checksum))
}

/// Links a segment into the backup, or copies and verifies it where links are not possible. True when linked.
fn take_over(
    filesystem: &dyn Filesystem,
    from: &Path,
    to: &Path,
    entry: &SegmentEntry,
) -> Result<bool, StoreError> {
    if filesystem.hard_link(from, to).is_ok() {
        return Ok(true);
    }
    let (size_bytes, checksum) = copy_durable(filesystem, from, to)?;
    if (size_bytes, checksum) != (entry.size_bytes, entry.checksum) {
        return Err(StoreError::Corrupt {
            what: format!("segment {} does not match its checksum", entry.file),
        });
    }
    Ok(false)
}

/// Removes what a failed backup wrote; the folder was empty before.
fn clear(destination: &Path) {
    let folder = destination.join("segments");
    let mut failed = if folder.exists() { std::fs::remove_dir_all(&folder).err() } else { None };
    for name in ["meta.db", "meta.db-journal", "manifest.json", "manifest.json.tmp"] {
        let path: PathBuf = destination.join(name);
        if path.exists() {
            failed = failed.or(std::fs::remove_file(&path).err());
        }
    }
    if let Some(error) = failed {
        tracing::warn!(path = %destination.display(), %error, "an unfinished backup could not be removed");
    }
}
