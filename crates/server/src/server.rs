//! Listening, the life of a connection, and the orderly end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use manometer_providers::poll::PollError;
use manometer_query::wire::{WireOptions, WireServer, WireStartError};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::{AccessDatabase, AccessError};
use crate::door::{Decoding, UploadMemory};
use crate::exports::Exporting;
use crate::options::ServerOptions;
use crate::poll::Polls;
use crate::postgres::{Door, PostgresOptions};
use crate::receivers::statsd::{self, StatsdOptions};
use crate::router::router;
use crate::state::{App, Inner};
use crate::telemetry::Telemetry;

/// Longest head of a request: request line and headers together.
const HEAD_BYTES: usize = 32 * 1024;

/// Most headers of a request.
const HEADERS: usize = 100;

/// How long accepting pauses when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// An address others can reach, and no token to keep them out.
    #[error(
        "refusing to listen on {address} without a token: everyone who reaches it could read and write everything; \
         make one first: {command}"
    )]
    NeedsToken {
        /// The address.
        address: SocketAddr,
        /// The command that makes a token.
        command: String,
    },
    /// The settings of polling are wrong.
    #[error("settings: [[poll]]: {0}")]
    Poll(#[from] PollError),
    /// An exporter cannot begin.
    #[error("failed to begin exporting: {reason}")]
    Export {
        /// What went wrong.
        reason: String,
    },
    /// The tokens cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The Postgres wire cannot be served.
    #[error(transparent)]
    Postgres(#[from] WireStartError),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    app: App,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    statsd: Option<(SocketAddr, JoinHandle<()>)>,
    polling: Vec<JoinHandle<()>>,
    exporting: Exporting,
    postgres: Option<WireServer>,
}

impl Server {
    /// Opens the tokens, listens, and serves until [`Server::shutdown`].
    ///
    /// # Errors
    /// When the address cannot be listened on, or may not be without a token.
    pub async fn start(options: ServerOptions) -> Result<Self, StartError> {
        let access = AccessDatabase::open(&options.data)?;
        let is_loopback = options.listen.ip().is_loopback();
        let doors = [Some(options.listen), options.postgres.as_ref().map(|postgres| postgres.listen)];
        for address in doors.into_iter().flatten().filter(|address| !address.ip().is_loopback()) {
            if !access.has_tokens()? {
                return Err(StartError::NeedsToken { address, command: token_command(&options.data) });
            }
        }
        let failed = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let exporting = Exporting::start(&options.store, options.exports)?;
        let limits = options.limits;
        let polls = Arc::new(Polls::new(options.polls, &options.store, &options.clock)?);
        let app = App::new(Inner {
            telemetry: Telemetry::new(
                options.store.clone(),
                Arc::clone(&polls),
                exporting.numbers(&options.store),
            ),
            upload_memory: UploadMemory::new(limits.upload_memory_bytes),
            decoding: Decoding::new(limits.decoding_uploads, limits.queue_requests),
            store: options.store,
            engine: options.engine,
            access,
            clock: options.clock,
            hostnames: options.hostnames,
            webhooks: options.webhooks,
            polls,
            is_loopback,
            timeouts: options.timeouts,
            limits,
        });
        let (stop, stopping) = watch::channel(false);
        let statsd = match options.statsd {
            Some(statsd) => Some(listen_statsd(statsd, &app, stopping.clone()).await?),
            None => None,
        };
        let polling = app.polls.start(&app.store, app.webhooks.rules(), &app.clock, &stopping);
        let postgres = match options.postgres {
            Some(postgres) => Some(listen_postgres(postgres, &app, stopping.clone()).await?),
            None => None,
        };
        let accepting = tokio::spawn(accept(listener, app.clone(), stopping));
        tracing::info!(%address, "listening");
        Ok(Self { address, app, stop, accepting, statsd, postgres, polling, exporting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for StatsD, where it does.
    pub fn statsd_address(&self) -> Option<SocketAddr> {
        self.statsd.as_ref().map(|(address, _)| *address)
    }

    /// Where it listens for the Postgres wire, where it does.
    pub fn postgres_address(&self) -> Option<SocketAddr> {
        self.postgres.as_ref().map(WireServer::address)
    }

    /// What its handlers use: for a program that serves and looks at the same store.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Takes no more connections, finishes what is in flight (as long as the timeouts allow), then closes the store.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the accepting task ended badly");
        }
        if let Some((_, receiving)) = self.statsd
            && let Err(error) = receiving.await
        {
            tracing::error!(%error, "the StatsD listener ended badly");
        }
        for task in self.polling {
            if let Err(error) = task.await {
                tracing::error!(%error, "a polling task ended badly");
            }
        }
        if let Some(postgres) = self.postgres {
            postgres.ended().await;
        }
        let (store, exporting) = (self.app.store.clone(), self.exporting);
        let ended = tokio::task::spawn_blocking(move || {
            exporting.stop();
            store.close();
        });
        if let Err(error) = ended.await {
            tracing::error!(%error, "closing the store ended badly");
        }
    }
}

async fn listen_statsd(
    options: StatsdOptions,
    app: &App,
    stopping: watch::Receiver<bool>,
) -> Result<(SocketAddr, JoinHandle<()>), StartError> {
    let failed = |source| StartError::Listen { address: options.listen, source };
    let socket = UdpSocket::bind(options.listen).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    tracing::info!(%address, "listening for StatsD");
    Ok((address, tokio::spawn(statsd::receive(app.clone(), socket, options.project, stopping))))
}

async fn listen_postgres(
    options: PostgresOptions,
    app: &App,
    stopping: watch::Receiver<bool>,
) -> Result<WireServer, StartError> {
    let wire = WireOptions {
        listen: options.listen,
        connections: app.limits.postgres_connections,
        idle: Duration::from_secs(app.limits.postgres_idle_seconds),
        patience: app.timeouts.idle,
        shutdown: app.timeouts.shutdown,
        tls: options.tls,
    };
    let door = Door::new(app.clone(), options.listen);
    Ok(WireServer::start(app.engine.clone(), door, wire, stopping).await?)
}

fn token_command(data: &Path) -> String {
    let folder: PathBuf = data.to_path_buf();
    format!("manometer token create first --scope admin --data {}", folder.display())
}

/// Accepts until told to stop, at most `limits.connections` at a time; others wait in the system's queue.
async fn accept(listener: TcpListener, app: App, mut stopping: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(app.limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let service = TowerToHyperService::new(router(app.clone()));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(app.timeouts.head)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES.max(64 * 1024))
        .max_header_size(HEAD_BYTES)
        .half_close(true);

    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.changed() => break,
            accepted = next_connection(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let connection = builder.serve_connection(TokioIo::new(stream), service.clone());
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if timeout(app.timeouts.shutdown, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still running when the time for the orderly end was over");
    }
}

async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "failed to set TCP_NODELAY");
            }
            Some((stream, place))
        }
        Err(error) => {
            tracing::warn!(%error, "failed to accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
