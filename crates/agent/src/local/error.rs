//! Why the local store could not be written or read.

use std::io;
use std::path::PathBuf;

/// An operation on the local store that failed as a whole; what is on disk is as it was before.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation} {}: {cause}{}", .path.display(), hint(.cause))]
pub struct LocalError {
    /// What was tried: `write`, `read`, …
    pub operation: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub cause: io::Error,
}

impl LocalError {
    pub(super) fn new(operation: &'static str, path: impl Into<PathBuf>, cause: io::Error) -> Self {
        Self { operation, path: path.into(), cause }
    }
}

fn hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; name a folder that may be written with MANOMETER_PATH"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; nothing was stored: make room, or name another folder with MANOMETER_PATH"
        }
        _ => "",
    }
}
