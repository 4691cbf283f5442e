//! How far a reconciler has come: everything it needs to go on after a restart.

use std::collections::{BTreeMap, BTreeSet};

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Redeliveries, Window};

/// Where a reconciler that has no cursor yet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the runs of the last days, as many as are always listed again.
    Recent,
    /// With a moment of the past: history is filled from there.
    Since(Timestamp),
}

/// The state of a reconciler, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// The moment it was begun at; nothing before it is listed.
    pub begun_at: Timestamp,
    /// Everything asked for before this moment was seen.
    pub covered_until: Timestamp,
    /// The sweep that is under way.
    pub(super) sweep: Option<Sweep>,
    /// Runs that had ended and were told, by key.
    pub(super) settled: BTreeMap<String, Settled>,
    /// Runs that had not ended when they were told, and when they were asked for.
    pub(super) unfinished: BTreeMap<String, Timestamp>,
    /// Deliveries that were asked for again.
    pub(super) redeliveries: Redeliveries,
}

/// One way through the lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sweep {
    /// The span under way, and all that is still to be listed.
    pub(super) window: Window,
    /// Where the sweep began.
    pub(super) from: Timestamp,
    /// Where the sweep ends.
    pub(super) until: Timestamp,
    pub(super) page: u32,
    /// How often the window has been read, from 1.
    pub(super) pass: u32,
    /// Runs seen in this window.
    pub(super) seen: BTreeSet<String>,
}

/// A run that needs no further look while its stamp stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settled {
    pub(super) stamp: String,
    pub(super) created_at: Timestamp,
}

impl Cursor {
    /// The beginning.
    pub(super) fn begin(at: Timestamp) -> Self {
        Self { begun_at: at, covered_until: at, ..Self::default() }
    }
}
