//! Failing system calls: a small C library between the program and the kernel, steered while the program runs.
//!
//! The library (`faults/shim.c`) counts calls that change files below one folder and fails the chosen ones. It is
//! compiled where it is needed, with the machine's `cc`; where there is none, [`Faults::prepare`] says so.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::ServerOptions;

const SOURCE: &str = include_str!("../faults/shim.c");
const CONTROL_BYTES: usize = 64 + 512 + 256;
/// Where the fields of the control file stand; the layout is described in `faults/shim.c`.
const KINDS_AT: u64 = 0;
const SETTINGS_AT: u64 = 8;
const SEEN_AT: u64 = 48;
const FOLDER_AT: u64 = 64;
const FOLDER_BYTES: usize = 512;
const PART_AT: u64 = FOLDER_AT + FOLDER_BYTES as u64;
const PART_BYTES: usize = 256;

/// Calls that may be made to fail; sets of them are made with `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls(u64);

impl Calls {
    /// `write`, `pwrite`, `writev`, `fallocate`, `copy_file_range`
    pub const WRITE: Self = Self(1);
    /// `fsync`, `fdatasync`
    pub const SYNC: Self = Self(2);
    /// `ftruncate`
    pub const TRUNCATE: Self = Self(4);
    /// `rename`, `renameat`
    pub const RENAME: Self = Self(8);
    /// `link`, `linkat`
    pub const LINK: Self = Self(16);
    /// `open`, `openat`, when they may change or make a file
    pub const OPEN: Self = Self(32);
    /// `unlink`
    pub const REMOVE: Self = Self(64);
    /// Those that need space: what a full disk fails.
    pub const SPACE: Self = Self(1 | 4 | 8 | 16 | 32);
    /// Those that a commit, a flush or a compaction may not lose anything by.
    pub const ALL: Self = Self(1 | 2 | 4 | 8 | 16 | 32);
}

impl std::ops::BitOr for Calls {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a failing call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errno {
    /// `EIO`: the disk is broken.
    Io = 5,
    /// `ENOSPC`: the disk is full.
    NoSpace = 28,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The calls that count.
    pub calls: Calls,
    /// How they fail.
    pub error: Errno,
    /// So many pass first.
    pub skip: u64,
    /// So many then fail.
    pub failures: u64,
    /// Does a failing write leave half of its bytes behind?
    pub torn: bool,
}

impl Plan {
    /// One failure, at the call after `skip` others.
    pub const fn once(calls: Calls, error: Errno, skip: u64) -> Self {
        Self { calls, error, skip, failures: 1, torn: false }
    }

    /// Every counting call fails until [`Faults::end`].
    pub const fn always(calls: Calls, error: Errno) -> Self {
        Self { calls, error, skip: 0, failures: i64::MAX as u64, torn: false }
    }

