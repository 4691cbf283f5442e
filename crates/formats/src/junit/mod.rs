//! JUnit XML, in all the dialects that report writers produce.
//!
//! There is no standard; this reader takes what pytest, Surefire, Gradle, Jest, Vitest, Mocha, Node, nextest,
//! googletest, CTest, PHPUnit, Bats and their like write. What exactly is read, tolerated and refused stands
//! in `docs/FORMATS.md`.
//!
//! ```text
//! testsuites > testsuite > testsuite … > testcase > failure, error, skipped, rerunFailure, flakyFailure, …
//!              └ path, time ─────────┘   └ one TestCase to the sink for each execution of the test
//! ```
//!
//! Memory: the XML window, one test at a time with its texts clipped, and to number repetitions at most 16 MB,
//! or 27 bytes for each distinct test (40 more for each that is repeated).

mod elements;
mod reading;

use std::io::BufRead;

use manometer_model::Limits;
use manometer_model::records::Test;

use crate::ReadError;
use crate::detect::Look;
use crate::test_report;
pub use crate::test_report::{Summary, TestCase, TestSink};

/// Reads a JUnit file, giving each execution of each test to `sink`.
///
/// # Errors
/// When the input fails, is empty, or is no JUnit file. Tests given before an input failed are not taken back.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    reading::Reading::new(limits, sink).read(input)
}

/// Reads a JUnit file into records that belong to no run yet: [`test_report::read_to_vec`].
///
/// # Errors
/// As [`read`].
pub fn read_to_vec(input: &mut dyn BufRead, limits: &Limits) -> Result<(Vec<Test>, Summary), ReadError> {
    test_report::read_to_vec(read, input, limits)
}

/// Is it XML with one of the roots that are read?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    matches!(look.xml_root, Some("testsuites" | "testsuite" | "testcase"))
}
