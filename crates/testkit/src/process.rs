//! `manometer serve` in a process of its own: started, waited for, killed, ended politely, looked at.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use manometer_model::records::TABLES;

use crate::http::HttpClient;
use crate::usage::{self, Usage};

/// What the program prints before its address.
const ANNOUNCEMENT: &str = "listening on http://";
/// How long a start or an end may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long to rest between two looks at something that is about to happen.
const GLANCE: Duration = Duration::from_millis(2);
/// Lines of the log kept in memory.
const LOG_LINES: usize = 2_000;

/// How to start a server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The binary.
    pub program: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// Address and port to listen on; port 0, a free one, by default.
    pub listen: SocketAddr,
    /// Arguments behind `serve --data … --listen …`.
    pub arguments: Vec<OsString>,
    /// Added to an environment without any `MANOMETER_*`.
    pub environment: Vec<(OsString, OsString)>,
}

impl ServerOptions {
    /// A server on a data folder with default settings, but that it keeps all rows for ever: what tests send is dated
    /// as it pleases them.
    pub fn new(program: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            data: data.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            arguments: Vec::new(),
            environment: TABLES
                .iter()
                .map(|table| format!("MANOMETER_RETENTION_{}", table.name.to_uppercase()).into())
                .map(|name: OsString| (name, "forever".into()))
                .collect(),
        }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same with one more environment variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The command, its environment clean of settings and its current folder free of a settings file.
    pub fn command(&self) -> Command {
        let mut command = command(&self.program);
        command.arg("serve").arg("--data").arg(&self.data).arg("--listen").arg(self.listen.to_string());
        // Its default port would be one for all servers that tests start at the same time.
        command.args(["--postgres", "off"]);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = self.data.parent() {
            command.current_dir(folder);
        }
        command
    }
}

/// A call of the program that sees none of the settings of the person who runs the tests.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MANOMETER_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub struct ServerProcess {
    options: ServerOptions,
    child: Child,
    address: SocketAddr,
    log: Log,
    /// From the start of the process to the first `/ready` that said yes.
    pub ready_after: Duration,
}

impl ServerProcess {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before that, or takes longer than two minutes; the message holds what it printed.
    pub fn start(options: ServerOptions) -> io::Result<Self> {
        let started = Instant::now();
        let mut child =
            options.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("failed to start {}: {error}", options.program.display()),
                )
            })?;
        let log = Log::default();
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let address = match log.wait_for_address() {
            Ok(address) => address,
            Err(error) => {
                child.kill()?;
                let status = child.wait()?;
                return Err(io::Error::other(format!("{error} ({status}); it printed:\n{}", log.text())));
            }
        };
        let mut server = Self { options, child, address, log, ready_after: Duration::ZERO };
        server.wait_until_ready(started)?;
        server.ready_after = started.elapsed();
        Ok(server)
    }

    /// Starts it again with the same options; the one before must have ended.
    ///
    /// # Errors
    /// As [`ServerProcess::start`].
    pub fn start_again(mut self) -> io::Result<Self> {
        self.kill()?;
        Self::start(self.options.clone())
    }

    fn wait_until_ready(&mut self, started: Instant) -> io::Result<()> {
        let mut client = self.client();
        loop {
            let last = match client.get("/ready") {
                Ok(response) if response.status == 200 => return Ok(()),
                Ok(response) => format!("/ready said {} {}", response.status, response.text()),
                Err(error) => format!("/ready: {error}"),
            };
            if started.elapsed() > PATIENCE || self.child.try_wait()?.is_some() {
                return Err(io::Error::other(format!("not ready: {last}; it printed:\n{}", self.log.text())));
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A new client of it.
    pub fn client(&self) -> HttpClient {
        HttpClient::new(self.address)
    }

    /// What it printed, newest last.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Memory and processor time so far.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn usage(&self) -> io::Result<Usage> {
        usage::of(self.id())
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// SIGTERM, without waiting for the end.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn ask_to_end(&self) -> io::Result<()> {
        let id = i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(rustix::process::kill_process(id, rustix::process::Signal::TERM)?)
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// When it has not ended after two minutes.
    pub fn wait_for_end(&mut self) -> io::Result<ExitStatus> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if asked.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("it does not end; it printed:\n{}", self.log.text())));
            }
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        drop(self.kill());
    }
}

/// The lines a process prints on stderr, read by a thread so that the pipe never fills up.
#[derive(Debug, Clone, Default)]
struct Log(Arc<(Mutex<LogState>, Condvar)>);

#[derive(Debug, Default)]
struct LogState {
    lines: Vec<String>,
    address: Option<SocketAddr>,
    has_ended: bool,
}

impl Log {
    fn follow(&self, stderr: ChildStderr) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.change(|state| {
                    if state.address.is_none() {
                        state.address = announced_address(&line);
                    }
                    if state.lines.len() == LOG_LINES {
                        state.lines.remove(0);
                    }
                    state.lines.push(line);
                });
            }
            log.change(|state| state.has_ended = true);
        });
    }

    fn change(&self, change: impl FnOnce(&mut LogState)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    fn wait_for_address(&self) -> Result<SocketAddr, &'static str> {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut LogState| state.address.is_none() && !state.has_ended;
        let (state, _) =
            self.0.1.wait_timeout_while(state, PATIENCE, waiting).unwrap_or_else(PoisonError::into_inner);
        match (state.address, state.has_ended) {
            (Some(address), _) => Ok(address),
            (None, true) => Err("the server ended before it listened"),
            (None, false) => Err("the server does not say where it listens"),
        }
    }

    fn text(&self) -> String {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).lines.join("\n")
    }
}

fn announced_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(ANNOUNCEMENT)?;
    rest.split([' ', '/', ',']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_announcement() {
        let expected = Some(SocketAddr::from(([127, 0, 0, 1], 4321)));
        assert_eq!(announced_address("listening on http://127.0.0.1:4321"), expected);
        assert_eq!(announced_address("manometer: listening on http://127.0.0.1:4321/ (data in x)"), expected);
        assert_eq!(announced_address("opening the store"), None);
    }

    #[test]
    fn a_server_that_refuses_to_start_is_reported_with_its_words() {
        let options = ServerOptions::new("/bin/cat", "/tmp/x");
        let error = ServerProcess::start(options).unwrap_err().to_string();
        assert!(error.contains("ended before it listened") && error.contains("cat:"), "{error}");
    }
}
