//! One file a comparison.

use std::path::PathBuf;

pub(crate) mod dashboards;
pub(crate) mod exec;
pub(crate) mod ingest;
pub(crate) mod junit;
pub(crate) mod percentiles;
pub(crate) mod requests;
pub(crate) mod start;
pub(crate) mod storage;
pub(crate) mod webhooks;

/// What all measurements share.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Rounds of each measurement.
    pub(crate) rounds: u32,
    /// The disk that is measured.
    pub(crate) folder: PathBuf,
    /// The binary to measure, where it is not to be built.
    pub(crate) binary: Option<PathBuf>,
    /// Is the store of 100 million rows wanted?
    pub(crate) hundred_million: bool,
    /// Rows that percentiles are asked of.
    pub(crate) rows: u64,
}
