//! From a backup to a data folder.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use crate::catalog::LAYOUT_VERSION;
use crate::error::StoreError;
use crate::filesystem::{Filesystem, LocalFilesystem};
use crate::folders::Folders;
use crate::manifest::{self, copy_durable, refuse_occupied};
use crate::report::RestoreReport;
use crate::segments::io_error;

/// Makes a data folder from a backup, in an empty or new folder. While it runs, and after it failed, the
/// folder refuses to be opened.
///
/// # Errors
/// When the backup is incomplete or changed, or the folder is not empty.
pub fn restore(backup: &Path, destination: &Path) -> Result<RestoreReport, StoreError> {
    restore_with(&LocalFilesystem, backup, destination)
}

fn restore_with(
    filesystem: &dyn Filesystem,
    backup: &Path,
    destination: &Path,
) -> Result<RestoreReport, StoreError> {
    let manifest = manifest::read(backup)?;
    if manifest.layout_version > LAYOUT_VERSION {
        return Err(StoreError::BadBackup {
            path: backup.to_owned(),
            what: format!(
                "it was made by a newer program (layout {}, this program knows up to {LAYOUT_VERSION})",
                manifest.layout_version
            ),
        });
    }
    refuse_occupied(filesystem, destination)?;
    filesystem.create_folders_durable(destination).map_err(|error| io_error(destination, error))?;
    let sign = Folders::new(destination).restoring();
    let mut file = filesystem.create_new(&sign).map_err(|error| io_error(&sign, error))?;
    file.write_all(b"a restore into this folder did not finish\n")
        .and_then(|()| file.sync_durable())
        .map_err(|error| io_error(&sign, error))?;
    filesystem.sync_folder_durable(destination).map_err(|error| io_error(destination, error))?;

    let mut report = RestoreReport { destination: destination.to_owned(), ..RestoreReport::default() };
    let mut folders = BTreeSet::from([destination.to_owned()]);
    for listed in &manifest.files {
        let target = destination.join(&listed.file);
        if let Some(folder) = target.parent() {
            filesystem.create_folders_durable(folder).map_err(|error| io_error(folder, error))?;
            folders.insert(folder.to_owned());
        }
        let from = backup.join(&listed.file);
        let (size_bytes, checksum) = copy_durable(filesystem, &from, &target)?;
        if size_bytes != listed.size_bytes || format!("{checksum:016x}") != listed.checksum {
            return Err(StoreError::BadBackup {
                path: from,
                what: "it does not match the manifest".to_owned(),
            });
        }
        report.files += 1;
        report.size_bytes += size_bytes;
    }
    for folder in &folders {
        filesystem.sync_folder_durable(folder).map_err(|error| io_error(folder, error))?;
    }
    filesystem.remove_file(&sign).map_err(|error| io_error(&sign, error))?;
    filesystem.sync_folder_durable(destination).map_err(|error| io_error(destination, error))?;
    Ok(report)
}
