//! Companions: the roll-ups of exactly the rows of one segment, each a segment of its own beside it.
//!
//! ```text
//! sorted rows ──► segment of tests ────────────────┐
//!      └► Groups (tests_hourly) ──► its companion ──┤ listed, swapped and
//!             └► Groups (tests_daily) ──► … ────────┘ checked together
//! ```
//!
//! They are made by whoever writes the segment, from the rows that pass: at a flush, for a bulk delivery, at a merge.
//! Of a scattered roll-up, as that of runs, the rows behind a row are not beside each other there, and each would be
//! looked up alone. So a flush tells it of the rows in the order of their arrival, and a merge of the companions of what
//! is merged.
//!
//! So a companion describes its segment whatever the rows are (late, of many days, executed again), and a snapshot that
//! shows the segment shows its companions.
//!
//! **Invariants:** a companion names its segment (`rolls_up`) and has the partition and level of it; the row counts of
//! a companion add up to the rows of its segment. Rows of one companion may agree in all dimensions: groups are written
//! early when memory is short.

mod alike;
mod groups;
mod totals;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use manometer_model::rollup::{ROLLUP_VERSION, rollups, rollups_of};
use manometer_model::{Rollup, Table};

use crate::error::StoreError;
use crate::segments::{SegmentDraft, SegmentFile, SegmentSpace};
use groups::Groups;

pub(crate) use totals::Totals;

/// The companions of a segment being written.
pub(crate) struct Companions {
    /// In the order of their definitions: each after the one it is made of.
    rolling: Vec<Rolling>,
    place: Place,
    /// Are scattered roll-ups told of their rows apart from the others?
    is_told_apart: bool,
}

/// Where companions are written.
struct Place {
    space: Arc<SegmentSpace>,
    partition: String,
    level: u8,
}

struct Rolling {
    rollup: &'static Rollup,
    groups: Groups,
    /// Begun with the first groups that are written.
    file: Option<SegmentFile>,
}

impl Companions {
    /// Companions for a segment of `facts`; `None` where the table has no roll-ups.
    pub(crate) fn new(
        space: &Arc<SegmentSpace>,
        facts: &'static Table,
        partition: &str,
        level: u8,
    ) -> Result<Option<Self>, StoreError> {
        let mut rolling = Vec::new();
        for rollup in rollups_of(facts) {
            let columns = rollup.base.and_then(|base| rollups().get(base)).map_or(facts, |base| base.table);
            let groups = Groups::new(rollup, columns).map_err(rolling_up)?;
            rolling.push(Rolling { rollup, groups, file: None });
        }
        let place = Place { space: Arc::clone(space), partition: partition.to_owned(), level };
        Ok((!rolling.is_empty()).then_some(Self { rolling, place, is_told_apart: false }))
    }

    /// Takes rows that are written to the segment.
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<(), StoreError> {
        let is_told_apart = self.is_told_apart;
        let takes = |rollup: &Rollup| rollup.base.is_none() && !(rollup.is_scattered && is_told_apart);
        self.tell(takes, |groups| groups.add_facts(rows))
    }

    /// The scattered roll-ups, which are told of their rows apart from now on.
    pub(crate) fn scattered_apart(&mut self) -> Vec<&'static Rollup> {
        self.is_told_apart = true;
        self.rolling.iter().map(|rolling| rolling.rollup).filter(|rollup| rollup.is_scattered).collect()
    }

    /// Tells the scattered roll-ups of rows of the segment, of which their columns are enough.
    pub(crate) fn add_scattered(&mut self, rows: &RecordBatch) -> Result<(), StoreError> {
        self.tell(|rollup| rollup.is_scattered, |groups| groups.add_facts(rows))
    }

    /// Forgets all that scattered roll-ups were told; from now on they are told of rows with the others.
    pub(crate) fn scattered_together(&mut self) -> Result<(), StoreError> {
        self.is_told_apart = false;
        for rolling in self.rolling.iter_mut().filter(|rolling| rolling.rollup.is_scattered) {
            rolling.groups = Groups::new(rolling.rollup, rolling.rollup.facts).map_err(rolling_up)?;
            rolling.file = None;
        }
        Ok(())
    }

    /// Tells a scattered roll-up of rows of its own.
    pub(crate) fn add_rolled_up(&mut self, rollup: &Rollup, rows: RecordBatch) -> Result<(), StoreError> {
        self.tell(|known| std::ptr::eq(known, rollup), |groups| groups.add_rolled_up(rows.clone()))
    }

    fn tell(
        &mut self,
        takes: impl Fn(&Rollup) -> bool,
        add: impl Fn(&mut Groups) -> Result<(), ArrowError>,
    ) -> Result<(), StoreError> {
        for number in 0..self.rolling.len() {
            let Some(rolling) = self.rolling.get_mut(number) else { break };
            if takes(rolling.rollup) {
                add(&mut rolling.groups).map_err(rolling_up)?;
                if rolling.groups.are_many() {
                    self.write_groups(number)?;
                }
            }
        }
        Ok(())
    }

    /// Writes what was put together so far of one roll-up, and hands it on to those made of it.
    fn write_groups(&mut self, number: usize) -> Result<(), StoreError> {
        let Some(rolling) = self.rolling.get_mut(number) else { return Ok(()) };
        let table = rolling.rollup.table;
        let Some(emitted) = rolling.groups.take().map_err(rolling_up)? else { return Ok(()) };
        let file = match &mut rolling.file {
            Some(file) => file,
            none => {
                let Place { space, partition, level } = &self.place;
                none.insert(SegmentFile::create(space, table, partition, *level)?)
            }
        };
        file.write(&emitted.batch)?;
        for dependent in number + 1..self.rolling.len() {
            let Some(other) = self.rolling.get_mut(dependent) else { break };
            let base = other.rollup.base.and_then(|base| rollups().get(base));
            if base.is_some_and(|base| std::ptr::eq(base.table, table)) {
                other.groups.add_states(&emitted).map_err(rolling_up)?;
                if other.groups.are_many() {
                    self.write_groups(dependent)?;
                }
            }
        }
        Ok(())
    }

    /// Completes the companions of the segment with this number and returns when they are on disk, in `tmp/`.
    pub(crate) fn finish_durable(mut self, segment: i64) -> Result<Vec<SegmentDraft>, StoreError> {
        let mut drafts = Vec::with_capacity(self.rolling.len());
        for number in 0..self.rolling.len() {
            self.write_groups(number)?;
        }
        for rolling in self.rolling {
            let Some(file) = rolling.file else { continue };
            for mut draft in file.finish_durable()? {
                draft.entry.rolls_up = Some(segment);
                draft.entry.rollup_version = ROLLUP_VERSION;
                drafts.push(draft);
            }
        }
        Ok(drafts)
    }
}

const fn rolling_up(source: ArrowError) -> StoreError {
    StoreError::Arrow { doing: "roll rows up", source }
}
