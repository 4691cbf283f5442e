//! The folder of shipments that no server has confirmed yet.
//!
//! ```text
//! <spool>/00001795254000123456-<uuid>.shipment     complete, in the order they were made
//! <spool>/00001795254000123456-<uuid>.unfinished   being written, or left by a writer that was killed
//! <spool>/rejected/<name>.shipment, .reason        refused by the server for good, and its words
//! <spool>/refused.log                              what found no room, a line each
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use manometer_model::Timestamp;
use uuid::Uuid;

use super::Shipment;

/// Most bytes that wait, rejected shipments included.
pub const SPOOL_BYTES: u64 = 256 << 20;
/// Most shipments that wait.
const SPOOL_SHIPMENTS: usize = 10_000;
/// A file that is still unfinished after this time was left by a writer that is gone.
const ABANDONED_SECONDS: f64 = 86_400.0;

const COMPLETE: &str = "shipment";
const UNFINISHED: &str = "unfinished";

/// Why something could not be put into the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// There is no room.
    #[error("the spool {} is full ({held} wait for the server): {holds} was not kept for sending", folder.display())]
    Full {
        /// The spool.
        folder: PathBuf,
        /// What is in it, for people.
        held: String,
        /// What found no room.
        holds: String,
    },
    /// The disk refused.
    #[error("failed to write to the spool {}: {cause}", folder.display())]
    Write {
        /// The spool.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// A folder of shipments.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
    most_bytes: u64,
}

/// A shipment that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its file.
    pub path: PathBuf,
    /// When it was made.
    pub since: Timestamp,
    /// Size of its file, in bytes.
    pub size_bytes: u64,
}

