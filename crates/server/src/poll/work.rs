//! The task of one entry: it gives each lane its turn when it is due, and sleeps when none is.

use std::sync::Arc;
use std::time::Duration;

use manometer_model::{Clock, Timestamp};
use manometer_providers::ServiceRules;
use manometer_store::Store;
use tokio::sync::watch;

use super::Entry;
use super::keeping::{blocking, requested_backfill};
use super::lane::Lane;
use super::state::Purpose;

/// Longest sleep: a clock that is put forward is noticed then.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What the lanes of an entry work with.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) entry: Arc<Entry>,
    pub(super) store: Store,
    pub(super) rules: ServiceRules,
    pub(super) clock: Arc<dyn Clock>,
}

impl Worker {
    pub(super) fn new(entry: Arc<Entry>, store: Store, rules: ServiceRules, clock: Arc<dyn Clock>) -> Self {
        Self { entry, store, rules, clock }
    }

    /// Works until told to stop. A turn that is broken off loses nothing: what was not noted is told again.
    pub(super) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let now = self.clock.now();
        let first = now.plus_seconds(-self.entry.settings.since_seconds);
        let mut lanes: Vec<Lane> = self
            .entry
            .watched
            .iter()
            .map(|watched| Lane::new(Arc::clone(watched), Purpose::Recent, first, now))
            .collect();
        self.take_requests(&mut lanes).await;
        loop {
            lanes.retain(|lane| !lane.is_over);
            let now = self.clock.now();
            // Recent things first; among those the one that has been waiting for longest.
            let next = lanes.iter_mut().min_by_key(|lane| (lane.next_at > now, lane.purpose, lane.next_at));
            let Some(lane) = next else { return };
            if lane.next_at <= now {
                tokio::select! {
                    biased;
                    _ = stopping.changed() => return,
                    () = lane.take_turn(&self) => {}
                }
                continue;
            }
            let earliest = lanes.iter().map(|lane| lane.next_at).min().unwrap_or(now);
            tokio::select! {
                biased;
                _ = stopping.changed() => return,
                () = self.entry.bell.notified() => self.take_requests(&mut lanes).await,
                () = tokio::time::sleep(until(earliest, now)) => {}
            }
        }
    }

    /// Makes a lane for each history that is wanted.
    async fn take_requests(&self, lanes: &mut Vec<Lane>) {
        for watched in &self.entry.watched {
            let (store, name) = (self.store.clone(), watched.name.clone());
            let since = match blocking(move || requested_backfill(&store, &name)).await {
                Ok(Some(since)) => since,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(poll = %watched.name, %error, "which history is wanted could not be read");
                    continue;
                }
            };
            let now = self.clock.now();
            let of_target =
                |lane: &&mut Lane| lane.purpose == Purpose::History && lane.watched.name == watched.name;
            match lanes.iter_mut().find(of_target) {
                Some(lane) => lane.begin_at(since, now),
                None => lanes.push(Lane::new(Arc::clone(watched), Purpose::History, since, now)),
            }
        }
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from_secs_f64(at.seconds_since(now)).unwrap_or_default().min(LONGEST_SLEEP)
}