    /// The same, writes torn.
    #[must_use]
    pub const fn torn(mut self) -> Self {
        self.torn = true;
        self
    }
}

/// A compiled shim with its control file.
#[derive(Debug)]
pub struct Faults {
    folder: TempDir,
    control: File,
}

impl Faults {
    /// Compiles the shim; no call fails yet. Only calls on files below `watched` ever count.
    ///
    /// # Errors
    /// When there is no C compiler, so that a test may be skipped with the message.
    pub fn prepare(watched: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let source = folder.path().join("shim.c");
        std::fs::write(&source, SOURCE)?;
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(folder.path().join("shim.so"))
            .arg(&source)
            .arg("-ldl")
            .output()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("failing system calls needs cc: {error}"))
            })?;
        if !compiled.status.success() {
            return Err(io::Error::other(format!("cc: {}", String::from_utf8_lossy(&compiled.stderr))));
        }
        let control =
            OpenOptions::new().read(true).write(true).create_new(true).open(folder.path().join("control"))?;
        control.set_len(CONTROL_BYTES as u64)?;
        let faults = Self { folder, control };
        // The kernel shows the shim real paths, so the prefix must be one too.
        let watched = watched.canonicalize()?;
        faults.write_text(FOLDER_AT, FOLDER_BYTES, &watched.to_string_lossy())?;
        Ok(faults)
    }

    /// The same options, with the shim loaded into the server.
    pub fn install(&self, options: ServerOptions) -> ServerOptions {
        options
            .variable("LD_PRELOAD", self.folder.path().join("shim.so"))
            .variable("FAULTS_CONTROL", self.folder.path().join("control"))
    }

    /// Begins to fail calls on files whose path contains `part`, counting from here.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn begin(&self, part: &str, plan: Plan) -> io::Result<()> {
        self.end()?;
        self.write_text(PART_AT, PART_BYTES, part)?;
        let settings = [plan.error as u64, plan.skip, plan.failures, u64::from(plan.torn), 0, 0, 0];
        self.write_numbers(SETTINGS_AT, &settings)?;
        self.write_numbers(KINDS_AT, &[plan.calls.0])
    }

    /// Makes each counting call on files whose path contains `part` take longer; none fails.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn slow_down(&self, part: &str, calls: Calls, delay: std::time::Duration) -> io::Result<()> {
        self.end()?;
        self.write_text(PART_AT, PART_BYTES, part)?;
        let microseconds = u64::try_from(delay.as_micros()).map_err(io::Error::other)?;
        self.write_numbers(SETTINGS_AT, &[0, 0, 0, 0, microseconds, 0, 0])?;
        self.write_numbers(KINDS_AT, &[calls.0])
    }

    /// No call fails any more.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn end(&self) -> io::Result<()> {
        self.write_numbers(KINDS_AT, &[0])
    }

    /// Counting calls since the last beginning.
    ///
    /// # Errors
    /// When the control file cannot be read.
    pub fn seen(&self) -> io::Result<u64> {
        self.read_number(SEEN_AT)
    }

    /// Failures since the last beginning.
    ///
    /// # Errors
    /// When the control file cannot be read.
    pub fn injected(&self) -> io::Result<u64> {
        self.read_number(SEEN_AT + 8)
    }

    fn write_numbers(&self, at: u64, numbers: &[u64]) -> io::Result<()> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        self.control.write_all_at(&bytes, at)
    }

    fn read_number(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, at)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn write_text(&self, at: u64, room: usize, text: &str) -> io::Result<()> {
        if text.len() >= room {
            return Err(io::Error::other(format!("path too long for the shim: {text}")));
        }
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(room, 0);
        self.control.write_all_at(&bytes, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has a real program write a file under the shim, and says whether it could.
    fn copy_works(faults: &Faults, folder: &Path, name: &str) -> bool {
        let options = faults.install(ServerOptions::new("cp", folder));
        let copied = Command::new("cp")
            .envs(options.environment)
            .arg("/proc/self/status")
            .arg(folder.join(name))
            .stderr(std::process::Stdio::null())
            .status();
        copied.unwrap().success()
    }

    #[test]
    fn the_chosen_calls_fail_below_the_folder_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let faults = match Faults::prepare(folder.path()) {
            Ok(faults) => faults,
            Err(reason) => return println!("skipped: {reason}"),
        };
        assert!(copy_works(&faults, folder.path(), "a"));
        faults.begin("", Plan::once(Calls::OPEN | Calls::WRITE, Errno::NoSpace, 1)).unwrap();
        assert!(copy_works(&faults, elsewhere.path(), "b"));
        assert_eq!(faults.seen().unwrap(), 0);
        assert!(!copy_works(&faults, folder.path(), "b"), "opening passes, the first write fails");
        assert_eq!(faults.injected().unwrap(), 1);
        assert!(copy_works(&faults, folder.path(), "c"), "one failure was asked for");
        faults.begin("other", Plan::always(Calls::ALL, Errno::Io)).unwrap();
        assert!(copy_works(&faults, folder.path(), "d"), "its path does not match");
        assert!(!copy_works(&faults, folder.path(), "other"));
        faults.end().unwrap();
        assert!(copy_works(&faults, folder.path(), "other"));
    }
}
