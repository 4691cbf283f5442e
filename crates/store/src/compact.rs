//! Compaction: sorted segments of one table and day are merged into one, better compressed. Days that are over and
//! stayed small share the segments of their month: names then stand once in a month, not once in a day.
//!
//! The new file and its companions are on disk under their final names before one transaction swaps them for the old
//! ones, so readers see either the old files or the new ones. The old files go when no reader holds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use manometer_model::retention::TableRetention;
use manometer_model::{Keep, rollup_named};

use crate::catalog::segments;
use crate::error::StoreError;
use crate::flush::{new_segments, settle};
use crate::folders::{partition_of_day, partition_of_month};
use crate::inner::Inner;
use crate::maintenance::is_flush_due;
use crate::memory::Change;
use crate::merge_segments::merge_sorted;
use crate::report::CompactReport;
use crate::retain::GoesOn;
use crate::segment::Segment;
use crate::segments::place_durable;

/// Segments of about this size are merged no further.
const TARGET_BYTES: u64 = 256 << 20;

/// A day that is over and smaller than this moves into its month: some millions of test results. What reads a test's
/// history or a service's quarter then opens a few files a month, not one a day.
const SMALL_DAY_BYTES: u64 = 32 << 20;

/// Terms up to this length end while the month of a row is still being put together.
const ONE_MONTH: Keep = Keep::Days(31);

/// Most segments merged at once: bounds open files and memory.
const MOST_INPUTS: usize = 32;

/// So many segments of one level are merged into one of the next, by themselves.
const TIER: usize = 4;

/// So many under load: readers still meet few segments, rows are merged less often, and most of it is done later, when
/// nobody waits for the processors.
const TIER_UNDER_LOAD: usize = 16;

/// Merges the segments of every table and day that are not large enough yet.
pub(crate) fn compact_all(inner: &Inner) -> Result<CompactReport, StoreError> {
    let mut report = CompactReport::default();
    loop {
        let turn = inner.maintenance.lock();
        let Some(work) = find(inner, |segments| gather(segments, 2)) else { return Ok(report) };
        merge(inner, &work, &mut report, &mut || Ok(true))?;
        drop(turn);
    }
}

/// Merges where enough segments of one level have come together, until rows wait to be flushed. `goes_on` is asked from
/// time to time, with `maintenance` held, and may flush: senders wait for a flush that lags behind, nobody waits for a
/// merge.
pub(crate) fn compact_due(inner: &Inner, is_under_load: bool, goes_on: GoesOn<'_>) -> Result<(), StoreError> {
    let mut report = CompactReport::default();
    let least = if is_under_load { TIER_UNDER_LOAD } else { TIER };
    while !inner.bell.is_stopping() {
        let turn = inner.maintenance.lock();
        let Some(work) = find(inner, |segments| one_level(segments, least)) else { return Ok(()) };
        if !merge(inner, &work, &mut report, goes_on)? {
            return Ok(());
        }
        drop(turn);
        tracing::debug!(partition = work.partition, inputs = work.inputs.len(), "merged");
        if is_flush_due(inner) {
            return Ok(());
        }
    }
    Ok(())
}

/// Segments of one table to be merged into one of a partition.
struct Work {
    partition: String,
    inputs: Vec<Arc<Segment>>,
}

/// The first table and partition where `choose` finds segments to merge.
fn find(inner: &Inner, choose: impl Fn(&[Arc<Segment>]) -> Option<Vec<Arc<Segment>>>) -> Option<Work> {
    let today = inner.options.clock.now().day();
    let memory = inner.memory.read();
    // Companions go with the segments they describe.
    for table in memory.tables.iter().filter(|table| rollup_named(table.table.name).is_none()) {
        for (partition, segments) in
            by_destination(&table.segments, inner.options.retention.of(table.table), today)
        {
            let unfinished: Vec<_> =
                segments.into_iter().filter(|segment| segment.size_bytes() < TARGET_BYTES).collect();
            if let Some(inputs) = choose(&unfinished) {
                return Some(Work { partition, inputs });
            }
        }
    }
    None
}

