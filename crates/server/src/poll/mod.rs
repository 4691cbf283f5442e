//! Polling: the server asks the APIs of CI systems for what no webhook told, all the time and, on request, for history.
//!
//! ```text
//! settings ──► PollEntry ──► Polls ──► a task an entry: one lane a target, one more for each history asked for
//!              (one API,      │          └─ due lane ──► Reconciler ──► StoreSink ──► ingest ──► store
//!               one budget)   │                              └──► StoreCursors ──► notes in the store's catalog
//!                             └──► PollState: GET /api/v1/polls, /metrics, `manometer poll status`, the first page
//! ```
//!
//! **Invariants**
//! - Everything that is found goes through ingest and is on disk before the cursor says so. A process that is killed
//!   tells something twice, which has no effect, and nothing never.
//! - The targets of an entry share its budget and take turns; history has its turn only when nothing recent is due.
//! - A target that is refused or fails keeps no other waiting.

mod keeping;
mod lane;
mod numbers;
mod state;
mod work;

use std::sync::Arc;

use manometer_model::{Clock, Timestamp};
use manometer_providers::ServiceRules;
use manometer_providers::poll::{Api, ApiOptions, PollError, PollOptions, Target};
use manometer_store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use keeping::{STATE_NOTES, StoreCursors, StoreSink, finish_backfill, kept_states, request_backfill};
pub(crate) use numbers::PollNumbers;
pub use state::{BackfillState, PollState, Standing, SweepState};

use self::state::Watched;
use self::work::Worker;

/// One API that is polled: who asks, how often, and for what.
#[derive(Debug, Clone)]
pub struct PollEntry {
    /// Address, credentials and budget.
    pub api: ApiOptions,
    /// What is asked for.
    pub targets: Vec<Target>,
    /// How much is looked at.
    pub options: PollOptions,
    /// How far back the first sweep of a target begins, in seconds; later ones go on from there.
    pub since_seconds: f64,
}

/// Everything that is polled.
#[derive(Debug, Default)]
pub struct Polls {
    entries: Vec<Arc<Entry>>,
}

/// An entry with its client and what is known of its targets.
#[derive(Debug)]
struct Entry {
    /// The address of the API, for labels; with a number where several entries have the same.
    label: String,
    api: Arc<Api>,
    settings: PollEntry,
    watched: Vec<Arc<Watched>>,
    /// Rung when a history was asked for.
    bell: Notify,
}

impl Polls {
    /// From the settings. What earlier processes noted of each target is read again.
    ///
    /// # Errors
    /// Names what is wrong in the settings: an address, a project, or the same target twice.
    pub(crate) fn new(
        entries: Vec<PollEntry>,
        store: &Store,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, PollError> {
        let kept = kept_states(&store.notes(STATE_NOTES).map_err(unreadable)?);
        let mut polls = Self::default();
        for settings in entries {
            let api = Arc::new(Api::new(settings.api.clone(), Arc::clone(clock))?);
            let mut watched: Vec<Arc<Watched>> = Vec::new();
            for target in &settings.targets {
                target.source(ServiceRules::default())?;
                let name = target.name(api.base());
                if polls.find(&name).is_some() || watched.iter().any(|known| known.name == name) {
                    return Err(PollError::Settings { reason: format!("{name} is polled twice") });
                }
                let before = kept.iter().find(|state| state.name == name);
                watched.push(Arc::new(Watched::new(name, target.clone(), before)));
            }
            let address = api.base().as_str().trim_end_matches('/').to_owned();
            let same = polls.entries.iter().filter(|entry| entry.api.base() == api.base()).count();
            let label = if same == 0 { address } else { format!("{address} ({})", same + 1) };
            polls.entries.push(Arc::new(Entry { label, api, settings, watched, bell: Notify::new() }));
        }
        Ok(polls)
    }

    /// Starts a task for each entry; they end when told to stop.
    pub(crate) fn start(
        &self,
        store: &Store,
        rules: &ServiceRules,
        clock: &Arc<dyn Clock>,
        stopping: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let start = |entry: &Arc<Entry>| {
            let worker = Worker::new(Arc::clone(entry), store.clone(), rules.clone(), Arc::clone(clock));
            tokio::spawn(worker.run(stopping.clone()))
        };
        self.entries.iter().map(start).collect()
    }

    /// How every target stands.
    pub(crate) fn states(&self) -> Vec<PollState> {
        let of_entry =
            |entry: &Arc<Entry>| entry.watched.iter().map(|one| one.state(entry)).collect::<Vec<_>>();
        self.entries.iter().flat_map(of_entry).collect()
    }

    /// Asks for the history of a target from a moment on; `None` where there is no such target. Answers how it stands
    /// once the request is on disk.
    ///
    /// # Errors
    /// When the store cannot keep the request.
    pub(crate) fn ask_for_history(
        &self,
        name: &str,
        since: Timestamp,
        store: &Store,
        now: Timestamp,
    ) -> Result<Option<PollState>, StoreError> {
        let Some((entry, watched)) = self.find(name) else { return Ok(None) };
        let since = request_backfill(store, name, since)?;
        watched.history_was_asked_for(since, now);
        entry.bell.notify_one();
        Ok(Some(watched.state(entry)))
    }

    fn find(&self, name: &str) -> Option<(&Arc<Entry>, &Arc<Watched>)> {
        self.entries.iter().find_map(|entry| {
            let watched = entry.watched.iter().find(|watched| watched.name == name)?;
            Some((entry, watched))
        })
    }
}

fn unreadable(error: StoreError) -> PollError {
    PollError::Settings { reason: format!("how far polls have come cannot be read: {error}") }
}
