//! One way through one target's lists: its reconciler, and when it may go on.

use std::sync::Arc;

use manometer_model::Timestamp;
use manometer_providers::poll::{Pause, PollError, PollOptions, Progress, Reconciler, Start, TargetSource};

use super::keeping::{StoreCursors, StoreSink, blocking, finish_backfill, keep_state};
use super::state::{Purpose, Standing, Watched};
use super::work::Worker;

/// Longest turn while others of the entry may be waiting, in seconds.
const TURN_SECONDS: u32 = 60;
/// How long a target that was refused waits at least: a token is not renewed within seconds.
const REFUSED_SECONDS: f64 = 300.0;
/// How long a target waits after the store did not take what was found.
const FAILED_SECONDS: f64 = 15.0;

type Loop = Reconciler<TargetSource, StoreSink, StoreCursors>;

/// A target's sweep, or its history.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) watched: Arc<Watched>,
    pub(super) purpose: Purpose,
    /// Where it begins.
    since: Timestamp,
    reconciler: Option<Loop>,
    pub(super) next_at: Timestamp,
    /// A history that is complete.
    pub(super) is_over: bool,
}

impl Lane {
    pub(super) fn new(watched: Arc<Watched>, purpose: Purpose, since: Timestamp, now: Timestamp) -> Self {
        Self { watched, purpose, since, reconciler: None, next_at: now, is_over: false }
    }

    /// Lets a history begin earlier than it did.
    pub(super) fn begin_at(&mut self, since: Timestamp, now: Timestamp) {
        if since < self.since {
            (self.since, self.reconciler) = (since, None);
        }
        self.next_at = now;
    }

    /// Works until there is something to wait for.
    pub(super) async fn take_turn(&mut self, worker: &Worker) {
        let began = worker.clock.now();
        self.watched.stands(self.purpose, Standing::Working, None, None, began);
        let outcome = self.work(worker).await;
        let now = worker.clock.now();
        let (standing, next_at, message) = match outcome {
            Ok(Pause::UpToDate { .. }) if self.purpose == Purpose::History => {
                (Standing::UpToDate, None, None)
            }
            Ok(Pause::UpToDate { next_at }) => (Standing::UpToDate, Some(next_at), None),
            Ok(Pause::Wait { until, reason }) => (Standing::Waiting, Some(until), Some(reason)),
            Err(error) => self.troubled(worker, error),
        };
        if standing == Standing::Waiting {
            tracing::info!(poll = %self.watched.name, message, "a poll waits");
        }
        self.next_at = next_at.unwrap_or(now);
        if standing == Standing::UpToDate && self.purpose == Purpose::History {
            self.complete(worker).await;
        } else {
            self.watched.stands(self.purpose, standing, next_at, message, now);
        }
        self.keep_state(worker).await;
    }

    async fn work(&mut self, worker: &Worker) -> Result<Pause, PollError> {
        let reconciler = match &mut self.reconciler {
            Some(reconciler) => reconciler,
            empty => {
                let resumed = resume(&self.watched, self.purpose, self.since, worker).await?;
                empty.insert(resumed)
            }
        };
        let (watched, purpose) = (&self.watched, self.purpose);
        let mut before: Progress = reconciler.progress().clone();
        let outcome = reconciler
            .run(&mut |now| {
                watched.progressed(purpose, &before, now);
                before = now.clone();
            })
            .await;
        watched.progressed(purpose, &before, reconciler.progress());
        outcome
    }

    /// What to do about an error: the reconciler is made anew, from what is on disk.
    fn troubled(
        &mut self,
        worker: &Worker,
        error: PollError,
    ) -> (Standing, Option<Timestamp>, Option<String>) {
        self.reconciler = None;
        let interval = f64::from(worker.entry.settings.options.interval_seconds);
        let (standing, seconds) = match &error {
            PollError::Refused { .. } | PollError::Settings { .. } => {
                (Standing::Refused, interval.max(REFUSED_SECONDS))
            }
            PollError::Store { .. } => (Standing::Failed, FAILED_SECONDS),
        };
        tracing::warn!(poll = %self.watched.name, %error, "a poll stopped; it is tried again in {seconds} s");
        (standing, Some(worker.clock.now().plus_seconds(seconds)), Some(error.to_string()))
    }

    /// The history is told: the request for it is done.
    async fn complete(&mut self, worker: &Worker) {
        let (store, name) = (worker.store.clone(), self.watched.name.clone());
        let now = worker.clock.now();
        match blocking(move || finish_backfill(&store, &name)).await {
            Ok(()) => {
                self.is_over = true;
                self.watched.stands(self.purpose, Standing::UpToDate, None, None, now);
            }
            Err(error) => {
                self.next_at = now.plus_seconds(FAILED_SECONDS);
                let message = Some(error.to_string());
                self.watched.stands(self.purpose, Standing::Failed, Some(self.next_at), message, now);
            }
        }
    }

    async fn keep_state(&self, worker: &Worker) {
        let (store, state) = (worker.store.clone(), self.watched.state(&worker.entry));
        if let Err(error) = blocking(move || keep_state(&store, &state)).await {
            tracing::warn!(poll = %self.watched.name, %error, "how a poll stands could not be noted");
        }
    }
}

async fn resume(
    watched: &Watched,
    purpose: Purpose,
    since: Timestamp,
    worker: &Worker,
) -> Result<Loop, PollError> {
    let options = PollOptions { turn_seconds: Some(TURN_SECONDS), ..worker.entry.settings.options.clone() };
    let source = watched.target.source(worker.rules.clone())?;
    let api = Arc::clone(&worker.entry.api);
    let sink = StoreSink::new(worker.store.clone(), watched.name.clone(), Arc::clone(&worker.clock));
    let cursors = match purpose {
        Purpose::Recent => StoreCursors::of_sweeps(worker.store.clone()),
        Purpose::History => StoreCursors::of_backfills(worker.store.clone()),
    };
    let start = Start::Since(since);
    Reconciler::resume(&watched.name, source, api, sink, cursors, options, start).await
}
