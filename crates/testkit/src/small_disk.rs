//! A real file system of a few megabytes, to be filled.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A tmpfs of a fixed size, mounted in a temporary folder; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one.
    ///
    /// # Errors
    /// When mounting is not allowed; the message says what is missing, so that a test may be skipped with it.
    pub fn mount(size_bytes: u64) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size_bytes},mode=0700"), "tmpfs"])
            .arg(folder.path())
            .output()?;
        if !mounted.status.success() {
            let reason = String::from_utf8_lossy(&mounted.stderr);
            return Err(io::Error::other(format!("mounting a tmpfs needs root: {}", reason.trim())));
        }
        Ok(Self { folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes space away with a file of that size; removing the file gives it back.
    ///
    /// # Errors
    /// When there is not that much space.
    pub fn fill(&self, size_bytes: usize) -> io::Result<PathBuf> {
        let path = self.path().join("ballast");
        std::fs::write(&path, vec![0x5a; size_bytes])?;
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is still ending may hold a file; the mount goes with it.
        drop(Command::new("umount").arg("--lazy").arg(self.folder.path()).status());
    }
}
