//! Outside programs, started on a free port in a folder of their own, and ended with the test. What goes wrong with
//! them ends the test with a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "part of the tests that call it"
)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    _folder: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Program {
    /// Starts a program that serves HTTP and waits until `ready_path` answers 2xx. `None`, after saying so, when it is
    /// not installed; with `CI` set that is a failure, for there everything is installed.
    pub fn start(
        program: &str,
        package: &str,
        ready_path: &str,
        arguments: impl Fn(u16, &Path) -> Vec<String>,
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let spawned = Command::new(program)
            .args(arguments(port, folder.path()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(error) => {
                skip(&format!("{program} cannot be started ({error}): install {package}"));
                return None;
            }
        };
        let mut running = Self { child, port, _folder: folder };
        let patience = Instant::now() + Duration::from_secs(60);
        while !get(port, ready_path).is_some_and(|answer| (200..300).contains(&answer.status)) {
            let log = std::fs::read_to_string(running._folder.path().join("log")).unwrap_or_default();
            assert!(running.child.try_wait().unwrap().is_none(), "{program} ended at once:\n{log}");
            assert!(Instant::now() < patience, "{program} is not ready after a minute:\n{log}");
            std::thread::sleep(Duration::from_millis(25));
        }
        Some(running)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// GET; the body of a success.
    pub fn get(&self, path: &str) -> String {
        let answer = get(self.port, path).expect("no answer");
        assert!((200..300).contains(&answer.status), "GET {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// The same, as JSON.
    pub fn get_json(&self, path: &str) -> serde_json::Value {
        let body = self.get(path);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// A request with a body.
    pub fn send(&self, method: &str, path: &str, body: &str) -> HttpAnswer {
        request(self.port, method, path, body).expect("no answer")
    }
}

/// Says that a test was skipped; with `CI` set it fails instead.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    println!("skipped: {why}");
}

/// An answer.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// The body; what is not UTF-8 is replaced.
    pub body: String,
}

fn get(port: u16, path: &str) -> Option<HttpAnswer> {
    request(port, "GET", path, "")
}

/// The plainest client there is: HTTP/1.0, one connection a request.
fn request(port: u16, method: &str, path: &str, body: &str) -> Option<HttpAnswer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let length = body.len();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{form}Content-Length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(HttpAnswer { status, body: body.to_owned() })
}

/// Runs a Python script with `input`, where Python has `modules`. `None`, after saying so, where it has not.
///
/// `MANOMETER_TEST_PYTHON` names the Python to use.
pub fn python(script: &str, modules: &[&str], arguments: &[&str], input: &[u8]) -> Option<String> {
    let python = python_with(modules)?;
    let mut child = Command::new(python)
        .arg("-c")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the script failed: {}", output.status);
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The Python that has these modules.
pub fn python_with(modules: &[&str]) -> Option<String> {
    let python = std::env::var("MANOMETER_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = format!("import {}", modules.join(", "));
    let found = Command::new(&python).args(["-c", &probe]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    skip(&format!(
        "{python} has no {}: install them, or name a Python in MANOMETER_TEST_PYTHON",
        modules.join(", ")
    ));
    None
}
