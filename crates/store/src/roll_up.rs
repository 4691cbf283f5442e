//! Rolling up what has no companions yet: segments of older versions of the program or of the roll-ups' definitions.
//!
//! One segment a step: its companions are on disk under their final names before one transaction lists them, and takes
//! those of older definitions off the list. Until then queries read the rows themselves.

use std::sync::Arc;

use manometer_model::rollup::ROLLUP_VERSION;

use crate::catalog::segments;
use crate::companions::Companions;
use crate::error::StoreError;
use crate::flush::{new_segments, settle};
use crate::inner::Inner;
use crate::maintenance::is_flush_due;
use crate::memory::Change;
use crate::segment::Segment;
use crate::segments::{SegmentDraft, SegmentRows, place_durable};

/// Rolls up every segment that was not.
pub(crate) fn roll_up_all(inner: &Inner) -> Result<(), StoreError> {
    while roll_up_one(inner)? {}
    Ok(())
}

/// Rolls up segments that were not, until rows wait to be flushed.
pub(crate) fn roll_up_due(inner: &Inner) -> Result<(), StoreError> {
    while !inner.bell.is_stopping() && roll_up_one(inner)? && !is_flush_due(inner) {}
    Ok(())
}

/// Rolls up one segment; false when there is none to be rolled up.
fn roll_up_one(inner: &Inner) -> Result<bool, StoreError> {
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let Some(segment) = next(inner) else { return Ok(false) };
    let mut drafts = write_companions(inner, &segment)?;
    place_durable(&mut drafts)?;
    let outdated = inner.memory.read().companions_of(&[segment.id()]);
    let obsolete: Vec<(i64, &str)> =
        outdated.iter().map(|companion| (companion.id(), companion.entry().file.as_str())).collect();
    let listed = inner.commit_durable(|connection| {
        for draft in &drafts {
            segments::insert(connection, &draft.entry)?;
        }
        segments::replace(connection, &obsolete)?;
        if !segments::set_rolled_up(connection, segment.id(), ROLLUP_VERSION)? {
            return Err(rusqlite::Error::StatementChangedRows(0));
        }
        let change = Change {
            segments: new_segments(inner, &drafts),
            replaced: obsolete.iter().map(|(number, _)| *number).collect(),
            rolled_up: vec![Arc::clone(&segment)],
            ..Change::default()
        };
        Ok(((), change))
    });
    settle(inner, listed, drafts, |_| {})?;
    drop(turn);
    tracing::debug!(file = segment.entry().file, "rolled up");
    Ok(true)
}

fn next(inner: &Inner) -> Option<Arc<Segment>> {
    let memory = inner.memory.read();
    let mut all = memory.tables.iter().flat_map(|table| table.segments.iter());
    all.find(|segment| segment.rolls_up().is_none() && !segment.is_rolled_up()).map(Arc::clone)
}

fn write_companions(inner: &Inner, segment: &Segment) -> Result<Vec<SegmentDraft>, StoreError> {
    let entry = segment.entry();
    let table = segment.table();
    let Some(mut companions) = Companions::new(&inner.space, table, &entry.partition, entry.level)? else {
        return Ok(Vec::new());
    };
    for rows in SegmentRows::open(&inner.space, segment)? {
        companions.add(&rows?)?;
    }
    companions.finish_durable(segment.id())
}
