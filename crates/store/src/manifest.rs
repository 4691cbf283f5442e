//! The manifest of a backup: which files belong to it, and what each must be.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::error::StoreError;
use crate::filesystem::Filesystem;
use crate::segments::io_error;

/// Written last: a folder without it is not a backup.
pub(crate) const MANIFEST: &str = "manifest.json";

pub(crate) const MANIFEST_VERSION: u32 = 1;

const COPY_BYTES: usize = 1 << 20;

/// The list of a backup's files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) manifest_version: u32,
    pub(crate) layout_version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) files: Vec<ManifestFile>,
}

/// One file of a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManifestFile {
    /// Path below the backup's folder, with `/`.
    pub(crate) file: String,
    pub(crate) size_bytes: u64,
    /// xxh3-64, 16 hexadecimal digits.
    pub(crate) checksum: String,
}

impl ManifestFile {
    pub(crate) fn new(file: String, size_bytes: u64, checksum: u64) -> Self {
        Self { file, size_bytes, checksum: format!("{checksum:016x}") }
    }

    /// Does its name stay inside the folder?
    pub(crate) fn is_inside(&self) -> bool {
        Path::new(&self.file).components().all(|part| matches!(part, Component::Normal(_)))
    }
}

/// Reads the manifest of a backup.
pub(crate) fn read(backup: &Path) -> Result<Manifest, StoreError> {
    let path = backup.join(MANIFEST);
    let bad = |what: String| StoreError::BadBackup { path: path.clone(), what };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        bad(format!("the manifest cannot be read, so the backup did not finish: {error}"))
    })?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| bad(format!("the manifest is damaged: {error}")))?;
    if manifest.manifest_version > MANIFEST_VERSION {
        return Err(bad(format!(
            "it has version {}, this program knows up to {MANIFEST_VERSION}: use the newer program",
            manifest.manifest_version
        )));
    }
    match manifest.files.iter().find(|file| !file.is_inside()) {
        Some(outside) => Err(bad(format!("`{}` leads out of the folder", outside.file))),
        None => Ok(manifest),
    }
}

/// Writes the manifest and returns when it is on disk under its name.
pub(crate) fn write_durable(
    filesystem: &dyn Filesystem,
    destination: &Path,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let unfinished = destination.join("manifest.json.tmp");
    let path = destination.join(MANIFEST);
    let text = serde_json::to_string_pretty(manifest).map_err(|error| io_error(&path, error.into()))?;
    let mut file = filesystem.create_new(&unfinished).map_err(|error| io_error(&unfinished, error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .and_then(|()| file.sync_durable())
        .map_err(|error| io_error(&unfinished, error))?;
    filesystem.rename(&unfinished, &path).map_err(|error| io_error(&path, error))?;
    filesystem.sync_folder_durable(destination).map_err(|error| io_error(destination, error))
}

/// Size and checksum of a file, read through.
pub(crate) fn fingerprint(mut file: File) -> io::Result<(u64, u64)> {
    pass(&mut file, |_| Ok(()))
}

/// Copies a file and returns its size and checksum when the copy is on disk. Its folder is not synced.
pub(crate) fn copy_durable(
    filesystem: &dyn Filesystem,
    from: &Path,
    to: &Path,
) -> Result<(u64, u64), StoreError> {
    let mut source = filesystem.open_for_reading(from).map_err(|error| io_error(from, error))?;
    let mut target = filesystem.create_new(to).map_err(|error| io_error(to, error))?;
    let copied = pass(&mut source, |bytes| target.write_all(bytes)).map_err(|error| io_error(to, error))?;
    target.flush().and_then(|()| target.sync_durable()).map_err(|error| io_error(to, error))?;
    Ok(copied)
}

fn pass(source: &mut File, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(u64, u64)> {
    let mut hasher = Xxh3Default::new();
    let mut size_bytes = 0;
    let mut buffer = vec![0_u8; COPY_BYTES];
    loop {
        let count = source.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok((size_bytes, hasher.digest()));
        };
        hasher.update(bytes);
        size_bytes += bytes.len() as u64;
        each(bytes)?;
    }
}

/// Refuses a folder that has something in it; one that does not exist is fine.
pub(crate) fn refuse_occupied(filesystem: &dyn Filesystem, folder: &Path) -> Result<(), StoreError> {
    if !folder.exists() {
        return Ok(());
    }
    let found: Vec<PathBuf> = filesystem
        .list(folder)
        .map_err(|error| io_error(folder, error))?
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    if found.is_empty() { Ok(()) } else { Err(StoreError::DestinationNotEmpty { path: folder.to_owned() }) }
}
