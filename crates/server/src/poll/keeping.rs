//! Where what a poll found goes, and where its cursor is kept: the store, through ingest, and notes in its catalog.

use std::sync::Arc;
use std::time::Duration;

use manometer_ingest::{Prepared, polled};
use manometer_model::{Clock, Timestamp};
use manometer_providers::Decoded;
use manometer_providers::poll::{CursorStore, RecordSink, StoreError as KeepError};
use manometer_store::{Store, StoreError, SubmitError};

use super::state::PollState;

/// How often a store that is overloaded is asked again before the poll itself waits.
const MOST_TRIES: u32 = 20;

/// Takes what a poll found into the store.
#[derive(Debug, Clone)]
pub struct StoreSink {
    store: Store,
    name: String,
    clock: Arc<dyn Clock>,
}

impl StoreSink {
    /// For the poll of that name.
    pub fn new(store: Store, name: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { store, name: name.into(), clock }
    }
}

impl RecordSink for StoreSink {
    async fn accept_durable(&self, told: Vec<Decoded>) -> Result<(), KeepError> {
        let told = Arc::new(told);
        for _ in 0..MOST_TRIES {
            let (store, name, found) = (self.store.clone(), self.name.clone(), Arc::clone(&told));
            let now = self.clock.now();
            // A pipeline may have thousands of jobs: encoding them is work for a thread that may block.
            let prepared = blocking(move || polled::prepare(&store, &name, &found, now)).await?;
            let Prepared::Fresh(fresh) = prepared else { return Ok(()) };
            match self.store.submit(fresh.delivery) {
                Ok(pending) => return pending.await.map(drop).map_err(|error| kept_not(&error)),
                Err(SubmitError::Overloaded { retry_after_seconds }) => {
                    let seconds = u64::from(retry_after_seconds.clamp(1, 60));
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                Err(error) => return Err(kept_not(&error)),
            }
        }
        Err(KeepError { message: "the store is overloaded".to_owned() })
    }
}

/// Which cursors: those of the sweeps that go on for ever, or those of histories that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sweep,
    Backfill,
}

/// Keeps cursors as notes in the store's catalog.
#[derive(Debug, Clone)]
pub struct StoreCursors {
    store: Store,
    kind: Kind,
}

impl StoreCursors {
    /// Of the sweeps that go on for ever.
    pub fn of_sweeps(store: Store) -> Self {
        Self { store, kind: Kind::Sweep }
    }

    /// Of histories that were asked for.
    pub fn of_backfills(store: Store) -> Self {
        Self { store, kind: Kind::Backfill }
    }

    fn note(&self, name: &str) -> String {
        match self.kind {
            Kind::Sweep => format!("poll/cursor/{name}"),
            Kind::Backfill => format!("backfill/cursor/{name}"),
        }
    }
}

impl CursorStore for StoreCursors {
    async fn load(&self, name: &str) -> Result<Option<String>, KeepError> {
        let (store, note) = (self.store.clone(), self.note(name));
        blocking(move || store.note(&note)).await
    }

    async fn save(&self, name: &str, cursor: &str) -> Result<(), KeepError> {
        let (store, note, cursor) = (self.store.clone(), self.note(name), cursor.to_owned());
        blocking(move || store.keep_note_durable(&note, &cursor)).await
    }
}

/// Notes that a target's history is wanted from a moment on; answers from when, which is the earliest that was asked for
/// and is not done.
///
/// # Errors
/// When the store cannot keep it.
pub fn request_backfill(store: &Store, name: &str, since: Timestamp) -> Result<Timestamp, StoreError> {
    let since = requested_backfill(store, name)?.map_or(since, |before| before.min(since));
    store.keep_note_durable(&format!("backfill/since/{name}"), &since.to_string())?;
    Ok(since)
}

/// From when on a target's history is wanted; `None` where it is not, or is done.
pub(super) fn requested_backfill(store: &Store, name: &str) -> Result<Option<Timestamp>, StoreError> {
    let note = store.note(&format!("backfill/since/{name}"))?;
    Ok(note.and_then(|text| Timestamp::parse_rfc3339(&text).ok()))
}

/// Notes that a target's history is complete.
///
/// # Errors
/// When the store cannot keep it.
pub fn finish_backfill(store: &Store, name: &str) -> Result<(), StoreError> {
    // The request goes first: a cursor without a request is never used, a request without a cursor begins anew.
    store.remove_note_durable(&format!("backfill/since/{name}"))?;
    store.remove_note_durable(&format!("backfill/cursor/{name}"))
}

/// Keeps how a poll stands, for those who look at the folder without a server.
pub(super) fn keep_state(store: &Store, state: &PollState) -> Result<(), StoreError> {
    match serde_json::to_string(state) {
        Ok(text) => store.keep_note_durable(&format!("{STATE_NOTES}{}", state.name), &text),
        Err(error) => {
            Err(StoreError::Corrupt { what: format!("the state of a poll cannot be written: {error}") })
        }
    }
}

/// The beginning of the names under which it is noted how polls stand.
pub const STATE_NOTES: &str = "poll/state/";

/// How every poll stood when it was noted last, from the notes under [`STATE_NOTES`]. What an older or newer version
/// noted differently is left out.
pub fn kept_states(notes: &[(String, String)]) -> Vec<PollState> {
    notes.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect()
}

/// Runs work that waits for the disk where waiting harms nobody.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, KeepError>
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| kept_not(&error)),
        Err(error) => Err(kept_not(&error)),
    }
}

fn kept_not(error: &impl std::fmt::Display) -> KeepError {
    KeepError { message: error.to_string() }
}
