//! A file system that fails when told to, and that forgets at a power cut what was not synced.
//!
//! Every operation, each `write` and each sync has a number. [`FaultyFilesystem::fail_call`] makes one of
//! them fail; [`FaultyFilesystem::die_at_call`] makes it and all later ones fail, as for a process that ended
//! there. [`FaultyFilesystem::cut_power`] then takes back what the disk was never made to keep: bytes written
//! after the last sync of a file, and names changed after the last sync of their folder.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use manometer_store::{DurableFile, Filesystem, FolderEntry, LocalFilesystem};

/// How a failing call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// ENOSPC.
    NoSpace,
    /// EIO.
    Broken,
    /// Half of a write happens, then EIO; other calls fail whole.
    ShortWrite,
}

impl Fault {
    fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::NoSpace => 28,
            Self::Broken | Self::ShortWrite => 5,
        })
    }
}

/// What becomes of bytes that were written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// They are gone.
    Dropped,
    /// The file has its full length, but the unsynced pages hold zeros.
    Torn,
}

#[derive(Debug)]
enum NameChange {
    Created(PathBuf),
    CreatedFolder(PathBuf),
    Renamed { from: PathBuf, to: PathBuf },
    Removed { path: PathBuf, kept: PathBuf },
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    fail: Option<(u64, Fault)>,
    die: Option<u64>,
    failed: bool,
    /// Length up to which each file was synced.
    synced: HashMap<PathBuf, u64>,
    /// Changes of names, by folder, not synced yet; oldest first.
    names: Vec<(PathBuf, NameChange)>,
    graves: u64,
}

#[derive(Debug, Clone)]
pub struct FaultyFilesystem {
    state: Arc<Mutex<State>>,
    graveyard: PathBuf,
}

impl FaultyFilesystem {
    /// `graveyard` is a folder on the same disk, outside of what is tested.
    pub fn new(graveyard: &Path) -> Self {
        fs::create_dir_all(graveyard).unwrap();
        Self { state: Arc::default(), graveyard: graveyard.to_owned() }
    }

    /// Begins to count anew, and makes call `number` (from 1) fail once.
    pub fn fail_call(&self, number: u64, fault: Fault) {
        let mut state = self.state.lock().unwrap();
        (state.calls, state.failed, state.fail) = (0, false, Some((number, fault)));
    }

    /// Begins to count anew, and ends the process, as far as files go, before call `number`.
    pub fn die_at_call(&self, number: u64) {
        let mut state = self.state.lock().unwrap();
        (state.calls, state.failed, state.die) = (0, false, Some(number));
    }

    /// Did the call that was to fail come?
    pub fn has_failed(&self) -> bool {
        self.state.lock().unwrap().failed
    }

    fn call(&self) -> Result<(), (io::Error, Fault)> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        if state.die.is_some_and(|number| state.calls >= number) {
            state.failed = true;
            return Err((Fault::Broken.error(), Fault::Broken));
        }
        match state.fail {
            Some((number, fault)) if state.calls == number => {
                state.failed = true;
                Err((fault.error(), fault))
            }
            _ => Ok(()),
        }
    }

    fn step(&self) -> io::Result<()> {
        self.call().map_err(|(error, _)| error)
    }

    fn note(&self, path: &Path, change: NameChange) {
        let folder = path.parent().unwrap().to_owned();
        self.state.lock().unwrap().names.push((folder, change));
    }

    /// Leaves on the disk only what it was made to keep.
    pub fn cut_power(&self, unsynced: Unsynced) {
        let mut state = self.state.lock().unwrap();
        for (path, length) in &state.synced {
            let Ok(file) = OpenOptions::new().write(true).open(path) else { continue };
            let full = file.metadata().unwrap().len();
            file.set_len(*length).unwrap();
            if unsynced == Unsynced::Torn {
                file.set_len(full).unwrap();
            }
        }
        for (_, change) in state.names.drain(..).rev() {
            match change {
                NameChange::Created(path) => drop(fs::remove_file(path)),
                NameChange::CreatedFolder(path) => drop(fs::remove_dir_all(path)),
                NameChange::Renamed { from, to } => drop(fs::rename(to, from)),
                NameChange::Removed { path, kept } => drop(fs::rename(kept, path)),
            }
        }
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: File,
    path: PathBuf,
    filesystem: FaultyFilesystem,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.filesystem.call() {
            Ok(()) => self.file.write(bytes),
            Err((error, Fault::ShortWrite)) => {
                self.file.write_all(&bytes[..bytes.len() / 2])?;
                Err(error)
            }
            Err((error, _)) => Err(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DurableFile for FaultyFile {
    fn sync_durable(&mut self) -> io::Result<()> {
        self.filesystem.step()?;
        let length = self.file.metadata()?.len();
        self.filesystem.state.lock().unwrap().synced.insert(self.path.clone(), length);
        Ok(())
    }
}

impl Filesystem for FaultyFilesystem {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        self.step()?;
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        self.state.lock().unwrap().synced.insert(path.to_owned(), 0);
        self.note(path, NameChange::Created(path.to_owned()));
        Ok(Box::new(FaultyFile { file, path: path.to_owned(), filesystem: self.clone() }))
    }

    fn open_for_reading(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        File::open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)?;
        let mut state = self.state.lock().unwrap();
        if let Some(length) = state.synced.remove(from) {
            state.synced.insert(to.to_owned(), length);
        }
        drop(state);
        self.note(to, NameChange::Renamed { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::hard_link(from, to)?;
        self.note(to, NameChange::Created(to.to_owned()));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        let mut state = self.state.lock().unwrap();
        state.graves += 1;
        let kept = self.graveyard.join(state.graves.to_string());
        drop(state);
        fs::rename(path, &kept)?;
        self.note(path, NameChange::Removed { path: path.to_owned(), kept });
        Ok(())
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        if !path.exists() {
            self.note(path, NameChange::CreatedFolder(path.to_owned()));
        }
        LocalFilesystem.create_folder(path)
    }

    fn sync_folder_durable(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.state.lock().unwrap().names.retain(|(folder, _)| folder != path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<FolderEntry>> {
        self.step()?;
        LocalFilesystem.list(path)
    }
}
