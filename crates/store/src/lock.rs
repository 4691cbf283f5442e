//! One process at a time: an advisory lock on the file `LOCK`, released by the system when the process ends
//! however it ends. The file's text says who holds it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::OpenError;
use crate::folders::Folders;

/// Holds the data folder for as long as it lives.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock, or says who has it.
    pub(crate) fn acquire(folders: &Folders, announce: Option<&str>) -> Result<Self, OpenError> {
        let path = folders.lock();
        let failed = |source| OpenError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(in_use(&folders.data, &mut file)),
            Err(error) => return Err(failed(error.into())),
        }
        let text = format!("{}\n{}\n", std::process::id(), announce.unwrap_or_default());
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn in_use(data: &Path, file: &mut File) -> OpenError {
    let mut text = String::new();
    // What the holder wrote only makes the message better; without it the refusal stands all the same.
    let readable =
        file.seek(SeekFrom::Start(0)).is_ok() && file.take(4_096).read_to_string(&mut text).is_ok();
    let mut lines = if readable { text.lines() } else { "".lines() };
    OpenError::InUse {
        data: data.to_owned(),
        pid: lines.next().and_then(|line| line.trim().parse().ok()),
        address: lines.next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned),
    }
}
