//! Percentiles of many test results, beside DuckDB over the same Parquet files.

mod answering;
mod dataset;
pub(super) mod duckdb;
mod questions;

use std::path::PathBuf;

use anyhow::Context as _;

use super::Scene;
use crate::report::{Goal, Report, note};
use manometer_bench_readers::figures::median;

pub(crate) use answering::answer;
pub(super) use answering::{ask, engine};
pub(crate) use dataset::{prepared, stored_rows};

/// Both sides use as many threads, however many the machine has.
const THREADS: usize = 2;

/// What one side measured of one question.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Measured {
    pub(super) seconds: Vec<f64>,
    /// Most memory of the process while it answered, in bytes.
    peak_bytes: u64,
    rows: usize,
    /// The first row, as text: for a look at whether both sides mean the same.
    first: String,
}

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let data = dataset::prepared(&scene.folder, scene.rows)?;
    let questions = questions::all(scene.rows);
    note(&format!("percentiles: {} rows in {}", scene.rows, data.display()));
    let ours = answering::ask_a_process(&data, &questions, scene.rounds)?;
    let asked: Vec<String> = questions.iter().map(|question| question.duckdb.clone()).collect();
    let peer = duckdb::ask(scene, &files(&data)?, &asked);
    if let Err(reason) = &peer {
        report.skipped("percentiles; peer: DuckDB", &format!("{reason:#}"));
    }
    for (position, question) in questions.iter().enumerate() {
        let ours = ours.get(position).with_context(|| format!("no figures of: {}", question.what))?;
        let milliseconds = median(ours.seconds.clone()) * 1_000.0;
        note(&format!("{}: ours {} rows, first {}", question.what, ours.rows, ours.first));
        if let Some(most) = question.at_most_milliseconds {
            report.figure(question.what, milliseconds, "ms", Goal::AtMost(most));
        }
        if let Ok(peer) = &peer
            && let Some(theirs) = peer.get(position)
        {
            note(&format!("{}: DuckDB {} rows, first {}", question.what, theirs.rows, theirs.first));
            let their_milliseconds = median(theirs.seconds.clone()) * 1_000.0;
            let goal = question.times_as_quick.map_or(Goal::None, |times| Goal::AtMost(1.0 / times));
            report.ratio(question.what, milliseconds, their_milliseconds, "ms", goal);
            report.ratio(
                "… peak memory",
                megabytes(ours.peak_bytes),
                megabytes(theirs.peak_bytes),
                "MB",
                Goal::None,
            );
        }
        report.figure("… peak memory", megabytes(ours.peak_bytes), "MB", Goal::AtMost(1_000.0));
    }
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The Parquet files of the test results.
pub(super) fn files(data: &std::path::Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![data.join("segments").join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The most memory this process has had since it was last forgotten, in bytes; 0 where the system does not tell.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1_024
}

/// Begins a new measurement of [`peak_memory_bytes`].
fn forget_peak_memory() {
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        note(&format!("the peak of memory is that of the whole process: {error}"));
    }
}
