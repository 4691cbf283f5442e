//! Removing files nobody needs: merged-away segments, and what a crash left.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::catalog::{Doing, pins, segments};
use crate::error::StoreError;
use crate::filesystem::Filesystem;
use crate::inner::Inner;
use crate::memory::Change;
use crate::segments::io_error;

/// Removes the files that may go now; those still read elsewhere stay for a later round.
pub(crate) fn remove_garbage(inner: &Inner) -> Result<(), StoreError> {
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let unlisted = inner.garbage.take_unlisted();
    let (_, kept) = remove_files(inner, unlisted);
    inner.garbage.put_back_unlisted(kept);

    let unread = inner.garbage.take_unread();
    if unread.is_empty() {
        return Ok(());
    }
    let now = inner.options.clock.now().as_micros();
    match inner.reader.with(|connection| pins::any_live(connection, now)) {
        Ok(false) => {}
        Ok(true) => {
            inner.garbage.put_back_unread(unread);
            return Ok(());
        }
        Err(source) => {
            inner.garbage.put_back_unread(unread);
            return Err(StoreError::Sqlite { doing: "look for readers of merged segments", source });
        }
    }
    let (removed, kept) = remove_files(inner, unread);
    inner.garbage.put_back_unread(kept);
    let forgotten = inner.commit_durable(|connection| {
        segments::forget_garbage(connection, &removed)?;
        pins::remove_expired(connection, now)?;
        Ok(((), Change::default()))
    });
    drop(turn);
    forgotten.map_err(|error| error.into_store_error(inner))
}

fn remove_files(inner: &Inner, files: Vec<String>) -> (Vec<String>, Vec<String>) {
    files.into_iter().partition(|file| {
        let path = inner.space.folders.file(file);
        match inner.space.filesystem.remove_file(&path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a file that is not needed any more stays for now");
                false
            }
        }
    })
}

/// At a start: empties `tmp/` and removes segment files the catalog does not know. Files merged away before
/// stay while a reader in another process has a pin.
pub(crate) fn sweep(
    filesystem: &dyn Filesystem,
    folders: &crate::folders::Folders,
    connection: &Connection,
    listed: &HashSet<String>,
    now: i64,
) -> Result<Vec<String>, StoreError> {
    for entry in filesystem.list(&folders.tmp()).map_err(|error| io_error(&folders.tmp(), error))? {
        if !entry.is_folder {
            remove(filesystem, &entry.path)?;
        }
    }
    let marked = segments::garbage(connection).doing("read the catalog")?;
    let waiting: HashSet<&String> = marked.iter().collect();
    for path in files_below(filesystem, &folders.segments())? {
        let Ok(relative) = path.strip_prefix(&folders.data) else { continue };
        let name = relative.to_string_lossy().replace('\\', "/");
        if !listed.contains(&name) && !waiting.contains(&name) {
            tracing::info!(file = name, "removing a segment that was never listed");
            remove(filesystem, &path)?;
        }
    }
    if pins::any_live(connection, now).doing("look for readers of merged segments")? {
        return Ok(marked);
    }
    for file in &marked {
        remove(filesystem, &folders.file(file))?;
    }
    segments::forget_garbage(connection, &marked).doing("forget removed segments")?;
    pins::remove_expired(connection, now).doing("remove old pins")?;
    Ok(Vec::new())
}

/// Every file below a folder.
pub(crate) fn files_below(
    filesystem: &dyn Filesystem,
    folder: &Path,
) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in filesystem.list(&current).map_err(|error| io_error(&current, error))? {
            if entry.is_folder {
                folders.push(entry.path);
            } else {
                files.push(entry.path);
            }
        }
    }
    Ok(files)
}

fn remove(filesystem: &dyn Filesystem, path: &Path) -> Result<(), StoreError> {
    match filesystem.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, error)),
        _ => Ok(()),
    }
}
