//! Whether the store may write.

use std::sync::atomic::{AtomicBool, Ordering};

use manometer_model::Timestamp;
use parking_lot::Mutex;

use crate::error::SubmitError;
use crate::report::Health;

/// After a full disk one delivery a second is let through to see whether there is space again.
const PROBE_SECONDS: f64 = 1.0;

#[derive(Debug)]
enum State {
    Ready,
    DiskFull { probed_at: Timestamp },
    Poisoned { reason: String },
}

/// The store's state of writing. Poisoned is for good.
#[derive(Debug)]
pub(crate) struct HealthState {
    state: Mutex<State>,
    /// The last try to move rows into segments found no space for them.
    flush_lacks_space: AtomicBool,
}

impl HealthState {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::Ready), flush_lacks_space: AtomicBool::new(false) }
    }

    /// May a delivery be tried now?
    pub(crate) fn admit(&self, now: Timestamp) -> Result<(), SubmitError> {
        let mut state = self.state.lock();
        match &mut *state {
            State::Ready => Ok(()),
            State::Poisoned { reason } => Err(SubmitError::Poisoned { reason: reason.clone() }),
            State::DiskFull { probed_at } => {
                // A clock that was set back must not hold the probe up.
                if now.seconds_since(*probed_at).abs() < PROBE_SECONDS {
                    return Err(SubmitError::DiskFull);
                }
                *probed_at = now;
                Ok(())
            }
        }
    }

    /// Notes whether the last round of maintenance lacked space.
    pub(crate) fn maintained(&self, lacked_space: bool) {
        self.flush_lacks_space.store(lacked_space, Ordering::Relaxed);
    }

    pub(crate) fn flush_lacks_space(&self) -> bool {
        self.flush_lacks_space.load(Ordering::Relaxed)
    }

    /// Why deliveries are refused while flushing lags behind.
    pub(crate) fn lagging(&self) -> SubmitError {
        if self.flush_lacks_space() {
            SubmitError::DiskFull
        } else {
            SubmitError::Overloaded { retry_after_seconds: 5 }
        }
    }

    pub(crate) fn commit_succeeded(&self) {
        let mut state = self.state.lock();
        if matches!(*state, State::DiskFull { .. }) {
            tracing::info!("there is space on the disk again");
            *state = State::Ready;
        }
    }

    pub(crate) fn disk_is_full(&self, now: Timestamp) {
        let mut state = self.state.lock();
        match &mut *state {
            State::Ready => {
                tracing::error!("no space left on the disk: deliveries are refused until there is some");
                *state = State::DiskFull { probed_at: now };
            }
            State::DiskFull { probed_at } => *probed_at = now,
            State::Poisoned { .. } => {}
        }
    }

    pub(crate) fn poison(&self, reason: &str) {
        let mut state = self.state.lock();
        if !matches!(*state, State::Poisoned { .. }) {
            tracing::error!(reason, "the store stops writing");
            *state = State::Poisoned { reason: reason.to_owned() };
        }
    }

    pub(crate) fn poisoned(&self) -> Option<String> {
        match &*self.state.lock() {
            State::Poisoned { reason } => Some(reason.clone()),
            _ => None,
        }
    }

    pub(crate) fn report(&self) -> Health {
        match &*self.state.lock() {
            State::Ready => Health::Ready,
            State::DiskFull { .. } => Health::DiskFull,
            State::Poisoned { reason } => Health::Poisoned { reason: reason.clone() },
        }
    }
}
