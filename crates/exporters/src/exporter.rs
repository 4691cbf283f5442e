//! What every exporter does, and what it tells afterwards.

use std::fmt;

use manometer_model::{Problem, Problems};

use crate::deadline::Deadline;
use crate::records::Batch;

/// Sends records to one other system.
pub trait Exporter: Send + fmt::Debug {
    /// The kind of system, as in settings: `influxdb`.
    fn name(&self) -> &'static str;

    /// Where it sends to, for people; without credentials.
    fn destination(&self) -> &str;

    /// Sends what the records of a batch mean in its dialect, and returns at the latest when `deadline` has passed.
    ///
    /// Records its dialect has no word for are passed over.
    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport;
}

/// What became of one call of [`Exporter::export`]. Counts are items of the dialect: points, lines, spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Taken by the other side; for UDP handed to the network, which promises nothing.
    pub sent: u64,
    /// Refused for good by the other side: sending them again would not help.
    pub dropped: u64,
    /// Not delivered in time: the other side was away, busy or slow.
    pub undelivered: u64,
    /// Why, naming lines where the other side did.
    pub problems: Problems,
}

impl ExportReport {
    /// Was everything taken?
    pub fn is_complete(&self) -> bool {
        self.dropped == 0 && self.undelivered == 0
    }

    /// Counts items the other side refused.
    pub(crate) fn drop_items(&mut self, items: u64, why: impl Into<String>) {
        self.dropped += items;
        self.problems.push(Problem::new(why));
    }

    /// Counts items that did not arrive in time.
    pub(crate) fn leave_items(&mut self, items: u64, why: impl Into<String>) {
        self.undelivered += items;
        self.problems.push(Problem::new(why));
    }

    /// Adds what became of another part of the same records.
    pub fn absorb(&mut self, other: Self) {
        self.sent += other.sent;
        self.dropped += other.dropped;
        self.undelivered += other.undelivered;
        self.problems.absorb(other.problems, None);
    }
}
