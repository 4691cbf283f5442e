//! What a detection may look at: variables, a few files, git's facts and the machine. All of it is handed in, so
//! that detection is a pure function.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::GitFacts;

/// Reads a file that a CI system names in a variable, such as `GITHUB_EVENT_PATH`.
pub trait ReadFile: fmt::Debug {
    /// The file's content; `None` where there is no such file, or it is longer than `most_bytes`.
    fn read(&self, path: &Path, most_bytes: u64) -> Option<Vec<u8>>;
}

/// Files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFiles;

impl ReadFile for LocalFiles {
    fn read(&self, path: &Path, most_bytes: u64) -> Option<Vec<u8>> {
        let file =
            std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|data| data.is_file()))?;
        let mut content = Vec::new();
        file.take(most_bytes + 1).read_to_end(&mut content).ok()?;
        (content.len() as u64 <= most_bytes).then_some(content)
    }
}

/// Everything a detection may look at.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// How files are read.
    pub files: &'a dyn ReadFile,
    /// What git says about the checkout around the working folder.
    pub git: GitFacts,
    /// The working folder.
    pub working_folder: Option<PathBuf>,
    /// Operating system of this machine, as `std::env::consts::OS` names it.
    pub os: &'a str,
    /// Processor of this machine, as `std::env::consts::ARCH` names it.
    pub arch: &'a str,
}

impl Surroundings<'static> {
    /// Those of this process. Variables that are not Unicode are left out: no CI system writes such.
    pub fn of_this_process() -> Self {
        let working_folder = std::env::current_dir().ok();
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            files: &LocalFiles,
            git: working_folder.as_deref().map(GitFacts::of_folder).unwrap_or_default(),
            working_folder,
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        }
    }
}
