//! A folder of its own for each test, and the program in it, with nothing of the surroundings showing through.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_manometer");

pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "tmp", "work"] {
            std::fs::create_dir(place.0.path().join(folder)).unwrap();
        }
        place
    }

    /// The folder commands run in.
    pub(crate) fn work(&self) -> PathBuf {
        self.0.path().join("work")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.0.path().join("home/.local/state/manometer/spool")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Any program, in this place's environment.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path().join("home"))
            .env("TMPDIR", self.0.path().join("tmp"))
            .env("MANOMETER", PROGRAM)
            .env("LC_ALL", "C")
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// `manometer` with these arguments.
    pub(crate) fn manometer(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(arguments).env_remove("MANOMETER");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.manometer(arguments).output().unwrap()
    }

    /// A shell script, in which `$MANOMETER` is the program.
    pub(crate) fn script(&self, script: &str) -> Command {
        let mut command = self.command("sh");
        command.args(["-c", script]);
        command
    }

    /// All records of the local store, oldest first.
    pub(crate) fn records(&self) -> Vec<Value> {
        let folder = self.work().join(".manometer");
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .flat_map(|path| {
                let text = std::fs::read_to_string(path).unwrap();
                text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
            })
            .map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }

    pub(crate) fn record(&self) -> Value {
        let records = self.records();
        assert_eq!(records.len(), 1, "{records:?}");
        records.into_iter().next().unwrap()
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Is there a process of this number that is no zombie?
pub(crate) fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

pub(crate) fn kill(pid: u32, signal: &str) {
    Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
}
