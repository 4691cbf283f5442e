//! Room for rows that no segment holds yet: deliveries wait a moment for a flush before they are refused.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::error::SubmitError;
use crate::inner::Inner;

/// So many times the flush policy's bytes the journal may hold.
const MOST_UNFLUSHED: u64 = 8;

/// The longest wait for a flush.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of what unflushed rows may take they do take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Filling {
    Little,
    /// More than half: who can wait should.
    Much,
    /// More than all of it.
    Everything,
}

/// Where threads wait for a flush.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Somebody waited in vain, and nothing was flushed since: others need not wait as long again.
    is_hopeless: Mutex<bool>,
    flushed: Condvar,
}

impl Room {
    /// Rows went into segments.
    pub(crate) fn flushed(&self) {
        *self.is_hopeless.lock() = false;
        self.flushed.notify_all();
    }
}

impl Inner {
    /// How much of their memory, or of the journal, unflushed rows take.
    pub(crate) fn filling(&self) -> Filling {
        let policy = &self.options.flush;
        let memory = self.memory.read();
        let exceed = |part: u64| {
            memory.unflushed_memory() > policy.memory_bytes / part
                || memory.journal_bytes() > policy.journal_bytes.saturating_mul(MOST_UNFLUSHED) / part
        };
        match (exceed(1), exceed(2)) {
            (true, _) => Filling::Everything,
            (_, true) => Filling::Much,
            _ => Filling::Little,
        }
    }

    /// Waits while unflushed rows take much of their memory; refuses when no flush changes that.
    pub(crate) fn wait_for_room(&self) -> Result<(), SubmitError> {
        let until = Instant::now() + PATIENCE;
        let mut is_hopeless = self.room.is_hopeless.lock();
        while self.filling() >= Filling::Much {
            let is_in_vain = *is_hopeless || self.health.flush_lacks_space();
            if is_in_vain || self.room.flushed.wait_until(&mut is_hopeless, until).timed_out() {
                *is_hopeless = true;
                break;
            }
        }
        drop(is_hopeless);
        if self.filling() == Filling::Everything { Err(self.health.lagging()) } else { Ok(()) }
    }
}
