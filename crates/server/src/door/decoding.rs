//! How many uploads are decoded at once, and how many may wait for their turn.

use manometer_query::Turns;

use crate::error::ApiError;

/// The bounded place where uploads are unpacked and read, on threads that may block.
#[derive(Debug)]
pub(crate) struct Decoding {
    turns: Turns,
}

impl Decoding {
    pub(crate) fn new(at_once: usize, most_waiting: usize) -> Self {
        Self { turns: Turns::new(at_once, most_waiting) }
    }

    /// Uploads waiting for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.turns.waiting()
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
        let turn = self.turns.take().await.map_err(|full| {
            let message = format!("{} uploads are waiting already: send it again in 1 s", full.waiting);
            ApiError::overloaded(message, 1)
        })?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(|error| ApiError::internal(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
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
    async fn a_panic_while_reading_is_an_answer_and_frees_the_turn() {
        let decoding = Decoding::new(1, 0);
        let refused = decoding.run(|| panic!("on purpose")).await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 500);
        assert_eq!(decoding.run(|| 1).await.unwrap(), 1);
    }
}
