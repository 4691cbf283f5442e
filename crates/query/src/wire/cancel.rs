//! Cancelling: a second connection names a first by the numbers it was given, and its running query ends.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use tokio::sync::Notify;

/// Every connection that can be cancelled.
#[derive(Default)]
pub(super) struct Cancellations {
    next: AtomicI32,
    known: std::sync::Mutex<HashMap<(i32, i32), Arc<Cancellation>>>,
}

impl fmt::Debug for Cancellations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cancellations").finish_non_exhaustive()
    }
}

/// The wish that one connection's running query ends.
#[derive(Debug, Default)]
pub(super) struct Cancellation {
    is_wanted: AtomicBool,
    wanted: Notify,
}

/// A connection's place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    all: Arc<Cancellations>,
    key: (i32, i32),
    pub(super) cancellation: Arc<Cancellation>,
}

impl Registered {
    /// The numbers by which to cancel.
    pub(super) fn key(&self) -> (i32, i32) {
        self.key
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

impl Cancellations {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(i32, i32), Arc<Cancellation>>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A place for a connection, with a number nobody can guess.
    pub(super) fn register(self: &Arc<Self>) -> Result<Registered, getrandom::Error> {
        let mut secret = [0_u8; 4];
        getrandom::fill(&mut secret)?;
        let process = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
        let key = (process, i32::from_be_bytes(secret));
        let cancellation = Arc::new(Cancellation::default());
        self.lock().insert(key, Arc::clone(&cancellation));
        Ok(Registered { all: Arc::clone(self), key, cancellation })
    }

    /// Ends the running query of the connection with these numbers; nothing where there is none.
    pub(super) fn cancel(&self, process: i32, secret: i32) {
        if let Some(cancellation) = self.lock().get(&(process, secret)) {
            cancellation.is_wanted.store(true, Ordering::SeqCst);
            cancellation.wanted.notify_waiters();
        }
    }
}

impl Cancellation {
    /// A query begins: a wish from before was for another.
    pub(super) fn begin(&self) {
        self.is_wanted.store(false, Ordering::SeqCst);
    }

    /// Comes back when the running query shall end.
    pub(super) async fn wanted(&self) {
        loop {
            let notified = self.wanted.notified();
            if self.is_wanted.load(Ordering::SeqCst) {
                return;
            }
            notified.await;
        }
    }
}