impl Spool {
    /// The spool in this folder; nothing is made or touched yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), most_bytes: SPOOL_BYTES }
    }

    /// The same with room for so many bytes.
    #[must_use]
    pub fn holding(mut self, most_bytes: u64) -> Self {
        self.most_bytes = most_bytes;
        self
    }

    /// The first of these folders that can be used: written by this user, and by nobody else, because what lies there
    /// is sent in this user's name.
    ///
    /// # Errors
    /// When none can; a sentence for people that names them.
    pub fn in_first_usable(folders: &[PathBuf]) -> Result<Self, String> {
        let is_usable = |folder: &&PathBuf| {
            make_folder(folder).is_ok()
                && rustix::fs::access(folder.as_path(), rustix::fs::Access::WRITE_OK).is_ok()
                && is_of_this_user_alone(folder)
        };
        folders.iter().find(is_usable).map(Self::at).ok_or_else(|| {
            let tried: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            format!("no folder for the spool that this user alone can write: tried {}", tried.join(", "))
        })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a shipment in. When this returns it survives a power cut; before that there is nothing.
    ///
    /// # Errors
    /// When there is no room or the disk refuses; then nothing of it is left.
    pub fn put(&self, shipment: &Shipment, body: &[u8], now: Timestamp) -> Result<PathBuf, SpoolError> {
        let failed = |cause| SpoolError::Write { folder: self.folder.clone(), cause };
        make_folder(&self.folder).map_err(failed)?;
        let head = shipment.head().map_err(failed)?;
        self.check_room(shipment, (head.len() + body.len()) as u64, now)?;
        let name = format!("{:020}-{}", now.as_micros().max(0), Uuid::new_v4());
        let unfinished = self.folder.join(format!("{name}.{UNFINISHED}"));
        let complete = self.folder.join(format!("{name}.{COMPLETE}"));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            file.write_all(&head)?;
            file.write_all(body)?;
            file.sync_all()?;
            fs::rename(&unfinished, &complete)?;
            sync_folder(&self.folder)
        })();
        match written {
            Ok(()) => Ok(complete),
            Err(cause) => {
                fs::remove_file(&unfinished).ok();
                Err(failed(cause))
            }
        }
    }

    /// What waits, oldest first.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<Waiting>> {
        list(&self.folder, COMPLETE)
    }

    /// What a server has refused for good, oldest first.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn rejected(&self) -> io::Result<Vec<Waiting>> {
        list(&self.folder.join("rejected"), COMPLETE)
    }

    /// What found no room, a line each.
    pub fn refused(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("refused.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Opens a shipment, unless somebody else is sending it or has done so. The lock goes with the file's closing.
    ///
    /// # Errors
    /// When the file cannot be read or is no shipment.
    pub fn open(&self, waiting: &Waiting) -> io::Result<Option<(Shipment, BufReader<File>)>> {
        let file = match File::open(&waiting.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        // Another process may have delivered and removed it between the two.
        if file.try_lock().is_err() || !waiting.path.exists() {
            return Ok(None);
        }
        let mut reader = BufReader::new(file);
        let shipment = Shipment::read(&mut reader)?;
        Ok(Some((shipment, reader)))
    }

    /// What a shipment holds and whom it is for, and of a rejected one the server's words.
    ///
    /// # Errors
    /// When the file cannot be read or is no shipment.
    pub fn describe(&self, waiting: &Waiting) -> io::Result<String> {
        let shipment = Shipment::read(&mut BufReader::new(File::open(&waiting.path)?))?;
        let reason = fs::read_to_string(waiting.path.with_extension("reason")).unwrap_or_default();
        let why = if reason.is_empty() { String::new() } else { format!(" ({})", reason.trim()) };
        Ok(format!("{} for {}{why}", shipment.holds, shipment.server))
    }

    /// Takes a delivered shipment out.
    ///
    /// # Errors
    /// When the folder cannot be written: it will be sent again, which has no effect.
    pub fn remove(&self, waiting: &Waiting) -> io::Result<()> {
        fs::remove_file(&waiting.path)?;
        sync_folder(&self.folder)
    }

    /// Moves a shipment that can never be delivered aside, with the reason.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn reject(&self, waiting: &Waiting, reason: &str) -> io::Result<()> {
        let folder = self.folder.join("rejected");
        make_folder(&folder)?;
        let name = waiting.path.file_name().unwrap_or_default();
        fs::write(folder.join(name).with_extension("reason"), format!("{reason}\n"))?;
        fs::rename(&waiting.path, folder.join(name))?;
        sync_folder(&folder)?;
        sync_folder(&self.folder)
    }

    fn check_room(&self, shipment: &Shipment, bytes: u64, now: Timestamp) -> Result<(), SpoolError> {
        let failed = |cause| SpoolError::Write { folder: self.folder.clone(), cause };
        self.sweep(now).map_err(failed)?;
        let mut held = self.waiting().map_err(failed)?;
        held.extend(self.rejected().map_err(failed)?);
        let held_bytes: u64 = held.iter().map(|waiting| waiting.size_bytes).sum();
        if held_bytes + bytes <= self.most_bytes && held.len() < SPOOL_SHIPMENTS {
            return Ok(());
        }
        let error = SpoolError::Full {
            folder: self.folder.clone(),
            held: format!("{} shipments of {held_bytes} bytes", held.len()),
            holds: shipment.holds.clone(),
        };
        // Told to people now, and to those who ask later.
        let line = format!("{now} {bytes} bytes for {}: {}\n", shipment.server, shipment.holds);
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.folder.join("refused.log"))
            .and_then(|mut log| log.write_all(line.as_bytes()))
            .ok();
        Err(error)
    }

    /// Removes what killed writers have left: it was never complete, so nobody was promised it.
    fn sweep(&self, now: Timestamp) -> io::Result<()> {
        for unfinished in list(&self.folder, UNFINISHED)? {
            if now.seconds_since(unfinished.since) > ABANDONED_SECONDS {
                fs::remove_file(&unfinished.path).ok();
            }
        }
        Ok(())
    }
}

fn list(folder: &Path, extension: &str) -> io::Result<Vec<Waiting>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_none_or(|found| found != extension) {
            continue;
        }
        // What vanishes meanwhile was delivered by somebody else.
        let Ok(metadata) = entry.metadata() else { continue };
        let since = path
            .file_name()
            .and_then(|name| name.to_str()?.split_once('-')?.0.parse().ok())
            .map_or_else(Timestamp::default, Timestamp::from_micros);
        found.push(Waiting { path, since, size_bytes: metadata.len() });
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn is_of_this_user_alone(folder: &Path) -> bool {
    const OTHERS_MAY_WRITE: u32 = 0o022;
    fs::symlink_metadata(folder).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & OTHERS_MAY_WRITE == 0
    })
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
