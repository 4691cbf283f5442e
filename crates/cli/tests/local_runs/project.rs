//! A project folder with measured runs, and the program called inside it.

use std::path::Path;
use std::process::{Command, Output};

use manometer_agent::local::{LocalStore, RunRecord};
use manometer_model::Timestamp;

/// 2026-11-20T09:00:00Z
pub(crate) const MORNING: i64 = 1_795_165_200;

/// A temporary folder that is a git checkout as far as the program cares.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> LocalStore {
        LocalStore::of_project(self.path())
    }

    pub(crate) fn append(&self, records: &[RunRecord]) {
        for record in records {
            self.store().append(record).unwrap();
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manometer"));
        command.args(arguments).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("MANOMETER_") || name.starts_with("PANTHER_") {
                command.env_remove(name.as_ref());
            }
        }
        command
    }

    /// Runs the program and gives exit code, standard output and standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        texts(self.command(arguments).output().unwrap())
    }

    /// Runs the program, which has to succeed without a word on standard error.
    pub(crate) fn read(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        out
    }
}

pub(crate) fn texts(output: Output) -> (i32, String, String) {
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A build that took so long, so many hours after the morning.
pub(crate) fn build(number: u32, hour: i64, seconds: f64) -> RunRecord {
    let mut record = RunRecord::new("build", Timestamp::from_seconds(MORNING + hour * 3600));
    record.run_id = format!("{number:08x}-e29b-41d4-a716-446655440000");
    record.git_commit = Some("abc123def4567890".to_owned());
    record.operation = Some("wheel".to_owned());
    record.duration = Some(seconds);
    record.success = Some(true);
    record.measure("container.build_seconds", seconds);
    record.measure("artifact.dist_mb", 2.5);
    record.info.insert("branch".to_owned(), "main".into());
    record
}

/// Twenty builds of about a minute, one an hour.
pub(crate) fn steady_builds() -> Vec<RunRecord> {
    (0..20_u32)
        .map(|number| build(number, i64::from(number), 60.0 + f64::from(number * 7 % 5) * 0.4))
        .collect()
}
