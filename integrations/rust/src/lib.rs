//! Records metrics of builds, tests and anything else, where `manometer ls` finds them.
//!
//! ```no_run
//! use manometer_client::{RunInfo, flush, record};
//!
//! record("custom.processing_seconds", 5.2, &[("component", "parser")]);
//! record("custom.items_processed", 1000.0, &[("batch", "daily")]);
//! let flushed = flush("custom_operation", RunInfo { success: Some(true), ..RunInfo::default() });
//! println!("{:?} {:?}", flushed.run_id, flushed.problems);
//! ```
//!
//! A record is a line of the local store that the command `manometer` writes too; where `MANOMETER_URL` names a server it
//! goes there as well, by the same spool: what the server does not take in time, any later run delivers.
//!
//! Nothing here fails a build: what goes wrong is told in [`Flushed::problems`].

mod collector;
mod sampler;
mod sending;

use std::sync::LazyLock;

pub use collector::{Flushed, MetricsCollector, RunInfo};
pub use sampler::ResourceSampler;

static OF_THIS_PROCESS: LazyLock<MetricsCollector> = LazyLock::new(MetricsCollector::new);

/// Keeps a value until the next [`flush`]; a second value of the same name replaces the first. One that is no number
/// (NaN, infinite) is left out, and the next flush says so.
pub fn record(name: &str, value: f64, tags: &[(&str, &str)]) {
    OF_THIS_PROCESS.record(name, value, tags);
}

/// Stores everything recorded since the last `flush` as one run.
pub fn flush(operation: &str, info: RunInfo) -> Flushed {
    OF_THIS_PROCESS.flush(operation, info)
}
