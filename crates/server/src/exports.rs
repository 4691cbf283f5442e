//! Exporting what is committed: a follower of the store and a worker of `manometer_exporters` for each system.
//!
//! Exporters read along behind the commit, each from its own durable place in the store, so that none of them can hold
//! up or fail a delivery, a restart loses nothing, and what was not delivered is sent again.

use std::time::Duration;

use manometer_exporters::Exporter;
use manometer_exporters::batching::{Feed, Feeding, Progress, Worker};
use manometer_exporters::settings::SendingSettings;
use manometer_store::{Followed, Follower, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::server::StartError;

/// How long what waits may still be sent when the server ends; the rest is sent after the next start.
const GRACE: Duration = Duration::from_secs(5);

/// What a server exports to.
#[derive(Debug, Default)]
pub struct Exports {
    /// The exporters; no two of one name.
    pub exporters: Vec<Box<dyn Exporter>>,
    /// Batches, pauses and patience.
    pub sending: SendingSettings,
}

/// Exporters at work.
#[derive(Debug)]
pub(crate) struct Exporting {
    workers: Vec<Worker>,
}

impl Exporting {
    /// Starts a worker for each exporter, at the place it had.
    pub(crate) fn start(store: &Store, exports: Exports) -> Result<Self, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Export { reason: error.to_string() };
        let names: Vec<&str> = exports.exporters.iter().map(|exporter| exporter.name()).collect();
        let followers = store.follow(&names).map_err(|error| failed(&error))?;
        let mut workers = Vec::with_capacity(followers.len());
        for (exporter, follower) in exports.exporters.into_iter().zip(followers) {
            let feed = Box::new(CommittedRecords { follower, given: None });
            workers.push(Worker::start(exporter, &exports.sending, feed).map_err(|error| failed(&error))?);
        }
        Ok(Self { workers })
    }

    /// What the workers tell of themselves, for `/metrics`.
    pub(crate) fn numbers(&self, store: &Store) -> ExportNumbers {
        let progress = self.workers.iter().map(|worker| (worker.name(), worker.progress()));
        ExportNumbers { store: store.clone(), progress: progress.collect() }
    }

    /// Sends what waits once more, all at the same time, and ends. Blocks for a few seconds at most.
    pub(crate) fn stop(self) {
        std::thread::scope(|scope| {
            for worker in self.workers {
                scope.spawn(move || worker.stop(GRACE));
            }
        });
    }
}

/// The feed of one exporter.
struct CommittedRecords {
    follower: Follower,
    /// What was given last and is not done with.
    given: Option<Followed>,
}

impl Feed for CommittedRecords {
    fn next(&mut self) -> Result<Option<Feeding>, String> {
        self.given = None;
        let Some(mut followed) = self.follower.ahead().map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let feeding = Feeding {
            records: std::mem::take(&mut followed.records),
            known_runs: std::mem::take(&mut followed.known_runs),
            has_more: followed.has_more,
        };
        self.given = Some(followed);
        Ok(Some(feeding))
    }

    fn done(&mut self) -> Result<(), String> {
        let Some(given) = &self.given else { return Ok(()) };
        self.follower.done(given).map_err(|error| error.to_string())
    }
}

/// The exporters' numbers, asked for at each scrape.
#[derive(Debug)]
pub(crate) struct ExportNumbers {
    store: Store,
    progress: Vec<(&'static str, Progress)>,
}

impl Collector for ExportNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if self.progress.is_empty() {
            return Ok(());
        }
        let mut items = encoder.encode_descriptor(
            "export_items",
            "Points, lines, spans or objects that left for another system, by what became of them",
            None,
            MetricType::Counter,
        )?;
        for (name, progress) in &self.progress {
            let counts = progress.counts();
            for (outcome, count) in [("sent", counts.sent), ("dropped", counts.dropped)] {
                let labels = [("exporter", *name), ("outcome", outcome)];
                ConstCounter::new(count).encode(items.encode_family(&labels)?)?;
            }
        }
        let mut retries = encoder.encode_descriptor(
            "export_retries",
            "Batches that were not delivered and are sent again",
            None,
            MetricType::Counter,
        )?;
        for (name, progress) in &self.progress {
            ConstCounter::new(progress.counts().retried)
                .encode(retries.encode_family(&[("exporter", *name)])?)?;
        }
        let followers = match self.store.followers() {
            Ok(followers) => followers,
            Err(error) => {
                tracing::error!(%error, "failed to ask how far the exporters are");
                return Ok(());
            }
        };
        let mut waiting = encoder.encode_descriptor(
            "export_waiting_rows",
            "Rows committed that an exporter has not delivered yet",
            None,
            MetricType::Gauge,
        )?;
        for follower in &followers {
            let labels = [("exporter", follower.name.as_str())];
            let rows = i64::try_from(follower.waiting_rows).unwrap_or(i64::MAX);
            ConstGauge::new(rows).encode(waiting.encode_family(&labels)?)?;
        }
        let mut passed_over = encoder.encode_descriptor(
            "export_passed_over_rows",
            "Rows an exporter never got: the backlog was full, or their delivery too large to be exported",
            None,
            MetricType::Counter,
        )?;
        for follower in &followers {
            let labels = [("exporter", follower.name.as_str())];
            ConstCounter::new(follower.passed_over_rows).encode(passed_over.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
