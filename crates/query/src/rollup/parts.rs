//! Which rows are taken from roll-ups, and which are read themselves.
//!
//! ```text
//!  range of the question      |------------------------------------------|
//!  segment in it, whole            [== its companion ==]
//!  segment across an end  [rows|== whole buckets ======]
//!  no companion; memory                     [ rows ]  [ rows ]
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};

use manometer_model::Rollup;

use super::range::Range;
use crate::SegmentFile;

/// When a roll-up is read instead of rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Worth {
    /// Whenever it can answer.
    Always,
    /// When its sketches, each of which is more work than a row, are far fewer than the rows.
    WithSketches,
    /// When it has fewer rows.
    WithoutSketches,
}

impl Worth {
    /// So many rows at least have to stand behind a row of the roll-up.
    const fn rows_of_one(self) -> u64 {
        match self {
            Self::Always => 0,
            Self::WithSketches => 4,
            Self::WithoutSketches => 2,
        }
    }
}

/// How far back roll-ups answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As far as there are any: also of rows that are gone.
    AllThatIsKnown,
    /// As far as there are rows.
    RowsThatAreThere,
}

/// A roll-up that can answer, with its companions by the segment they describe.
pub(super) struct Candidate {
    pub(super) rollup: &'static Rollup,
    companions: HashMap<i64, Vec<SegmentFile>>,
}

impl Candidate {
    pub(super) fn new(rollup: &'static Rollup, files: Vec<SegmentFile>) -> Self {
        let mut companions: HashMap<i64, Vec<SegmentFile>> = HashMap::new();
        for file in files {
            if let Some(segment) = file.rolls_up {
                companions.entry(segment).or_default().push(file);
            }
        }
        Self { rollup, companions }
    }
}

/// Where the rows of a question come from.
#[derive(Default)]
pub(super) struct Parts {
    /// Files of a candidate, by its place in the list and the range of buckets; no range where all are taken.
    pub(super) rollups: BTreeMap<(usize, Option<Range>), Vec<SegmentFile>>,
    /// Segments that are read themselves, by the range of `at`.
    pub(super) rows: BTreeMap<Range, Vec<SegmentFile>>,
}

impl Parts {
    /// Shares a question's range out. Candidates end up with the coarsest first, and are asked in this order.
    pub(super) fn of(
        range: Range,
        segments: &[SegmentFile],
        candidates: &mut [Candidate],
        worth: Worth,
        reach: Reach,
    ) -> Self {
        candidates.sort_by_key(|candidate| {
            let rollup = candidate.rollup;
            (std::cmp::Reverse(rollup.bucket), rollup.dimensions.len())
        });
        let mut parts = Self::default();
        for segment in segments {
            let span = (segment.min_at.as_micros(), segment.max_at.as_micros());
            let usable: Vec<usize> = places(candidates, |candidate| {
                let rows: Option<u64> = candidate
                    .companions
                    .get(&segment.id)
                    .map(|files| files.iter().map(|file| file.rows).sum());
                rows.is_some_and(|rows| rows.saturating_mul(worth.rows_of_one()) <= segment.rows)
            });
            for left in parts.roll_up(range, segment.id, span, candidates, &usable) {
                parts.rows.entry(left).or_default().push(segment.clone());
            }
        }
        if reach == Reach::AllThatIsKnown {
            parts.reach_back(range, segments, candidates);
        }
        parts
    }

    /// Takes what it can of a segment from companions, and returns what is left of the range.
    fn roll_up(
        &mut self,
        range: Range,
        segment: i64,
        (first, last): (i64, i64),
        candidates: &[Candidate],
        usable: &[usize],
    ) -> Vec<Range> {
        let mut left = vec![range];
        left.retain(|part| part.meets(first, last));
        for place in usable {
            let Some(candidate) = candidates.get(*place) else { continue };
            let Some(files) = candidate.companions.get(&segment) else { continue };
            let mut still_left = Vec::new();
            for part in left {
                if part.holds(first, last) {
                    self.take(*place, None, files);
                    continue;
                }
                let inner = part.whole_buckets(candidate.rollup.bucket);
                if !inner.is_empty() && inner.meets(first, last) {
                    self.take(*place, Some(inner), files);
                    still_left.extend(part.outside_of(inner).filter(|rest| rest.meets(first, last)));
                } else {
                    still_left.push(part);
                }
            }
            left = still_left;
        }
        left
    }

    fn take(&mut self, place: usize, buckets: Option<Range>, files: &[SegmentFile]) {
        self.rollups.entry((place, buckets)).or_default().extend_from_slice(files);
    }

    /// Takes the companions of segments that are gone: of these only buckets that lie in the range whole.
    fn reach_back(&mut self, range: Range, segments: &[SegmentFile], candidates: &[Candidate]) {
        let there: HashSet<i64> = segments.iter().map(|segment| segment.id).collect();
        let mut gone: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for candidate in candidates {
            for (segment, files) in &candidate.companions {
                for file in files.iter().filter(|_| !there.contains(segment)) {
                    let last = file.max_at.as_micros().saturating_add(candidate.rollup.bucket.micros() - 1);
                    let span = gone.entry(*segment).or_insert((i64::MAX, i64::MIN));
                    *span = (span.0.min(file.min_at.as_micros()), span.1.max(last));
                }
            }
        }
        for (segment, span) in gone {
            let usable = places(candidates, |candidate| candidate.companions.contains_key(&segment));
            self.roll_up(range, segment, span, candidates, &usable);
        }
    }
}

fn places(candidates: &[Candidate], is_usable: impl Fn(&Candidate) -> bool) -> Vec<usize> {
    candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| is_usable(candidate))
        .map(|(place, _)| place)
        .collect()
}
