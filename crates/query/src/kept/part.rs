//! Which part of a segment a query needs, where it is small enough to be kept.

use std::path::PathBuf;
use std::sync::Arc;

use manometer_model::Bucket;

use crate::SegmentFile;

/// Most rows that a part should have, by what the catalog knows of the segment.
const MOST_ROWS: u64 = 64 * 1024;
/// Most bytes of the file that it should take.
const MOST_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Days, or hours, that are looked at one by one: the ends of a range.
const MOST_BUCKETS: i64 = 2;

/// All rows of a segment, or those of one day or hour.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(super) path: Arc<PathBuf>,
    pub(super) size_bytes: u64,
    /// The first moment, and the first one after it, in microseconds since 1970; all rows where there are none.
    pub(super) times: Option<(i64, i64)>,
    /// Rows, about.
    pub(crate) rows: u64,
    /// Bytes of the file that hold them, about.
    pub(super) file_bytes: u64,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.times == other.times
    }
}

impl Eq for Part {}

impl std::hash::Hash for Part {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.path.hash(state);
        self.times.hash(state);
    }
}

/// The parts of a segment that hold all its rows of a range (its first and its last moment): companions whole, of others
/// the days or hours that the range takes. `None` where these are not few and small.
pub(crate) fn parts_of(segment: &SegmentFile, range: Option<(i64, i64)>) -> Option<Vec<Part>> {
    let part = |times, rows, file_bytes| Part {
        path: Arc::new(segment.path.clone()),
        size_bytes: segment.size_bytes,
        times,
        rows,
        file_bytes,
    };
    let is_small = |rows: u64, bytes: u64| rows <= MOST_ROWS && bytes <= MOST_FILE_BYTES;
    if segment.rolls_up.is_some() && is_small(segment.rows, segment.size_bytes) {
        return Some(vec![part(None, segment.rows, segment.size_bytes)]);
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
            return Some(starts.map(|start| part(Some((start, start + width)), rows, bytes)).collect());
        }
    }
    None
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
        let parts = parts_of(segment, Some((first, last)))?;
        Some(parts.into_iter().filter_map(|part| part.times).collect())
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
    fn small_companions_are_kept_whole_and_others_by_their_times() {
        let companion = |rows| SegmentFile { rolls_up: Some(7), ..segment(rows, 30) };
        assert_eq!(parts_of(&companion(1_000), None).map(|parts| parts.len()), Some(1));
        assert!(parts_of(&companion(1_000_000), None).is_none());
        let noon = 101 * DAY + 12 * HOUR;
        assert_eq!(times(&companion(1_000_000), noon, noon + HOUR).map(|parts| parts.len()), Some(1));
        assert!(parts_of(&segment(1_000, 30), None).is_none());
    }

    #[test]
    fn a_part_is_known_by_its_file_and_times_alone() {
        let part = |rows, times| Part {
            path: Arc::new(PathBuf::from("/a")),
            size_bytes: 0,
            times,
            rows,
            file_bytes: rows,
        };
        assert_eq!(part(1, None), part(2, None));
        assert_ne!(part(1, None), part(1, Some((0, 1))));
    }
}