/// The segments by the partition their rows belong to: their own, or its month for a small day that is over.
fn by_destination(
    segments: &[Arc<Segment>],
    policy: &TableRetention,
    today: i32,
) -> BTreeMap<String, Vec<Arc<Segment>>> {
    let mut own: BTreeMap<&str, Vec<Arc<Segment>>> = BTreeMap::new();
    for segment in segments {
        own.entry(&segment.entry().partition).or_default().push(Arc::clone(segment));
    }
    let mut destinations: BTreeMap<String, Vec<Arc<Segment>>> = BTreeMap::new();
    for (partition, members) in own {
        let destination = month_of_small_day(partition, &members, policy, today);
        destinations.entry(destination.unwrap_or_else(|| partition.to_owned())).or_default().extend(members);
    }
    destinations
}

fn month_of_small_day(
    partition: &str,
    members: &[Arc<Segment>],
    policy: &TableRetention,
    today: i32,
) -> Option<String> {
    let day = members.first()?.min_at().day();
    let size: u64 = members.iter().map(|segment| segment.size_bytes()).sum();
    if partition != partition_of_day(day) || day >= today || size >= SMALL_DAY_BYTES {
        return None;
    }
    // A day of which rows go within the month stays by itself until they are gone, so that this costs a file of one
    // day, dropped or written anew, and not the month's again and again.
    let shortest = policy.shortest();
    if shortest <= ONE_MONTH && shortest.ends_on(day).is_some_and(|end| today <= end) {
        return None;
    }
    partition_of_month(day)
}

fn one_level(segments: &[Arc<Segment>], least: usize) -> Option<Vec<Arc<Segment>>> {
    let mut levels: BTreeMap<u8, Vec<Arc<Segment>>> = BTreeMap::new();
    for segment in segments {
        levels.entry(segment.level()).or_default().push(Arc::clone(segment));
    }
    levels.into_values().find_map(|level| gather(&level, least))
}

/// As many of the segments, smallest first, as make one of the target size; `None` when fewer than `least`.
fn gather(segments: &[Arc<Segment>], least: usize) -> Option<Vec<Arc<Segment>>> {
    let mut by_size = segments.to_vec();
    by_size.sort_by_key(|segment| (segment.size_bytes(), segment.id()));
    let mut total = 0;
    let chosen: Vec<_> = by_size
        .into_iter()
        .take(MOST_INPUTS)
        .take_while(|segment| {
            total += segment.size_bytes();
            total <= TARGET_BYTES
        })
        .collect();
    (chosen.len() >= least).then_some(chosen)
}

/// Merges some segments of one table and partition; false when `goes_on` said no. The caller holds `maintenance`.
fn merge(
    inner: &Inner,
    work: &Work,
    report: &mut CompactReport,
    goes_on: GoesOn<'_>,
) -> Result<bool, StoreError> {
    let Work { partition, inputs } = work;
    inner.must_be_open()?;
    let merged: Vec<i64> = inputs.iter().map(|segment| segment.id()).collect();
    let companions = inner.memory.read().companions_of(&merged);
    let Some(mut drafts) = merge_sorted(&inner.space, inputs, &companions, partition, goes_on)? else {
        return Ok(false);
    };
    place_durable(&mut drafts)?;
    let obsolete: Vec<(i64, &str)> = inputs
        .iter()
        .chain(&companions)
        .map(|segment| (segment.id(), segment.entry().file.as_str()))
        .collect();
    let swapped = inner.commit_durable(|connection| {
        for draft in &drafts {
            segments::insert(connection, &draft.entry)?;
        }
        let removed = segments::replace(connection, &obsolete)?;
        if removed != obsolete.len() {
            return Err(rusqlite::Error::StatementChangedRows(removed));
        }
        let change = Change {
            segments: new_segments(inner, &drafts),
            replaced: obsolete.iter().map(|(number, _)| *number).collect(),
            ..Change::default()
        };
        Ok(((), change))
    });
    settle(inner, swapped, drafts, |entry| {
        report.segments_after += u64::from(entry.rolls_up.is_none());
        report.bytes_after += entry.size_bytes;
    })?;
    inner.retain.forget_segments(&merged);
    report.segments_before += inputs.len() as u64;
    report.bytes_before += inputs.iter().chain(&companions).map(|segment| segment.size_bytes()).sum::<u64>();
    report.rows += inputs.iter().map(|segment| segment.rows()).sum::<u64>();
    Ok(true)
}
