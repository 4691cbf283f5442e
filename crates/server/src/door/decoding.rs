//! How many uploads are decoded at once, and how many may wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::error::ApiError;

/// The bounded place where uploads are unpacked and read, on threads that may block.
#[derive(Debug)]
pub(crate) struct Decoding {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Decoding {
    pub(crate) fn new(at_once: usize, most_waiting: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.max(1))), waiting: AtomicUsize::new(0), most_waiting }
    }

    /// Uploads waiting for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread that may block, when it is its turn.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let turn = match Arc::clone(&self.turns).try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let place = Place::take(&self.waiting);
                if place.ahead >= self.most_waiting {
                    let message =
                        format!("{} uploads are waiting already: send it again in 1 s", place.ahead);
                    return Err(ApiError::overloaded(message, 1));
                }
                Arc::clone(&self.turns).acquire_owned().await.map_err(|error| ApiError::internal(&error))?
            }
        };
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(|error| ApiError::internal(&error))
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
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test]
    async fn past_the_line_uploads_are_refused_and_the_ones_in_line_get_their_turn() {
        let decoding = Arc::new(Decoding::new(1, 1));
        let (release, released) = sync_channel::<()>(1);
        let first = decoding.run(move || released.recv().is_ok());
        tokio::pin!(first);
        assert!(futures::poll!(&mut first).is_pending());
        let second = decoding.run(|| 2);
        tokio::pin!(second);
        assert!(futures::poll!(&mut second).is_pending());
        assert_eq!(decoding.waiting(), 1);
        let refused = decoding.run(|| 3).await.unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (503, "overloaded"));
        release.send(()).unwrap();
        assert!(first.await.unwrap());
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(decoding.waiting(), 0);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_its_place_in_line() {
        let decoding = Decoding::new(1, 1);
        let (release, released) = sync_channel::<()>(1);
        let first = decoding.run(move || released.recv().is_ok());
        tokio::pin!(first);
        assert!(futures::poll!(&mut first).is_pending());
        {
            let gone = decoding.run(|| ());
            tokio::pin!(gone);
            assert!(futures::poll!(&mut gone).is_pending());
        }
        assert_eq!(decoding.waiting(), 0);
        release.send(()).unwrap();
        assert!(first.await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_while_reading_is_an_answer_and_frees_the_turn() {
        let decoding = Decoding::new(1, 0);
        let refused = decoding.run(|| panic!("on purpose")).await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 500);
        assert_eq!(decoding.run(|| 1).await.unwrap(), 1);
    }
}
