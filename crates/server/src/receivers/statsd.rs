//! StatsD and DogStatsD over UDP, where it is switched on.
//!
//! UDP promises nothing and knows no tokens: whoever reaches the port may write to its one project. Datagrams are
//! collected for a second or until they are worth a delivery, and committed while further ones are received. What
//! does not fit in memory meanwhile is dropped and counted, as is what the store does not take.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use manometer_ingest::dialects::Datagrams;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::error::ApiError;
use crate::state::App;

/// The listener's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsdOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The project of samples without a tag `project`.
    pub project: String,
}

/// Samples that make a delivery at once.
const DELIVERY_SAMPLES: usize = 5_000;

/// Samples held while a delivery is being committed; past it datagrams are dropped.
const MOST_WAITING: usize = 50_000;

/// How long samples wait for company.
const PATIENCE: Duration = Duration::from_secs(1);

/// Largest datagram there is.
const DATAGRAM_BYTES: usize = 65_536;

/// The word for this door in the server's counters.
const ROUTE: &str = "statsd";

/// Receives until told to stop, then commits what is left.
pub(crate) async fn receive(
    app: App,
    socket: UdpSocket,
    project: String,
    mut stopping: watch::Receiver<bool>,
) {
    let mut receiving =
        Receiving { app, project, datagrams: Datagrams::default(), committing: None, sequence: 0 };
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let mut due = None;
    loop {
        let wait = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = stopping.changed() => break,
            () = wait => {
                // A delivery that is still being committed is not waited for: datagrams would be lost meanwhile.
                due = if receiving.flush() { None } else { Some(Instant::now() + PATIENCE) };
            }
            received = socket.recv(&mut buffer) => match received {
                Ok(length) => {
                    receiving.take(buffer.get(..length).unwrap_or_default());
                    if receiving.datagrams.waiting() >= DELIVERY_SAMPLES && receiving.flush() {
                        due = None;
                    } else if due.is_none() {
                        due = Some(Instant::now() + PATIENCE);
                    }
                }
                Err(error) => tracing::debug!(%error, "failed to receive a datagram"),
            },
        }
    }
    receiving.finish().await;
}

struct Receiving {
    app: App,
    project: String,
    datagrams: Datagrams,
    committing: Option<JoinHandle<()>>,
    /// Deliveries made so far.
    sequence: u64,
}

impl Receiving {
    fn take(&mut self, datagram: &[u8]) {
        if self.datagrams.waiting() >= MOST_WAITING {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return self.app.telemetry.delivery_answered(ROUTE, status, Some("overloaded"));
        }
        let received_at = self.app.clock.now();
        let summary = self.datagrams.add(datagram, &self.project, &self.app.limits, received_at);
        if summary.refused > 0 {
            self.app.telemetry.delivery_answered(ROUTE, StatusCode::BAD_REQUEST, Some("unreadable"));
        }
    }

    /// Begins to commit what waits; false when the delivery before is not on disk yet.
    fn flush(&mut self) -> bool {
        if self.committing.as_ref().is_some_and(|task| !task.is_finished()) {
            return false;
        }
        self.sequence += 1;
        let (app, sequence) = (self.app.clone(), self.sequence);
        let datagrams = std::mem::take(&mut self.datagrams);
        self.committing = Some(tokio::spawn(async move {
            let (status, refusal) = match commit(&app, datagrams, sequence).await {
                Ok(()) => (StatusCode::CREATED, None),
                Err(error) => {
                    tracing::warn!(message = error.message(), "samples of StatsD were lost");
                    (error.status(), Some(error.code()))
                }
            };
            app.telemetry.delivery_answered(ROUTE, status, refusal);
        }));
        true
    }

    async fn finish(mut self) {
        if let Some(task) = self.committing.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "committing samples of StatsD ended badly");
        }
        if let Err(error) = commit(&self.app, self.datagrams, self.sequence + 1).await {
            tracing::warn!(message = error.message(), "the last samples of StatsD were lost");
        }
    }
}

async fn commit(app: &App, mut datagrams: Datagrams, sequence: u64) -> Result<(), ApiError> {
    let (store, received_at) = (app.store.clone(), app.clock.now());
    let prepare = move || datagrams.prepare(&store, received_at, sequence);
    let reading = app.decode(prepare).await??;
    super::commit(app, reading.prepared, 0).await
}
