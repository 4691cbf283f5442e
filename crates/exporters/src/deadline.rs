//! The time an export may take, all attempts and pauses together.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where passing time comes from: a stopwatch that can also wait. Tests hand in one that waits for nothing.
pub trait Timer: Send + Sync + fmt::Debug {
    /// Time since some fixed moment; never runs backwards.
    fn elapsed(&self) -> Duration;

    /// Waits for `pause`, or less when waiting has become pointless.
    fn pause(&self, pause: Duration);

    /// The [`Timer::elapsed`] after which everything ends, whatever was agreed before.
    fn ends_at(&self) -> Option<Duration> {
        None
    }
}

/// The machine's monotonic clock.
#[derive(Debug)]
struct SystemTimer {
    started: Instant,
}

impl Timer for SystemTimer {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// A moment by which an export ends.
#[derive(Debug, Clone)]
pub struct Deadline {
    timer: Arc<dyn Timer>,
    at: Duration,
}

impl Deadline {
    /// In `time_left` from now.
    pub fn after(time_left: Duration) -> Self {
        Self::on(Arc::new(SystemTimer { started: Instant::now() }), time_left)
    }

    /// In `time_left` from now, by a given timer.
    pub fn on(timer: Arc<dyn Timer>, time_left: Duration) -> Self {
        let at = timer.elapsed().saturating_add(time_left);
        Self { timer, at }
    }

    /// What is left; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        let end = self.timer.ends_at().map_or(self.at, |end| end.min(self.at));
        end.saturating_sub(self.timer.elapsed())
    }

    /// Has it passed?
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Waits, unless there would be no time left afterwards: then it answers false at once.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        if pause >= self.remaining() {
            return false;
        }
        self.timer.pause(pause);
        !self.has_passed()
    }
}
