//! How large a file or folder is.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{ArtifactKind, archive};

/// Kind and size of what lies at a path.
pub(super) fn of(path: &Path) -> io::Result<(ArtifactKind, u64)> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok((ArtifactKind::Folder, of_folder(path)?));
    }
    match archive::image_bytes(path) {
        Some(size_bytes) => Ok((ArtifactKind::Image, size_bytes)),
        None => Ok((ArtifactKind::File, metadata.len())),
    }
}

/// The content of all files inside. Links are not followed, and a file that has several names counts once.
fn of_folder(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    let mut pending: Vec<PathBuf> = vec![folder.to_owned()];
    let mut counted = std::collections::HashSet::new();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            // What vanishes while it is counted is not there any more.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                pending.push(entry.path());
            } else if metadata.nlink() < 2 || counted.insert((metadata.dev(), metadata.ino())) {
                total += metadata.len();
            }
        }
    }
    Ok(total)
}
