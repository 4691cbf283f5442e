//! What every format of test reports gives: tests, one execution at a time, and a summary.
//!
//! ```text
//! a format's walk ──► Case, filled field by field ──► Outlet: identity, ordinal, fingerprint, counts ──► TestSink
//!                     and used again for the next              └─► Summary with Problems at the end
//! ```
//!
//! A test has the same identity whichever format tells of it, as far as the formats name it alike: suite path, class
//! name, name and bracketed parameters, and the ordinal of its repetition in the file.
//!
//! Memory: one test at a time with its texts clipped, and to number repetitions at most 16 MB, or 27 bytes for each
//! distinct test (40 more for each that is repeated). What a format holds besides stands in its own module.

pub(crate) mod case;
mod collect;
pub(crate) mod duration;
pub(crate) mod held;
pub(crate) mod json_fields;
pub(crate) mod json_lines;
pub(crate) mod names;
mod ordinals;
pub(crate) mod outlet;
pub(crate) mod tests_in;
pub(crate) mod texts;
pub(crate) mod values;
pub(crate) mod xml_fields;

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Labels, Limits, Problems, TestId, TestStatus, Timestamp};

pub use collect::read_to_vec;

use crate::detect::Look;
use crate::measured::BuildRow;
use crate::test_formats::{
    bazel, ctest, cucumber, cucumber_messages, go_test, jest, libtest, mocha, nunit, pytest_json,
    pytest_reportlog, tap, testng, trx, xcresult, xunit,
};
use crate::{ReadError, junit};

/// A reader of test reports: takes bytes and gives each execution of each test to the sink.
pub type Reader = fn(&mut dyn BufRead, &Limits, &mut dyn TestSink) -> Result<Summary, ReadError>;

/// One format of test reports.
#[derive(Debug)]
pub struct Format {
    /// Its name in receipts: `junit`.
    pub name: &'static str,
    /// Its reader.
    pub read: Reader,
    /// How it knows its own.
    pub(crate) claims: fn(&Look<'_>) -> bool,
}

/// Every such format, the first to claim an input wins; TAP, which other tools print between their own lines, is last.
pub static FORMATS: &[Format] = &[
    Format { name: "junit", read: junit::read, claims: junit::claims },
    Format { name: "trx", read: trx::read, claims: trx::claims },
    Format { name: "nunit", read: nunit::read, claims: nunit::claims },
    Format { name: "xunit", read: xunit::read, claims: xunit::claims },
    Format { name: "testng", read: testng::read, claims: testng::claims },
    Format { name: "ctest", read: ctest::read, claims: ctest::claims },
    Format { name: "go-test", read: go_test::read, claims: go_test::claims },
    Format { name: "libtest", read: libtest::read, claims: libtest::claims },
    Format { name: "pytest-reportlog", read: pytest_reportlog::read, claims: pytest_reportlog::claims },
    Format { name: "pytest-json", read: pytest_json::read, claims: pytest_json::claims },
    Format { name: "jest", read: jest::read, claims: jest::claims },
    Format { name: "mocha", read: mocha::read, claims: mocha::claims },
    Format { name: "cucumber", read: cucumber::read, claims: cucumber::claims },
    Format { name: "cucumber-messages", read: cucumber_messages::read, claims: cucumber_messages::claims },
    Format { name: "bazel", read: bazel::read, claims: bazel::claims },
    Format { name: "xcresult", read: xcresult::read, claims: xcresult::claims },
    Format { name: "tap", read: tap::read, claims: tap::claims },
];

/// Takes the tests of a file, one execution at a time, in the order of the file.
pub trait TestSink {
    /// One execution of one test. `Break` ends the reading.
    fn test(&mut self, test: &TestCase<'_>) -> ControlFlow<()>;

    /// What a report of tests tells of builds besides, as Bazel's does. Passed over where a sink does not say
    /// otherwise.
    fn build(&mut self, _build: &BuildRow<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
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
    /// Parameters, from the name's brackets or told apart from it.
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
    /// Properties of the test: labels, tags, categories.
    pub labels: &'a Labels,
    /// The test's time, else that of the innermost suite that has one.
    pub at: Option<Timestamp>,
}

/// What a file was made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Suites, of whatever kind the format has: elements, files, packages, binaries.
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
