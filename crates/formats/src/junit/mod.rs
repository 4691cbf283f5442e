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
//! Memory: the XML window, one test at a time with its texts clipped, and to number repetitions at most 10 MB,
//! or 18 bytes for each distinct test (40 more for each that is repeated).

mod case;
mod collect;
mod duration;
mod elements;
mod names;
mod ordinals;
mod outlet;
mod reading;
mod values;

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Labels, Limits, Problems, TestId, TestStatus, Timestamp};

pub use collect::read_to_vec;

use crate::ReadError;
use crate::detect::Look;

/// Takes the tests of a file, one execution at a time, in the order of the file.
pub trait TestSink {
    /// One execution of one test. `Break` ends the reading.
    fn test(&mut self, test: &TestCase<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&TestCase<'_>) -> ControlFlow<()>> TestSink for F {
    fn test(&mut self, test: &TestCase<'_>) -> ControlFlow<()> {
        self(test)
    }
}

/// One execution of one test; the fields of [`manometer_model::records::Test`] that a report knows.
#[derive(Debug, Clone, Copy)]
pub struct TestCase<'a> {
    /// Identity across runs.
    pub test_id: TestId,
    /// Suite path, outermost first, joined with ` > `; empty when no suite has a name.
    pub suite: &'a str,
    /// Class, module or file.
    pub classname: Option<&'a str>,
    /// Name without parameters.
    pub name: &'a str,
    /// Parameters, from the name's brackets or googletest's `value_param`.
    pub parameters: Option<&'a str>,
    /// Source file.
    pub file: Option<&'a str>,
    /// Line in the source file.
    pub line: Option<i64>,
    /// How this execution ended.
    pub status: TestStatus,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// 1 for the first execution, counted up by re-runs.
    pub attempt: i64,
    /// Is this the execution that counts?
    pub is_final: bool,
    /// Exception or assertion type; of a skipped test the kind of skip.
    pub failure_kind: Option<&'a str>,
    /// What the failure said; of a skipped test the reason.
    pub failure_message: Option<&'a str>,
    /// Stack trace and the like.
    pub failure_details: Option<&'a str>,
    /// [`crate::fingerprint::of_failure`] of a test that failed.
    pub failure_fingerprint: Option<&'a str>,
    /// What a test that did not pass printed.
    pub output: Option<&'a str>,
    /// Properties of the test.
    pub labels: &'a Labels,
    /// The test's time, else that of the innermost suite that has one.
    pub at: Option<Timestamp>,
}

/// What a file was made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// `testsuite` elements.
    pub suites: u64,
    /// Executions given to the sink.
    pub tests: u64,
    /// Executions that passed.
    pub passed: u64,
    /// Executions that failed.
    pub failed: u64,
    /// Executions that broke otherwise.
    pub errors: u64,
    /// Tests skipped.
    pub skipped: u64,
    /// Properties of suites, which are counted and not kept.
    pub suite_properties: u64,
    /// The time the outermost suites state, summed; where they state none, that of the tests, summed.
    pub duration_seconds: Option<f64>,
    /// The earliest time that suites or tests state.
    pub started_at: Option<Timestamp>,
    /// What could not be used.
    pub problems: Problems,
    /// Did the file end too early, or go on past a limit? What was given to the sink is whole all the same.
    pub truncated: bool,
}

/// Reads a JUnit file, giving each execution of each test to `sink`.
///
/// # Errors
/// When the input fails, is empty, or is no JUnit file. Tests given before an input failed are not taken back.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    reading::Reading::new(limits, sink).read(input)
}

/// Is it XML with one of the roots that are read?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    matches!(look.xml_root, Some("testsuites" | "testsuite" | "testcase"))
}
