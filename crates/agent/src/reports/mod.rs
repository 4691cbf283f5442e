//! Reports that a build wrote: found by pattern, read for their counts, and kept as files for the server.

mod reading;

use std::fs;
use std::path::{Path, PathBuf};

use manometer_model::{Limits, Problem, Timestamp};

pub use reading::Counts;

use crate::artifacts::paths_of;

/// Clocks of file systems and machines differ by a little.
const CLOCK_TOLERANCE_SECONDS: f64 = 2.0;

/// The reports of one run.
#[derive(Debug, Default)]
pub struct Reports {
    /// The files that are reports.
    pub files: Vec<PathBuf>,
    /// What they say together.
    pub counts: Counts,
}

/// Finds and reads what the patterns match, relative to `folder`. A file that was last written before `started_at`
/// belongs to an earlier run and is left out; what cannot be used is a problem that names the file.
pub fn find(
    patterns: &[String],
    folder: &Path,
    started_at: Timestamp,
    limits: &Limits,
    problems: &mut Vec<Problem>,
) -> Reports {
    let mut reports = Reports::default();
    for pattern in patterns {
        let paths = match paths_of(pattern, folder) {
            Ok(paths) => paths,
            Err(message) => {
                problems.push(Problem::new(message).in_field(format!("report {pattern}")));
                continue;
            }
        };
        let mut has_any = false;
        for path in paths.into_iter().filter(|path| path.is_file()) {
            has_any = true;
            if reports.files.contains(&path) {
                continue;
            }
            if reports.files.len() >= limits.files_per_upload {
                let message =
                    format!("more than {} files match, the others are left out", reports.files.len());
                problems.push(Problem::new(message).in_field(format!("report {pattern}")));
                break;
            }
            let shown = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            if is_older(&path, started_at) {
                let message = "was written before this run began: left out";
                problems.push(Problem::new(message).in_file(shown));
                continue;
            }
            match reading::read(&path, limits, &mut reports.counts) {
                Ok(()) => reports.files.push(path),
                Err(message) => problems.push(Problem::new(message).in_file(shown)),
            }
        }
        if !has_any {
            problems.push(Problem::new("matches no file").in_field(format!("report {pattern}")));
        }
    }
    reports
}

fn is_older(path: &Path, started_at: Timestamp) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let Ok(age) = modified.map(|time| time.duration_since(std::time::UNIX_EPOCH)) else { return false };
    let written_at = age.map_or(0.0, |age| age.as_secs_f64());
    written_at + CLOCK_TOLERANCE_SECONDS < started_at.as_micros() as f64 / 1e6
}
