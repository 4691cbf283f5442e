//! A pin held by this process: while it lives, files merged away elsewhere stay in place.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use manometer_model::Clock;
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::catalog::{Access, connect, pins};
use crate::error::{OpenError, StoreError};

/// How long a pin holds without being renewed: what a reader that died may cost in space.
const HOLDS_SECONDS: f64 = 600.0;

/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Shared {
    connection: Mutex<Connection>,
    clock: Arc<dyn Clock>,
    stopping: Mutex<bool>,
    changed: Condvar,
}

/// Removed when dropped; expires by itself when the process dies.
#[derive(Debug)]
pub(crate) struct Pin {
    id: i64,
    shared: Arc<Shared>,
    renewer: Option<JoinHandle<()>>,
}

impl Pin {
    /// Places a pin. What is listed after this returns stays in place.
    pub(crate) fn place(data: &Path, clock: &Arc<dyn Clock>, purpose: &str) -> Result<Self, OpenError> {
        let connection = connect(data, Access::Read)?;
        let expires_at = clock.now().plus_seconds(HOLDS_SECONDS).as_micros();
        let id = pins::place(&connection, purpose, expires_at)
            .map_err(|source| StoreError::Sqlite { doing: "announce a reader", source })?;
        let shared = Arc::new(Shared {
            connection: Mutex::new(connection),
            clock: Arc::clone(clock),
            stopping: Mutex::new(false),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let renewer = thread::Builder::new()
            .name("pin".to_owned())
            .spawn(move || renew(&own, id))
            .map_err(|source| OpenError::Io { path: data.to_owned(), source })?;
        Ok(Self { id, shared, renewer: Some(renewer) })
    }
}

fn renew(shared: &Shared, id: i64) {
    let mut stopping = shared.stopping.lock();
    while !*stopping {
        let timed_out = shared.changed.wait_for(&mut stopping, RENEWED_EVERY).timed_out();
        if *stopping || !timed_out {
            continue;
        }
        let expires_at = shared.clock.now().plus_seconds(HOLDS_SECONDS).as_micros();
        match pins::renew(&shared.connection.lock(), id, expires_at) {
            Ok(true) => {}
            Ok(false) => tracing::warn!("the pin of this reader is gone: files it reads may be removed"),
            Err(error) => tracing::warn!(%error, "the pin of this reader could not be renewed"),
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        *self.shared.stopping.lock() = true;
        self.shared.changed.notify_all();
        if let Some(renewer) = self.renewer.take()
            && renewer.join().is_err()
        {
            tracing::warn!("the thread renewing a pin ended with a panic");
        }
        if let Err(error) = pins::remove(&self.shared.connection.lock(), self.id) {
            tracing::warn!(%error, "a pin could not be removed; it expires by itself");
        }
    }
}
