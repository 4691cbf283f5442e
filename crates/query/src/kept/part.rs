//! Which part of a segment a query needs, where it is small enough to be kept.

use std::path::PathBuf;
use std::sync::Arc;

use manometer_model::Bucket;

use crate::SegmentFile;
use crate::table::row_groups::RowGroup;

/// Most rows that a part should have, by what the catalog knows of the segment.
const MOST_ROWS: u64 = 64 * 1024;
/// Rows up to which all of a companion are read, whatever is asked for: to find out which are needed takes longer.
const FEW_ROWS: u64 = 8 * 1024;
/// Most bytes of the file that it should take.
const MOST_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Days, or hours, that are looked at one by one: the ends of a range.
const MOST_BUCKETS: i64 = 2;

/// Some rows of a segment, or all.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(super) path: Arc<PathBuf>,
    pub(super) size_bytes: u64,
    pub(super) which: Which,
    /// Rows, about.
    pub(crate) rows: u64,
    /// Bytes of the file that hold them, about.
    pub(super) file_bytes: u64,
}

/// Which rows of a segment a part has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Which {
    All,
    /// Those of a day or an hour: from the first moment to the first one after it, in microseconds since 1970.
    Times(i64, i64),
    /// Those of the row group with this number.
    RowGroup(usize),
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.which == other.which
    }
}

impl Eq for Part {}

impl std::hash::Hash for Part {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.path.hash(state);
        self.which.hash(state);
    }
}

/// The parts of a segment that hold all its rows of a range (its first and its last moment): the days or hours that the
/// range takes, and of short companions all. `None` where these are not few and small; of a companion it may still be
/// [row groups](parts_of_chosen).
pub(crate) fn parts_of(segment: &SegmentFile, range: Option<(i64, i64)>) -> Option<Vec<Part>> {
    if segment.rows <= FEW_ROWS
        && let Some(whole) = parts_of_chosen(segment, None)
    {
        return Some(whole);
    }
    let (first, last) = range?;
    let (min, max) = (segment.min_at.as_micros(), segment.max_at.as_micros());
    let (first, last) = (first.max(min), last.min(max));
    if first > last {
        return None;
    }
    let span = max.saturating_sub(min).max(1).unsigned_abs();
    for bucket in [Bucket::Day, Bucket::Hour] {
        let width = bucket.micros();
        let (from, to) = (bucket.start_of(first), bucket.start_of(last));
        let count = to.saturating_sub(from) / width + 1;
        let share = |whole: u64| {
            let part = u128::from(whole) * u128::from(width.unsigned_abs()) / u128::from(span);
            u64::try_from(part).unwrap_or(whole).min(whole)
        };
        let (rows, bytes) = (share(segment.rows), share(segment.size_bytes));
        if count <= MOST_BUCKETS && is_small(rows, bytes) {
            let starts = (0..count).map(|number| from + number * width);
            let of_times = |start| part(segment, Which::Times(start, start + width), rows, bytes);
            return Some(starts.map(of_times).collect());
        }
    }
    None
}

/// The parts of a companion that are these row groups, all of it where none are named: the rows of one service lie in
/// few of them. `None` where they are not small, and for segments that are no companions.
pub(crate) fn parts_of_chosen(segment: &SegmentFile, row_groups: Option<&[RowGroup]>) -> Option<Vec<Part>> {
    let parts = match row_groups {
        None => vec![part(segment, Which::All, segment.rows, segment.size_bytes)],
        Some(row_groups) => row_groups
            .iter()
            .map(|group| part(segment, Which::RowGroup(group.number), group.rows, group.bytes))
            .collect(),
    };
    let are_small = is_small(parts.iter().map(|part| part.rows).sum(), file_bytes(&parts));
    (segment.rolls_up.is_some() && are_small).then_some(parts)
}

/// Bytes of files that hold these parts, about.
pub(super) fn file_bytes(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.file_bytes).sum()
}

fn part(segment: &SegmentFile, which: Which, rows: u64, file_bytes: u64) -> Part {
    let path = Arc::new(segment.path.clone());
    Part { path, size_bytes: segment.size_bytes, which, rows, file_bytes }
}

const fn is_small(rows: u64, bytes: u64) -> bool {
    rows <= MOST_ROWS && bytes <= MOST_FILE_BYTES
}

#[cfg(test)]
mod tests {
    use manometer_model::Timestamp;

    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const DAY: i64 = 24 * HOUR;

