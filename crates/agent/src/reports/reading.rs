//! What a report says, in counts; the rows themselves are for the server.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _};
use std::ops::ControlFlow;
use std::path::Path;

use manometer_formats::detect::DETECT_BYTES;
use manometer_formats::measured::{self, Measured};
use manometer_formats::test_report::{self, TestCase};
use manometer_formats::{Kind, detect};
use manometer_model::{Limits, TestStatus};

/// What the reports of a run say together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Tests; one that was run again by its framework counts once, as it ended.
    pub tests: u64,
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that broke otherwise.
    pub errors: u64,
    /// Tests that did not run, on purpose.
    pub skipped: u64,
    /// Time of the tests by the reports, in seconds.
    pub test_seconds: f64,
    /// Lines that were executed and lines that could have been, where a report of coverage says so.
    pub lines: Option<(u64, u64)>,
}

impl Counts {
    /// Line coverage, in percent.
    pub fn coverage_percent(&self) -> Option<f64> {
        let (covered, valid) = self.lines.filter(|(_, valid)| *valid > 0)?;
        Some(covered as f64 * 100.0 / valid as f64)
    }
}

/// Adds what a report says.
///
/// # Errors
/// When the file cannot be read or is no report; a sentence for people.
pub(super) fn read(path: &Path, limits: &Limits, counts: &mut Counts) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("failed to read: {error}");
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > limits.body_bytes as u64 {
        return Err(format!(
            "has {length} bytes, at most {} are read (limit `body_bytes`)",
            limits.body_bytes
        ));
    }
    let mut start = Vec::with_capacity(DETECT_BYTES);
    file.by_ref().take(DETECT_BYTES as u64).read_to_end(&mut start).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut input = BufReader::with_capacity(64 * 1024, file);
    match detect(&start).map_err(|error| error.to_string())? {
        Kind::Tests(format) => tests(format, &mut input, limits, counts),
        Kind::Measured(format) => coverage(format, &mut input, limits, counts),
        // Records are for the server.
        Kind::Records => Ok(()),
    }
}

fn tests(
    format: &test_report::Format,
    input: &mut dyn BufRead,
    limits: &Limits,
    counts: &mut Counts,
) -> Result<(), String> {
    let mut of_file = Counts::default();
    let mut sink = |test: &TestCase<'_>| {
        if test.is_final {
            of_file.tests += 1;
            *match test.status {
                TestStatus::Passed => &mut of_file.passed,
                TestStatus::Failed => &mut of_file.failed,
                TestStatus::Error => &mut of_file.errors,
                TestStatus::Skipped => &mut of_file.skipped,
            } += 1;
        }
        ControlFlow::Continue(())
    };
    let summary = (format.read)(input, limits, &mut sink).map_err(|error| error.to_string())?;
    counts.tests += of_file.tests;
    counts.passed += of_file.passed;
    counts.failed += of_file.failed;
    counts.errors += of_file.errors;
    counts.skipped += of_file.skipped;
    counts.test_seconds += summary.duration_seconds.unwrap_or(0.0);
    Ok(())
}

/// Reports of several parts of a project add up.
fn coverage(
    format: &measured::Format,
    input: &mut dyn BufRead,
    limits: &Limits,
    counts: &mut Counts,
) -> Result<(), String> {
    let mut sink = |_: &Measured<'_>| ControlFlow::Continue(());
    let summary = (format.read)(input, limits, &mut sink).map_err(|error| error.to_string())?;
    if let Some(lines) = summary.lines {
        let (covered, valid) = counts.lines.unwrap_or_default();
        counts.lines = Some((covered + lines.covered, valid + lines.valid));
    }
    Ok(())
}
