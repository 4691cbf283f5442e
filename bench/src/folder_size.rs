//! How much a folder holds.

use std::path::Path;

use anyhow::Context as _;

/// Bytes of all files below a folder; 0 when it is not there.
pub(crate) fn folder_bytes(folder: &Path) -> anyhow::Result<u64> {
    if !folder.exists() {
        return Ok(0);
    }
    let mut total = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { folder_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}
