//! How a server is started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use manometer_model::{Clock, Limits, SystemClock};
use manometer_query::Engine;
use manometer_store::Store;

use crate::exports::Exports;
use crate::poll::PollEntry;
use crate::postgres::PostgresOptions;
use crate::receivers::statsd::StatsdOptions;
use crate::webhooks::Webhooks;

/// Everything a server is started with.
#[derive(Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names besides loopback under which browsers may reach an open server.
    pub hostnames: Vec<String>,
    /// The data folder, where the tokens are.
    pub data: PathBuf,
    /// Where deliveries go. The server closes it when it ends.
    pub store: Store,
    /// What answers questions.
    pub engine: Engine,
    /// Where webhooks come in.
    pub webhooks: Webhooks,
    /// Which APIs are polled.
    pub polls: Vec<PollEntry>,
    /// Every limit.
    pub limits: Limits,
    /// How long slow callers are waited for.
    pub timeouts: Timeouts,
    /// StatsD over UDP; off where not given.
    pub statsd: Option<StatsdOptions>,
    /// Which other systems get what is committed.
    pub exports: Exports,
    /// PostgreSQL's wire protocol; off where not given.
    pub postgres: Option<PostgresOptions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ServerOptions {
    /// The usual options.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>, store: Store, engine: Engine) -> Self {
        let limits = Limits::default();
        let timeouts = Timeouts::of(&limits);
        let clock = Arc::new(SystemClock);
        Self {
            listen,
            hostnames: Vec::new(),
            data: data.into(),
            store,
            engine,
            webhooks: Webhooks::default(),
            polls: Vec::new(),
            limits,
            timeouts,
            statsd: None,
            exports: Exports::default(),
            postgres: None,
            clock,
        }
    }
}

/// How long slow callers are waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeouts {
    /// For the head of a request, from the first byte or from the last answer on.
    pub head: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// For any body, however small.
    pub body: Duration,
    /// Added to `body` for what has arrived: an upload slower than this ends.
    pub least_bytes_per_second: u64,
    /// For what is in flight when the server is told to end.
    pub shutdown: Duration,
}

impl Timeouts {
    /// The defaults: the idle time of the limits, half a minute for any body, and 16 KiB per second.
    pub fn of(limits: &Limits) -> Self {
        Self {
            head: Duration::from_secs(limits.idle_seconds),
            idle: Duration::from_secs(limits.idle_seconds),
            body: Duration::from_secs(30),
            least_bytes_per_second: 16 * 1024,
            shutdown: Duration::from_secs(30),
        }
    }
}