    fn segment(rows: u64, days: i64) -> SegmentFile {
        SegmentFile {
            id: 1,
            rolls_up: None,
            path: PathBuf::from("/a"),
            rows,
            size_bytes: rows * 10,
            min_at: Timestamp::from_micros(100 * DAY),
            max_at: Timestamp::from_micros((100 + days) * DAY - 1),
            projects: None,
        }
    }

    fn times(segment: &SegmentFile, first: i64, last: i64) -> Option<Vec<(i64, i64)>> {
        let of_part = |part: Part| match part.which {
            Which::Times(start, end) => Some((start, end)),
            _ => None,
        };
        let parts = parts_of(segment, Some((first, last)))?;
        Some(parts.into_iter().filter_map(of_part).collect())
    }

    #[test]
    fn the_end_of_a_range_is_a_day_where_days_are_small_else_an_hour() {
        let small = segment(600_000, 30);
        let noon = 101 * DAY + 12 * HOUR;
        assert_eq!(times(&small, noon + 5, 102 * DAY - 1), Some(vec![(101 * DAY, 102 * DAY)]));
        let large = segment(600_000, 1);
        let cut = 100 * DAY + 7 * HOUR;
        assert_eq!(times(&large, cut + 5, cut + HOUR - 1), Some(vec![(cut, cut + HOUR)]));
        assert_eq!(times(&large, cut + 5, cut + 5 * HOUR), None);
        assert_eq!(times(&segment(90_000_000, 1), cut, cut + 1), None);
    }

    #[test]
    fn a_range_across_midnight_takes_both_days_and_one_of_more_is_read() {
        let small = segment(600_000, 30);
        let days = |first, last| times(&small, first * DAY + HOUR, last * DAY + HOUR);
        assert_eq!(days(103, 104), Some(vec![(103 * DAY, 104 * DAY), (104 * DAY, 105 * DAY)]));
        assert_eq!(days(103, 105), None);
        assert_eq!(days(0, 99), None, "before all rows");
        assert_eq!(times(&small, i64::MIN, 100 * DAY), Some(vec![(100 * DAY, 101 * DAY)]));
        assert_eq!(times(&small, 129 * DAY, i64::MAX), Some(vec![(129 * DAY, 130 * DAY)]));
        assert_eq!(times(&small, i64::MIN, i64::MAX), None);
    }

    #[test]
    fn short_companions_are_kept_whole_and_others_by_their_times() {
        let companion = |rows| SegmentFile { rolls_up: Some(7), ..segment(rows, 30) };
        assert_eq!(parts_of(&companion(1_000), None).map(|parts| parts.len()), Some(1));
        assert!(parts_of(&companion(10_000), None).is_none());
        let noon = 101 * DAY + 12 * HOUR;
        assert_eq!(times(&companion(1_000_000), noon, noon + HOUR).map(|parts| parts.len()), Some(1));
        assert!(parts_of(&segment(1_000, 30), None).is_none());
    }

    #[test]
    fn of_a_large_companion_few_row_groups_are_kept() {
        let companion = SegmentFile { rolls_up: Some(7), ..segment(1_000_000, 30) };
        let groups = |count| -> Vec<RowGroup> {
            (0..count).map(|number| RowGroup { number, rows: 4_096, bytes: 400_000 }).collect()
        };
        let which = |segment, count| -> Option<Vec<Which>> {
            let parts = parts_of_chosen(segment, Some(&groups(count)))?;
            Some(parts.into_iter().map(|part| part.which).collect())
        };
        assert_eq!(which(&companion, 2), Some(vec![Which::RowGroup(0), Which::RowGroup(1)]));
        assert_eq!(which(&companion, 11), None, "too many bytes");
        assert_eq!(which(&segment(1_000_000, 30), 2), None, "no companion");
        assert!(parts_of_chosen(&companion, None).is_none());
        let small = SegmentFile { rows: 60_000, size_bytes: 1_000_000, ..companion };
        let parts = parts_of_chosen(&small, None).unwrap();
        assert_eq!(parts.iter().map(|part| part.which).collect::<Vec<_>>(), [Which::All]);
    }

    #[test]
    fn a_part_is_known_by_its_file_and_which_rows_it_has_alone() {
        let part = |rows, which| part(&segment(1, 1), which, rows, rows);
        assert_eq!(part(1, Which::All), part(2, Which::All));
        assert_ne!(part(1, Which::All), part(1, Which::Times(0, 1)));
        assert_ne!(part(1, Which::RowGroup(0)), part(1, Which::RowGroup(1)));
    }
}
