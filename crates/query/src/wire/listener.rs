//! Listening: connections up to a number, each on a task of its own, and the orderly end.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::backend;
use super::cancel::Cancellations;
use super::failure::Failure;
use super::gate::Gate;
use super::socket::{Socket, Trouble};
use super::startup::{self, Unopened};
use super::tls::{self, TlsError, TlsFiles};
use crate::Engine;

/// How long accepting pauses when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections past the limit that are told so at the same time; more are closed without a word.
const TOLD_AT_ONCE: usize = 16;

/// How the wire is served.
#[derive(Debug, Clone)]
pub struct WireOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Connections open at the same time.
    pub connections: usize,
    /// Longest silence between two questions.
    pub idle: Duration,
    /// Longest silence in the middle of something: the start, a message, an answer that is not read.
    pub patience: Duration,
    /// How long queries in flight are waited for at the end.
    pub shutdown: Duration,
    /// Certificate and key; without them connections are not encrypted.
    pub tls: Option<TlsFiles>,
}

/// Why the wire is not served.
#[derive(Debug, thiserror::Error)]
pub enum WireStartError {
    /// The address is taken, or not this machine's.
    #[error(
        "failed to listen for the Postgres wire on {address}: {source}; choose another address with --postgres, or `off`"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Certificate and key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What all connections share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) gate: Arc<dyn Gate>,
    pub(super) options: WireOptions,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) cancellations: Arc<Cancellations>,
}

/// The wire, being served.
pub struct WireServer {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl fmt::Debug for WireServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WireServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl WireServer {
    /// Listens and serves until `stopping` turns true.
    ///
    /// # Errors
    /// When the address cannot be listened on, or certificate and key cannot be used.
    pub async fn start(
        engine: Engine,
        gate: Arc<dyn Gate>,
        options: WireOptions,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, WireStartError> {
        let tls = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let failed = |source| WireStartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let cancellations = Arc::new(Cancellations::default());
        let shared = Arc::new(Shared { engine, gate, options, tls, cancellations });
        tracing::info!(%address, "listening for the Postgres wire");
        Ok(Self { address, accepting: tokio::spawn(accept(listener, shared, stopping)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until every connection has ended, after `stopping` turned true.
    pub async fn ended(self) {
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the Postgres wire ended badly");
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(shared.options.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let words = Arc::new(Semaphore::new(TOLD_AT_ONCE));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection of the Postgres wire");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "failed to set TCP_NODELAY");
        }
        let shared = Arc::clone(&shared);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let stopping = stopping.clone();
            connections.spawn(async move {
                connection(stream, peer, shared, stopping).await;
                drop(place);
            });
        } else if let Ok(word) = Arc::clone(&words).try_acquire_owned() {
            connections.spawn(async move {
                turn_away(stream, &shared).await;
                drop(word);
            });
        }
    }
    drop(listener);
    let orderly = async { while connections.join_next().await.is_some() {} };
    if timeout(shared.options.shutdown, orderly).await.is_err() {
        tracing::warn!(
            "some queries of the Postgres wire were still running when the time for the orderly end was over"
        );
        connections.shutdown().await;
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
) {
    let is_local = peer.ip().to_canonical().is_loopback();
    // The whole start has this long, however busily a client dawdles through it.
    let start = shared.options.patience;
    let opened = timeout(start, startup::open(Box::new(stream), is_local, shared, stopping)).await;
    match opened {
        Err(_) => tracing::debug!(%peer, "a client of the Postgres wire took too long to begin"),
        Ok(Ok(None)) => {}
        Ok(Ok(Some(conversation))) => conversation.run().await,
        Ok(Err(unopened)) => match *unopened {
            Unopened { trouble: Trouble::Gone(why), .. } => {
                tracing::debug!(%peer, %why, "a client of the Postgres wire went away");
            }
            Unopened { mut socket, trouble: Trouble::Failure(failure) } => {
                tracing::debug!(%peer, code = failure.code, message = failure.message, "a client was not let in");
                backend::error(&mut socket.output, &Failure { is_fatal: true, ..failure });
                socket.close().await;
            }
        },
    }
}

/// Tells a client that there are too many, as far as it listens before encryption.
async fn turn_away(stream: TcpStream, shared: &Shared) {
    let mut socket = Socket::new(Box::new(stream), shared.options.patience);
    let message =
        format!("{} connections are open, the limit `postgres_connections`", shared.options.connections);
    backend::error(&mut socket.output, &Failure::fatal("53300", message));
    socket.close().await;
}
