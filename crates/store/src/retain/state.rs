//! What retention remembers while the store is open.

use std::collections::HashMap;

use manometer_model::stored_tables;
use parking_lot::Mutex;

use super::{Terms, policy_number};
use crate::inner::Inner;
use crate::schema::table_index;

/// What was removed of one table since the store was opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Removed {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// How far retention got.
#[derive(Debug, Default)]
pub(crate) struct RetainState {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    /// Terms of segments whose rows were looked at, under the policy of today.
    examined: HashMap<i64, Terms>,
    /// By table.
    removed: HashMap<usize, Removed>,
    /// The day, and the number of the next segment, for which there is nothing left to do.
    settled: Option<(i32, i64)>,
    /// The day for which all entities were looked at.
    entities_settled: Option<i32>,
}

impl RetainState {
    /// Takes up what was noted of segments before, where it was under the policies of `options`.
    pub(crate) fn new(noted: Vec<(i64, u64, Terms)>, retention: &manometer_model::Retention) -> Self {
        let policies: Vec<u64> =
            stored_tables().iter().map(|table| policy_number(retention.of(table), table)).collect();
        let examined = noted
            .into_iter()
            .filter(|(_, policy, _)| policies.contains(policy))
            .map(|(segment, _, terms)| (segment, terms))
            .collect();
        Self { inside: Mutex::new(Inside { examined, ..Inside::default() }) }
    }

    pub(crate) fn examined(&self, segment: i64) -> Option<Terms> {
        self.inside.lock().examined.get(&segment).copied()
    }

    pub(crate) fn note_examined(&self, segment: i64, terms: Terms) {
        self.inside.lock().examined.insert(segment, terms);
    }

    pub(crate) fn forget_segments(&self, segments: &[i64]) {
        let mut inside = self.inside.lock();
        for segment in segments {
            inside.examined.remove(segment);
        }
    }

    pub(crate) fn count(&self, table: &'static manometer_model::Table, rows: u64, bytes: u64) {
        let Some(index) = table_index(table) else { return };
        let mut inside = self.inside.lock();
        let removed = inside.removed.entry(index).or_default();
        removed.rows += rows;
        removed.bytes += bytes;
    }

    /// What was removed of the table at a position.
    pub(crate) fn removed(&self, index: usize) -> Removed {
        self.inside.lock().removed.get(&index).copied().unwrap_or_default()
    }

    /// Is there nothing left to do about segments today?
    pub(crate) fn is_settled(&self, today: i32, next_segment: i64) -> bool {
        self.inside.lock().settled == Some((today, next_segment))
    }

    pub(crate) fn settle(&self, today: i32, next_segment: i64) {
        self.inside.lock().settled = Some((today, next_segment));
    }

    /// Something may be left to do, whatever was found before.
    pub(crate) fn unsettle(&self) {
        let mut inside = self.inside.lock();
        (inside.settled, inside.entities_settled) = (None, None);
    }

    pub(crate) fn are_entities_settled(&self, today: i32) -> bool {
        self.inside.lock().entities_settled == Some(today)
    }

    pub(crate) fn settle_entities(&self, today: i32) {
        self.inside.lock().entities_settled = Some(today);
    }
}

/// Today, as the store's clock says.
pub(super) fn today(inner: &Inner) -> i32 {
    inner.options.clock.now().day()
}
