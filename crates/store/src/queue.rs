//! What waits for the committer: bounded in number and in bytes.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::delivery::Delivery;
use crate::error::SubmitError;
use crate::receipt::{PendingReceipt, ReceiptPromise, promise};

/// Most deliveries of one transaction.
const GROUP_REQUESTS: usize = 1_024;

/// Encoded bytes after which a transaction takes no further delivery.
const GROUP_BYTES: usize = 32 << 20;

/// A delivery and whom to answer.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) promise: ReceiptPromise,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    bytes: usize,
    closed: bool,
}

/// The queue between submitters and the committer.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    most_requests: usize,
    most_bytes: usize,
}

impl Queue {
    pub(crate) fn new(most_requests: usize, most_bytes: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), most_requests, most_bytes }
    }

    /// Adds a delivery without blocking. A delivery larger than the whole queue passes when it is empty.
    pub(crate) fn push(&self, delivery: Delivery) -> Result<PendingReceipt, SubmitError> {
        let bytes = delivery.memory_bytes();
        let mut state = self.state.lock();
        if state.closed {
            return Err(SubmitError::Closed);
        }
        let full =
            state.jobs.len() >= self.most_requests || state.bytes.saturating_add(bytes) > self.most_bytes;
        if full && !state.jobs.is_empty() {
            return Err(SubmitError::Overloaded { retry_after_seconds: 1 });
        }
        let (promise, pending) = promise();
        state.bytes += bytes;
        state.jobs.push_back(Job { delivery, promise });
        drop(state);
        self.changed.notify_one();
        Ok(pending)
    }

    /// Waits for deliveries and takes as many as one transaction should hold; `None` once closed and empty.
    pub(crate) fn take_group(&self) -> Option<Vec<Job>> {
        let mut state = self.state.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
        let mut group = Vec::new();
        let mut bytes = 0;
        while group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
            let Some(job) = state.jobs.pop_front() else { break };
            bytes += job.delivery.memory_bytes();
            group.push(job);
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        Some(group)
    }

    /// Takes no more deliveries; what is queued is still committed.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes no more deliveries and drops those queued, which answers their senders.
    pub(crate) fn abandon(&self) {
        let dropped = {
            let mut state = self.state.lock();
            state.closed = true;
            state.bytes = 0;
            std::mem::take(&mut state.jobs)
        };
        drop(dropped);
        self.changed.notify_all();
    }

    /// Deliveries waiting, and their bytes.
    pub(crate) fn depth(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.jobs.len() as u64, state.bytes as u64)
    }
}
