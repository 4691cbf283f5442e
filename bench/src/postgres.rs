//! A PostgreSQL of its own: made in a temporary folder, run by a user without rights, gone when dropped.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// Settings that make it quick without weakening what it promises: `fsync` and `synchronous_commit` stay on.
const SETTINGS: [&str; 8] = [
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "wal_compression=lz4",
    "max_connections=200",
    "autovacuum=off",
];
const USER: &str = "bench";

/// A running server.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    server: Child,
}

impl Postgres {
    /// Makes and starts one on the disk of `parent`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; the reason is for the report.
    pub(crate) fn start(parent: &Path) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in(parent)?;
        let owner = unprivileged_user()?;
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group))?;
        }
        let data = folder.path().join("data");
        let as_owner = |program: &str| {
            let mut command = Command::new(programs.join(program));
            if let Some((user, group)) = owner {
                command.gid(group).uid(user);
            }
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
            command
        };
        let made = as_owner("initdb")
            .args([
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                USER,
                "--pgdata",
            ])
            .arg(&data)
            .output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut command = as_owner("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(folder.path()).stderr(log);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let server = command.spawn().context("failed to start postgres")?;
        let started = Self { folder, programs, server };
        started.wait_until_ready()?;
        Ok(started)
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let Err(error) = self.sql("SELECT 1") else { return Ok(()) };
            if began.elapsed() > Duration::from_secs(60) {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(error.context(format!("postgres does not start: {log}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A client program of PostgreSQL, told where the server is.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-h").arg(self.folder.path()).args(["-U", USER]).stdin(Stdio::null());
        command
    }

    /// Runs SQL and gives what it answers, unaligned and without headers.
    pub(crate) fn sql(&self, sql: &str) -> anyhow::Result<String> {
        finish(self.client("psql").args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
            "postgres",
        ]))
    }

    /// Runs script files, each on a connection of its own, all at the same time.
    pub(crate) fn run_scripts(&self, scripts: &[PathBuf]) -> anyhow::Result<()> {
        let mut sessions = Vec::new();
        for script in scripts {
            let mut session = self.client("psql");
            session
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
                .arg(script)
                .arg("postgres")
                .stdout(Stdio::null());
            sessions.push(session.spawn().context("failed to start psql")?);
        }
        for mut session in sessions {
            if !session.wait()?.success() {
                bail!("psql failed");
            }
        }
        Ok(())
    }

    /// A folder clients may write to.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Processor seconds of the server and all its processes that still run or were waited for.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        crate::processes::processor_seconds(self.server.id())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is its "fast shutdown"; its folder must not vanish under it.
        let id = i32::try_from(self.server.id()).ok().and_then(rustix::process::Pid::from_raw);
        let asked = id.map(|id| rustix::process::kill_process(id, rustix::process::Signal::INT));
        if asked.is_none_or(|asked| asked.is_err()) {
            drop(self.server.kill());
        }
        drop(self.server.wait());
    }
}

/// Runs a command to its end and gives its standard output.
pub(crate) fn finish(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("failed to start a client of PostgreSQL")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where the server's programs are: Debian keeps them out of `PATH`.
fn programs() -> anyhow::Result<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    found.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    found
        .into_iter()
        .rev()
        .find(|folder| {
            ["initdb", "postgres", "psql", "pgbench"].iter().all(|name| folder.join(name).is_file())
        })
        .context("PostgreSQL is not installed")
}

/// PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody`.
fn unprivileged_user() -> anyhow::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    for wanted in ["postgres", "nobody"] {
        let found = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.first() == Some(&wanted));
        if let Some([_, _, user, group, ..]) = found.as_deref() {
            return Ok(Some((user.parse()?, group.parse()?)));
        }
    }
    bail!("neither the user postgres nor nobody exists to run PostgreSQL")
}
