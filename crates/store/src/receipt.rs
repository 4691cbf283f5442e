//! What a sender is told about a delivery, and the promise of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use manometer_model::{Problems, Timestamp};
use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::error::CommitError;

/// What makes two deliveries the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryKey {
    /// Who may use the key: `idempotency-key:<token>`, `webhook:github:<source>`, `save_metrics`, `content`.
    pub scope: String,
    /// The key within that scope.
    pub key: String,
}

/// What is known about a delivery besides its rows; the ledger keeps it.
#[derive(Debug, Clone)]
pub struct DeliveryInfo {
    /// Makes repetitions known.
    pub key: DeliveryKey,
    /// 128-bit hash of the body as the sender meant it: tells a repetition from a misuse of the key.
    pub body_hash: u128,
    /// The door it came through: `reports`, `records`, `save_metrics`, `github`, …
    pub source: String,
    /// What it was: `junit`, `ndjson`, `workflow_run`, …
    pub kind: String,
    /// Repository it is about, where one is known.
    pub project: Option<String>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Size as sent.
    pub size_bytes: u64,
    /// What its reader could not use.
    pub problems: Problems,
    /// Is its key kept for ever (a natural key), rather than for the time senders repeat themselves?
    pub permanent: bool,
}

/// Proof that a delivery is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Unique; sorts by time of arrival (26 letters and digits).
    pub id: String,
    /// When the delivery arrived.
    pub received_at: Timestamp,
    /// Rows taken, by table.
    pub rows: BTreeMap<String, u64>,
    /// How many problems its reader met.
    pub problems: u64,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk.
    Committed(Receipt),
    /// The same key and body arrived before: nothing was done, this is the first receipt.
    Known(Receipt),
    /// The same key arrived before with another body: nothing was done, this is the receipt of the first.
    Conflict(Receipt),
}

impl Receipt {
    /// The receipt a delivery gets if it is committed. Its id is made of the time of arrival and a hash of the
    /// key, which the ledger holds only once.
    pub(crate) fn for_delivery(info: &DeliveryInfo, rows: BTreeMap<String, u64>) -> Self {
        let mut hasher = Xxh3Default::new();
        for part in [&info.key.scope, &info.key.key] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&info.body_hash.to_le_bytes());
        let milliseconds = info.received_at.as_micros().max(0).unsigned_abs() / 1_000;
        Self {
            id: sortable_id(milliseconds, hasher.digest128()),
            received_at: info.received_at,
            rows,
            problems: info.problems.total,
        }
    }
}

impl Receipt {
    /// Takes rows of a table back that turned out to be known.
    pub(crate) fn take_back(&mut self, table: &str, rows: u64) {
        if let Some(count) = self.rows.get_mut(table) {
            *count = count.saturating_sub(rows);
        }
        self.rows.retain(|_, count| *count > 0);
    }
}

/// 48 bits of time, then 80 bits of hash, in 26 digits of base 32 that sort like the number (the form of a ULID).
fn sortable_id(milliseconds: u64, hash: u128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = (u128::from(milliseconds) << 80) | (hash & ((1 << 80) - 1));
    (0..26).rev().map(|place| char::from(DIGITS[((bits >> (5 * place)) & 31) as usize])).collect()
}

impl Outcome {
    /// The receipt, whichever way it went.
    pub const fn receipt(&self) -> &Receipt {
        match self {
            Self::Committed(receipt) | Self::Known(receipt) | Self::Conflict(receipt) => receipt,
        }
    }
}

type Answer = Result<Outcome, CommitError>;

#[derive(Default)]
struct Slot {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    answered: Condvar,
}

/// The receipt to come. Await it, or block on [`PendingReceipt::wait`]. Dropping it does not take the
/// delivery back.
#[must_use = "a delivery is stored only when its receipt is `Committed`"]
pub struct PendingReceipt {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for PendingReceipt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PendingReceipt").finish_non_exhaustive()
    }
}

/// The committer's end: answers exactly once; dropped unanswered it answers [`CommitError::Closed`].
pub(crate) struct ReceiptPromise {
    shared: Option<Arc<Shared>>,
}

/// Makes both ends.
pub(crate) fn promise() -> (ReceiptPromise, PendingReceipt) {
    let shared = Arc::new(Shared::default());
    (ReceiptPromise { shared: Some(Arc::clone(&shared)) }, PendingReceipt { shared })
}

impl std::fmt::Debug for ReceiptPromise {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ReceiptPromise").finish_non_exhaustive()
    }
}

impl ReceiptPromise {
    pub(crate) fn answer(mut self, answer: Answer) {
        self.deliver(answer);
    }

    fn deliver(&mut self, answer: Answer) {
        let Some(shared) = self.shared.take() else { return };
        let waker = {
            let mut slot = shared.slot.lock();
            slot.answer = Some(answer);
            slot.waker.take()
        };
        shared.answered.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for ReceiptPromise {
    fn drop(&mut self) {
        self.deliver(Err(CommitError::Closed));
    }
}

impl PendingReceipt {
    /// Blocks until the answer is there.
    ///
    /// # Errors
    /// When the delivery was not committed.
    pub fn wait(self) -> Result<Outcome, CommitError> {
        let mut slot = self.shared.slot.lock();
        loop {
            if let Some(answer) = slot.answer.take() {
                return answer;
            }
            self.shared.answered.wait(&mut slot);
        }
    }
}

impl Future for PendingReceipt {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut slot = self.shared.slot.lock();
        if let Some(answer) = slot.answer.take() {
            return Poll::Ready(answer);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
