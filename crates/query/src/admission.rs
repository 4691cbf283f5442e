//! How many queries run at once, and how many may wait.
//!
//! A query runs on a permit. When all are taken it waits in line; when the line is full it is refused at
//! once, so that a flood of queries costs its senders an answer and this program next to nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::QueryError;

#[derive(Debug)]
pub(crate) struct Admission {
    permits: Arc<Semaphore>,
    running_limit: usize,
    waiting: AtomicUsize,
    waiting_limit: usize,
}

impl Admission {
    pub(crate) fn new(running_limit: usize, waiting_limit: usize) -> Self {
        let running = running_limit.max(1);
        Self {
            permits: Arc::new(Semaphore::new(running)),
            running_limit: running,
            waiting: AtomicUsize::new(0),
            waiting_limit,
        }
    }

    /// Waits for a turn until `deadline`.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, QueryError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let place = Place::take(&self.waiting);
        if place.ahead >= self.waiting_limit {
            return Err(self.overloaded(place.ahead));
        }
        match timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(self.overloaded(place.ahead)),
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.running_limit.saturating_sub(self.permits.available_permits())
    }

    fn overloaded(&self, waiting: usize) -> QueryError {
        QueryError::Overloaded { running: self.running(), waiting, retry_after_seconds: 1 }
    }
}

/// A place in the line, given back when dropped: also when the client goes away while it waits.
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
    use std::time::Duration;

    #[tokio::test]
    async fn past_the_line_queries_are_refused_and_a_freed_permit_is_taken() {
        let admission = Admission::new(1, 1);
        let far = Instant::now() + Duration::from_secs(60);
        let first = admission.enter(far).await.unwrap();
        let waiter = admission.enter(far);
        tokio::pin!(waiter);
        assert!(futures::poll!(&mut waiter).is_pending());
        let refused = admission.enter(far).await.unwrap_err();
        assert_eq!(refused, QueryError::Overloaded { running: 1, waiting: 1, retry_after_seconds: 1 });
        drop(first);
        assert!(waiter.await.is_ok());
    }

    #[tokio::test]
    async fn a_waiter_that_goes_away_frees_its_place() {
        let admission = Admission::new(1, 1);
        let far = Instant::now() + Duration::from_secs(60);
        let _held = admission.enter(far).await.unwrap();
        {
            let waiter = admission.enter(far);
            tokio::pin!(waiter);
            assert!(futures::poll!(&mut waiter).is_pending());
        }
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn waiting_ends_at_the_deadline() {
        let admission = Admission::new(1, 1);
        let past = Instant::now();
        let _held = admission.enter(past).await.unwrap();
        assert_eq!(admission.enter(past).await.unwrap_err().code(), "overloaded");
    }
}
