//! Appending one line to a file that other processes append to, crash included.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest time a writer waits for the others.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Appends a line, which must end in a newline.
///
/// # Errors
/// When the file cannot be opened or the line does not fit; then the file ends as it did before.
pub(super) fn append_line(path: &Path, line: &[u8], patience: Duration) -> io::Result<()> {
    loop {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if !lock_within(&file, patience) {
            return append_unlocked(&mut file, line);
        }
        if !is_still_linked(&file)? {
            // Pruned between the opening and the lock: what is written here nobody would find.
            continue;
        }
        return append_locked(&mut file, line);
    }
}

/// Takes the exclusive lock if it can be had in time. The lock ends with the file's closing, also when the process
/// is killed.
pub(super) fn lock_within(file: &File, patience: Duration) -> bool {
    patiently(patience, || file.try_lock())
}

/// The file's length at a moment when no writer is inside a write, if such a moment comes in time.
pub(super) fn settled_length(file: &File, patience: Duration) -> io::Result<u64> {
    let is_locked = patiently(patience, || file.try_lock_shared());
    let length = file.metadata()?.len();
    if is_locked {
        file.unlock()?;
    }
    Ok(length)
}

fn patiently(patience: Duration, mut attempt: impl FnMut() -> Result<(), TryLockError>) -> bool {
    let begin = Instant::now();
    loop {
        match attempt() {
            Ok(()) => return true,
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Interrupted => return false,
            Err(_) if begin.elapsed() >= patience => return false,
            Err(_) => std::thread::sleep(Duration::from_micros(fastrand::u64(100..2_000))),
        }
    }
}

fn append_locked(file: &mut File, line: &[u8]) -> io::Result<()> {
    let length = file.metadata()?.len();
    let whole = if ends_in_newline(file, length)? { line.to_vec() } else { [b"\n", line].concat() };
    let mut written = 0;
    let outcome = loop {
        match file.write(whole.get(written..).unwrap_or_default()) {
            Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
        if written == whole.len() {
            return Ok(());
        }
    };
    // A foreign writer that knows no lock may have appended behind the short write: then the torn line stays, and
    // readers skip it.
    if written > 0 && file.metadata()?.len() == length + written as u64 {
        file.set_len(length)?;
    }
    outcome
}

/// Nobody can be asked how the file ends, so the line brings newlines on both sides; readers skip empty lines.
fn append_unlocked(file: &mut File, line: &[u8]) -> io::Result<()> {
    file.write_all(&[b"\n", line].concat())
}

fn ends_in_newline(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

#[cfg(unix)]
fn is_still_linked(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(file.metadata()?.nlink() > 0)
}

#[cfg(not(unix))]
fn is_still_linked(_file: &File) -> io::Result<bool> {
    Ok(true)
}
