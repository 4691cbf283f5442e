//! Is a run worse than those before it, or is that noise?
//!
//! A metric of a run is worse when three things hold at once:
//!
//! 1. **It matters**: it moved in the bad direction by more than the threshold, measured from the median of earlier
//!    comparable runs.
//! 2. **It is far out**: the distance from that median is more than 3.5 robust standard deviations of the earlier runs,
//!    more of fewer than 20 runs, whose deviation is itself uncertain ([`manometer_stats::Spread`]). The deviation is
//!    the scaled median absolute deviation, which a few wild runs do not inflate.
//! 3. **Chance rarely does that**: by the exact Mann-Whitney test, which assumes no distribution, at most one in ten
//!    orders of these values is as extreme. So of 20 earlier runs one may have been as slow; a single wild run, or the
//!    first run after a change for the worse, does not hide what comes after. With fewer than 9 earlier runs no single
//!    value can show one in ten; then it has to be beyond all of them, and the report says how often pure chance would
//!    be, too.
//!
//! With several new runs the second point is left to the third, as soon as they are enough to show one in ten.
//!
//! Comparable are earlier runs of the same type, operation and labels that did not fail, and of those the metrics with
//! the same tags. **Invariant:** pure; what is compared with what is decided here, never by who reads the runs.

mod baseline;
mod verdict;

pub use baseline::{Baseline, BaselineOptions, MetricHistory};
pub use verdict::{Assessment, Judgement, Verdict, enough_earlier};

/// Most that chance alone may explain a difference which counts. It stands beside the two other criteria, which for a
/// steady metric are the stricter ones.
pub const ALPHA: f64 = 0.1;
/// Fewest earlier values that allow any judgement.
pub const FEWEST: usize = 3;
