//! A whole file in memory, for callers that know it is small.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::Limits;
use manometer_model::records::Test;

use super::{Reader, Summary, TestCase};
use crate::ReadError;

impl From<&TestCase<'_>> for Test {
    /// The test as a record that belongs to no run yet.
    fn from(test: &TestCase<'_>) -> Self {
        Self {
            test_id: test.test_id,
            suite: Some(test.suite.to_owned()).filter(|suite| !suite.is_empty()),
            classname: test.classname.map(str::to_owned),
            name: test.name.to_owned(),
            parameters: test.parameters.map(str::to_owned),
            file: test.file.map(str::to_owned),
            line: test.line,
            status: test.status,
            duration_seconds: test.duration_seconds,
            run_attempt: 1,
            attempt: test.attempt,
            is_final: test.is_final,
            failure_kind: test.failure_kind.map(str::to_owned),
            failure_message: test.failure_message.map(str::to_owned),
            failure_details: test.failure_details.map(str::to_owned),
            failure_fingerprint: test.failure_fingerprint.map(str::to_owned),
            output: test.output.map(str::to_owned),
            labels: test.labels.clone(),
            at: test.at.unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// Reads a report of tests into records that belong to no run yet (`provider`, `project` and `run_id` are empty,
/// and `at` is the epoch where the file states no time).
///
/// # Errors
/// As the reader.
pub fn read_to_vec(
    reader: Reader,
    input: &mut dyn BufRead,
    limits: &Limits,
) -> Result<(Vec<Test>, Summary), ReadError> {
    let mut tests = Vec::new();
    let mut sink = |test: &TestCase<'_>| {
        tests.push(Test::from(test));
        ControlFlow::Continue(())
    };
    let summary = reader(input, limits, &mut sink)?;
    Ok((tests, summary))
}
