//! What every handler may use.

use std::sync::Arc;

use manometer_model::{Clock, Limits};
use manometer_query::{Engine, Source};
use manometer_store::Store;

use crate::access::AccessDatabase;
use crate::door::{Decoding, UploadMemory};
use crate::error::ApiError;
use crate::options::Timeouts;
use crate::poll::Polls;
use crate::telemetry::Telemetry;
use crate::webhooks::Webhooks;

/// The server's parts, shared by all requests. Cheap to copy.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

/// The parts themselves.
#[derive(Debug)]
pub struct Inner {
    /// Where deliveries go.
    pub store: Store,
    /// What answers questions.
    pub engine: Engine,
    /// Who may do what.
    pub access: AccessDatabase,
    /// Every limit.
    pub limits: Limits,
    /// The time.
    pub clock: Arc<dyn Clock>,
    pub(crate) hostnames: Vec<String>,
    pub(crate) is_loopback: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) telemetry: Telemetry,
    pub(crate) upload_memory: UploadMemory,
    pub(crate) decoding: Decoding,
    pub(crate) webhooks: Webhooks,
    pub(crate) polls: Arc<Polls>,
}

impl App {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// What queries look at: everything committed up to now.
    pub fn source(&self) -> Arc<dyn Source> {
        self.inner.store.snapshot()
    }

    /// Must callers show a token? On a loopback address only once one was made.
    pub(crate) fn is_guarded(&self) -> Result<bool, ApiError> {
        Ok(!self.inner.is_loopback || self.inner.access.has_tokens()?)
    }

    /// Runs `work`, which reads an upload, on a thread that may block, when it is its turn and the store has room for
    /// what it brings.
    ///
    /// # Errors
    /// 503 when too many wait already, or the store does not get room in time.
    pub(crate) async fn decode<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let store = self.store.clone();
        self.decoding.run(move || store.wait_for_room().map(|()| work())).await?.map_err(ApiError::from)
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}
