//! The few file operations the store's promises rest on, behind a trait so that tests can make each fail.
//!
//! Reading segments goes through the operating system directly; everything that must survive a power cut
//! is written through here: create, write, sync the file, rename, sync the folder.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file being written. Its bytes are safe only after [`DurableFile::sync_durable`].
pub trait DurableFile: Write + Send + Debug {
    /// Returns when every byte written so far is on the disk.
    ///
    /// # Errors
    /// When the system could not; the file must then be given up, never synced again.
    fn sync_durable(&mut self) -> io::Result<()>;
}

/// One thing found in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its whole path.
    pub path: PathBuf,
    /// Is it a folder?
    pub is_folder: bool,
}

/// File operations with their durability spelled out.
pub trait Filesystem: Send + Sync + Debug {
    /// Makes a new file; fails when it exists.
    ///
    /// # Errors
    /// What the system says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DurableFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the system says.
    fn open_for_reading(&self, path: &Path) -> io::Result<File>;

    /// Gives a file another name, replacing what had it. Safe only after [`Filesystem::sync_folder_durable`].
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name.
    ///
    /// # Errors
    /// What the system says; notably when the two names lie on different file systems.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder; fine when it exists. Its parent must exist.
    ///
    /// # Errors
    /// What the system says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a folder are on the disk.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder_durable(&self, path: &Path) -> io::Result<()>;

    /// What lies in a folder, in no order.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, path: &Path) -> io::Result<Vec<FolderEntry>>;

    /// Makes a folder and those above it, and returns when all of their names are on the disk.
    ///
    /// # Errors
    /// What the system says.
    fn create_folders_durable(&self, path: &Path) -> io::Result<()> {
        let mut missing = Vec::new();
        let mut current = path;
        while !current.as_os_str().is_empty() && !current.is_dir() {
            missing.push(current);
            match current.parent() {
                Some(parent) => current = parent,
                None => break,
            }
        }
        for folder in missing.into_iter().rev() {
            self.create_folder(folder)?;
            if let Some(parent) = folder.parent() {
                self.sync_folder_durable(if parent.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    parent
                })?;
            }
        }
        Ok(())
    }
}

/// The machine's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFilesystem;

#[derive(Debug)]
struct LocalFile(File);

impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DurableFile for LocalFile {
    fn sync_durable(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl Filesystem for LocalFilesystem {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(LocalFile(file)))
    }

    fn open_for_reading(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        }
    }

    fn sync_folder_durable(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<FolderEntry>> {
        fs::read_dir(path)?
            .map(|entry| {
                let found = entry?;
                Ok(FolderEntry { path: found.path(), is_folder: found.file_type()?.is_dir() })
            })
            .collect()
    }
}
