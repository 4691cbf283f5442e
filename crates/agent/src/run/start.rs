//! Starting the command, with the answers a shell gives when it cannot be started.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::io::Errno;

use super::CommandLine;

/// Shells end with this when there is no such command.
const NOT_FOUND: i32 = 127;
/// Shells end with this when the command is there and cannot be run.
const NOT_RUNNABLE: i32 = 126;

/// A command that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("failed to run {program}: {cause}")]
pub struct StartError {
    /// The program.
    pub program: String,
    /// What the system said.
    #[source]
    pub cause: io::Error,
}

impl StartError {
    /// 127 for a command that is not there, 126 for one that cannot be run.
    pub fn exit_code(&self) -> i32 {
        if self.cause.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUNNABLE }
    }
}

pub(super) fn start(line: &CommandLine) -> Result<Child, StartError> {
    match spawn(&line.program, None, line) {
        // A script without a first line that names its interpreter: shells and execvp hand it to sh.
        Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            let script = find_in_path(&line.program, env::var_os("PATH").as_deref());
            spawn(OsStr::new("/bin/sh"), Some(&script), line)
        }
        other => other,
    }
    .map_err(|cause| StartError { program: line.program.to_string_lossy().into_owned(), cause })
}

fn spawn(program: &OsStr, script: Option<&Path>, line: &CommandLine) -> io::Result<Child> {
    let mut command = Command::new(program);
    if let Some(script) = script {
        command.arg(script);
    }
    command.args(&line.arguments).envs(line.variables.iter().map(|(name, value)| (name, value))).spawn()
}

fn find_in_path(program: &OsStr, path: Option<&OsStr>) -> PathBuf {
    let as_named = PathBuf::from(program);
    if as_named.components().count() > 1 {
        return as_named;
    }
    env::split_paths(path.unwrap_or_default())
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or(as_named)
}
