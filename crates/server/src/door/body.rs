//! Request bodies in memory: bounded each, bounded all together, and not waited for without end.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::error::ApiError;
use crate::options::Timeouts;

/// The memory all request bodies share, counted in pages of 4 KiB.
#[derive(Debug, Clone)]
pub(crate) struct UploadMemory {
    pages: Arc<Semaphore>,
}

const PAGE_BYTES: usize = 4 * 1024;

/// First capacity of a body that does not arrive in one piece.
const FIRST_BYTES: usize = 64 * 1024;

impl UploadMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        let pages = (bytes / PAGE_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self { pages: Arc::new(Semaphore::new(pages)) }
    }

    /// Takes memory, or refuses at once: a request that waited for memory while holding some could wait for ever.
    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let pages = u32::try_from(bytes.div_ceil(PAGE_BYTES)).unwrap_or(u32::MAX);
        Arc::clone(&self.pages).try_acquire_many_owned(pages).map_err(|_| {
            ApiError::overloaded("too many uploads at once: send it again in 2 s", 2).ending_connection()
        })
    }
}

/// A body, and its claim on the shared memory, which ends with it.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) bytes: Bytes,
    claim: Option<OwnedSemaphorePermit>,
}

impl Upload {
    /// The bytes, and what has to be kept as long as they are in use.
    pub(crate) fn into_parts(self) -> (Bytes, impl Send + Sync + 'static) {
        (self.bytes, self.claim)
    }
}

/// Reads a body of at most `most_bytes`.
///
/// # Errors
/// 413 past the limit (at once, where the length is declared), 408 for a sender that is silent or too slow,
/// 503 when the memory for bodies is used up, 400 when the body ends early or is badly framed.
pub(crate) async fn read_body(
    body: Body,
    headers: &HeaderMap,
    most_bytes: usize,
    memory: &UploadMemory,
    timeouts: &Timeouts,
) -> Result<Upload, ApiError> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > most_bytes as u64) {
        return Err(too_large(most_bytes));
    }
    let expected = declared.and_then(|length| usize::try_from(length).ok());
    let mut reader = Reader { body, started: Instant::now(), received: 0, timeouts };
    let Some(first) = reader.next().await? else { return Ok(Upload { bytes: Bytes::new(), claim: None }) };
    if first.len() > most_bytes {
        return Err(too_large(most_bytes));
    }
    if reader.body.is_end_stream() {
        let claim = memory.take(first.len())?;
        return Ok(Upload { bytes: first, claim: Some(claim) });
    }

    let mut collected = Vec::new();
    let mut claim: Option<OwnedSemaphorePermit> = None;
    let mut piece = first;
    loop {
        let needed = collected.len() + piece.len();
        if needed > most_bytes {
            return Err(too_large(most_bytes));
        }
        if needed > collected.capacity() {
            let doubled = (collected.capacity() * 2).max(FIRST_BYTES).min(expected.unwrap_or(most_bytes));
            let capacity = doubled.max(needed);
            let more = memory.take(capacity - collected.capacity())?;
            match &mut claim {
                Some(claim) => claim.merge(more),
                None => claim = Some(more),
            }
            collected.reserve_exact(capacity - collected.len());
        }
        collected.extend_from_slice(&piece);
        match reader.next().await? {
            Some(next) => piece = next,
            None => return Ok(Upload { bytes: Bytes::from(collected), claim }),
        }
    }
}

struct Reader<'a> {
    body: Body,
    started: Instant,
    received: u64,
    timeouts: &'a Timeouts,
}

impl Reader<'_> {
    /// The next piece that is not empty; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let earned = self.received as f64 / self.timeouts.least_bytes_per_second.max(1) as f64;
            let deadline = self.timeouts.body.as_secs_f64() + earned;
            if self.started.elapsed().as_secs_f64() > deadline {
                return Err(too_slow("the body arrives too slowly"));
            }
            let Ok(frame) = timeout(self.timeouts.idle, self.body.frame()).await else {
                return Err(too_slow("nothing more of the body arrived"));
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| {
                let message = format!("the body ended early or is badly framed: {error}");
                ApiError::bad_request("broken_body", message).ending_connection()
            })?;
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                self.received += data.len() as u64;
                return Ok(Some(data));
            }
        }
    }
}

fn too_large(most_bytes: usize) -> ApiError {
    let message = format!(
        "the body is larger than {most_bytes} bytes (limit `body_bytes`): pack it, or send it in parts"
    );
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message).ending_connection()
}

fn too_slow(what: &str) -> ApiError {
    let message = format!("{what}: send it again over a better connection, or in smaller parts");
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message).ending_connection()
}
