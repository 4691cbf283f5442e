//! What a command and all its descendants use.
//!
//! ```text
//! wait4, getrusage ──► Usage: exact totals of everything that ended and was waited for, also of thousands of short
//!                             processes that no sampling sees
//! /proc ──► ProcessTree ──► Sampler ──► Series: memory and processor over time
//! ```
//!
//! **Invariant:** looking never takes more than a thousandth of one processor (a hundredth at intervals below a second):
//! when one look at the tree becomes dearer than that, the next one comes later. Memory is bounded however long a build
//! takes.

mod cgroup;
mod sampler;
mod series;
mod sparkline;
mod tree;
mod usage;

pub use cgroup::{CgroupFindings, CgroupWatch};
pub use sampler::Sampler;
pub use series::{Sample, Series};
pub use sparkline::sparkline;
pub use tree::{Look, ProcessTree};
pub use usage::Usage;

/// A megabyte of metrics named `…_mb`: 1,048,576 bytes, as in the metrics system these names come from.
const BYTES_PER_MEGABYTE: f64 = 1_048_576.0;

/// Bytes as megabytes.
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / BYTES_PER_MEGABYTE
}
