//! The peer of webhooks: Flask, SQLAlchemy and PostgreSQL behind gunicorn.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use manometer_testkit::HttpClient;

use crate::postgres::Postgres;
use crate::processes;
use crate::python;

const PACKAGES: [&str; 4] = ["flask", "sqlalchemy", "psycopg2-binary", "gunicorn"];
/// What gunicorn's documentation recommends for two processors; threads keep the connections of 64 senders open.
const WORKERS: [&str; 6] = ["--workers", "5", "--worker-class", "gthread", "--threads", "16"];

/// A running receiver.
#[derive(Debug)]
pub(crate) struct FlaskReceiver {
    server: Child,
    address: SocketAddr,
}

impl FlaskReceiver {
    /// Installs it below `folder` and starts it on a PostgreSQL.
    ///
    /// # Errors
    /// When Python or its packages cannot be had, or it does not start; the reason is for the report.
    pub(crate) fn start(folder: &Path, postgres: &Postgres, secret: &str) -> anyhow::Result<Self> {
        let python = python::with_packages(folder, &PACKAGES)?;
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let database = format!("postgresql+psycopg2://bench@/postgres?host={}", postgres.folder().display());
        let prepared = |command: &mut Command| {
            command
                .env("DATABASE_URL", &database)
                .env("WEBHOOK_SECRET", secret)
                .env("PYTHONDONTWRITEBYTECODE", "1");
            command.current_dir(&peers);
        };
        let mut tables = Command::new(&python);
        prepared(tables.arg("webhooks_flask.py"));
        python::run(&mut tables)?;
        let address = free_address()?;
        let mut gunicorn = Command::new(&python);
        gunicorn.args(["-m", "gunicorn", "--keep-alive", "75", "--bind", &address.to_string()]).args(WORKERS);
        prepared(gunicorn.arg("webhooks_flask:app"));
        let server = gunicorn
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start gunicorn")?;
        let started = Self { server, address };
        started.wait_until_ready()?;
        Ok(started)
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while !HttpClient::new(self.address).get("/ready").is_ok_and(|answer| answer.status == 200) {
            if began.elapsed() > Duration::from_secs(60) {
                bail!("gunicorn does not start");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Processor seconds of gunicorn and its workers so far.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        processes::processor_seconds(self.server.id())
    }
}

impl Drop for FlaskReceiver {
    fn drop(&mut self) {
        // SIGTERM, so that its workers end with it.
        let id = i32::try_from(self.server.id()).ok().and_then(rustix::process::Pid::from_raw);
        let asked = id.map(|id| rustix::process::kill_process(id, rustix::process::Signal::TERM));
        if asked.is_none_or(|asked| asked.is_err()) {
            drop(self.server.kill());
        }
        drop(self.server.wait());
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr()?)
}
