//! A line before a door that lets a bounded number through at once.
//!
//! Work goes on while it holds a [`Turn`]. When all are taken the next waits in line; when the line is full it is
//! turned away at once, so that a flood costs its senders an answer and this program next to nothing. Queries wait in
//! one such line, uploads in another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may be at work at once, and how many may wait.
#[derive(Debug)]
pub struct Turns {
    permits: Arc<Semaphore>,
    at_once: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// The right to be at work, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// The line is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{waiting} are waiting already")]
pub struct LineFull {
    /// How many stood in line.
    pub waiting: usize,
}

impl Turns {
    /// Lets `at_once` (at least one) work and `most_waiting` wait.
    pub fn new(at_once: usize, most_waiting: usize) -> Self {
        let at_once = at_once.max(1);
        Self {
            permits: Arc::new(Semaphore::new(at_once)),
            at_once,
            waiting: AtomicUsize::new(0),
            most_waiting,
        }
    }

    /// Waits for a turn. Whoever stops waiting, by dropping the future, leaves the line.
    ///
    /// # Errors
    /// At once, when the line is full.
    pub async fn take(&self) -> Result<Turn, LineFull> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Turn { _permit: permit });
        }
        let place = Place::take(&self.waiting);
        let full = LineFull { waiting: place.ahead };
        if place.ahead >= self.most_waiting {
            return Err(full);
        }
        // The semaphore is never closed; were it, nobody would get a turn any more.
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| full)?;
        Ok(Turn { _permit: permit })
    }

    /// How many are at work.
    pub fn running(&self) -> usize {
        self.at_once.saturating_sub(self.permits.available_permits())
    }

    /// How many stand in line.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// A place in the line, given back when dropped: also when the caller goes away while it waits.
struct Place<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        Self { ahead: waiting.fetch_add(1, Ordering::Relaxed), waiting }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn past_the_line_all_are_turned_away_and_a_freed_turn_is_taken() {
        let turns = Turns::new(1, 1);
        let first = turns.take().await.unwrap();
        let waiter = turns.take();
        tokio::pin!(waiter);
        assert!(futures::poll!(&mut waiter).is_pending());
        assert_eq!((turns.running(), turns.waiting()), (1, 1));
        assert_eq!(turns.take().await.unwrap_err(), LineFull { waiting: 1 });
        drop(first);
        assert!(waiter.await.is_ok());
        assert_eq!(turns.waiting(), 0);
    }

    #[tokio::test]
    async fn a_waiter_that_goes_away_leaves_the_line() {
        let turns = Turns::new(1, 1);
        let _held = turns.take().await.unwrap();
        {
            let waiter = turns.take();
            tokio::pin!(waiter);
            assert!(futures::poll!(&mut waiter).is_pending());
        }
        assert_eq!(turns.waiting(), 0);
    }
}
