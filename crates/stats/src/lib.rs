//! Pure statistics of builds and tests: no I/O, no clock, no records.
//!
//! ```text
//! numbers ──► Sample ─┬► quantile, median, Spread          what is usual
//!                     ├► rank_test, shift, effect          is this other sample different, by how much, how sure
//! counts ───► Distribution, in groups ─► difference         the same of any number of values that come in groups
//! values ───► Sketch ───► quantiles                         of billions, in parts that merge
//! ```
//!
//! Build and test times are skewed, have outliers, and come in samples of five or twenty. Everything here therefore
//! works on ranks and medians and assumes no distribution; where an exact answer can be had it is the exact one.
//!
//! **Invariant:** every function is total. A [`Sample`] is never empty and holds finite numbers only, so nothing after
//! it has to ask.

pub mod binomial;
pub mod difference;
pub mod distribution;
pub mod effect;
pub mod rank_test;
pub mod sample;
pub mod shift;
pub mod sketch;
pub mod spread;

pub use distribution::Distribution;
pub use effect::cliffs_delta;
pub use rank_test::{Alternative, RankTest, rank_test};
pub use sample::Sample;
pub use shift::{ShiftInterval, shift, shift_interval};
pub use sketch::{Sketch, SketchError};
pub use spread::Spread;
