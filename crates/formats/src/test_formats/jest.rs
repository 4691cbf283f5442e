//! Jest's JSON (`jest --json`), and Vitest's, which has its form (`vitest --reporter=json`).
//!
//! ```text
//! {"numTotalTests": …, "startTime": …, "testResults": [{"name": PATH, "message": …, "status": …, "assertionResults": [
//!   {"ancestorTitles": […], "title": …, "status": …, "duration": …, "failureMessages": […], "retryReasons": […],
//!    "invocations": …, "location": {"line": …}}]}]}
//! ```
//!
//! The suite of a test is the name of its file, without the folders: these are absolute and other on every machine. The
//! class name is the titles around the test, joined with ` > `; jest-junit writes the same ids where it is told
//! `{filename}`, `{classname}`, `{title}` and ` > `. A file that failed without a test is a test named `(file)`.
//!
//! Memory: 64 KiB of input, the tests of one file (its name comes after them), at most 64 MiB, and the numbering of
//! repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::test_report::case::Case;
use crate::test_report::held::Held;
use crate::test_report::json_fields::{duration, epoch, number, read_document, short_text, text, whole};
use crate::test_report::names::SUITE_SEPARATOR;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::texts::{append, file_name};
use crate::test_report::{Summary, TestSink};

/// Reads the JSON of Jest or Vitest.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut jest = Jest { held: Held::new(), started_at: None };
    read_document(input, limits, sink, "expected the JSON of Jest", &mut jest, Jest::walk, |jest, tests| {
        jest.give_held(tests, "");
    })
}

/// Is it one object with the counts of Jest?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| {
        !json.is_array && (json.has("numTotalTests") || json.has("numFailedTests") || json.has("testResults"))
    })
}

struct Jest {
    /// The tests of the file being read.
    held: Held<()>,
    started_at: Option<Timestamp>,
}

impl Jest {
    fn walk(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<bool, Stop> {
        if !json.enter_object()? {
            return Ok(false);
        }
        let mut is_ours = false;
        while let Some(key) = json.next_key()? {
            match key {
                "startTime" => {
                    self.started_at = epoch(json, 1e3, tests.problems(), "startTime")?;
                    tests.note_time(self.started_at);
                }
                "testResults" => {
                    is_ours = true;
                    if !json.enter_array()? {
                        continue;
                    }
                    while json.next_element()? {
                        self.file(json, tests)?;
                        if tests.is_done {
                            return Ok(true);
                        }
                    }
                }
                "numTotalTests" => {
                    is_ours = true;
                    json.skip()?;
                }
                _ => json.skip()?,
            }
        }
        Ok(is_ours)
    }

    fn file(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
        let line = json.line();
        if !json.enter_object()? {
            tests.problem(line, "testResults", "not an object, left out");
            return Ok(());
        }
        let limits = tests.limits;
        let (mut name, mut status, mut message) = (None, None, String::new());
        let (mut start, mut end) = (None, None);
        while let Some(key) = json.next_key()? {
            match key {
                "name" | "testFilePath" => {
                    name = short_text(json, limits.name_bytes, tests.problems(), "name")?
                }
                "status" => status = short_text(json, 64, tests.problems(), "status")?,
                "message" => text(json, &mut message, limits.details_bytes, tests.problems(), "message")?,
                "startTime" => start = number(json, tests.problems(), "startTime")?,
                "endTime" => end = number(json, tests.problems(), "endTime")?,
                "assertionResults" => {
                    if !json.enter_array()? {
                        continue;
                    }
                    while json.next_element()? {
                        self.assertion(json, tests)?;
                    }
                }
                _ => json.skip()?,
            }
        }
        tests.count_suite();
        tests.add_stated(
            start.zip(end).map(|(start, end)| (end - start) / 1e3).filter(|seconds| *seconds >= 0.0),
        );
        let path = name.unwrap_or_default();
        if self.held.is_empty() && status.as_deref() == Some("failed") {
            let mut case = Case::default();
            case.name.push_str("(file)");
            case.main.status = TestStatus::Error;
            case.main.details = message;
            self.held.push((), case);
        }
        self.give_held(tests, &path);
        Ok(())
    }

    fn give_held(&mut self, tests: &mut TestsIn<'_, '_>, path: &str) {
        for ((), mut case) in self.held.take_all() {
            path.clone_into(&mut case.file);
            tests.give_case(&mut case, file_name(path), self.started_at);
        }
    }

    fn assertion(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
        let line = json.line();
        if !json.enter_object()? {
            tests.problem(line, "assertionResults", "not an object, left out");
            return Ok(());
        }
        let limits = tests.limits;
        let mut case = Case::default();
        let (mut status, mut invocations, mut retries) = (None, None, Vec::new());
        while let Some(key) = json.next_key()? {
            let problems = tests.problems();
            match key {
                "title" => text(json, &mut case.name, limits.name_bytes, problems, "title")?,
                "ancestorTitles" => {
                    join(
                        json,
                        &mut case.classname,
                        SUITE_SEPARATOR,
                        limits.name_bytes,
                        tests,
                        "ancestorTitles",
                    )?;
                }
                "status" => status = short_text(json, 64, problems, "status")?,
                "duration" => case.main.duration = duration(json, 1e3, problems, "duration")?,
                "startAt" => case.main.at = epoch(json, 1e3, problems, "startAt")?,
                "failureMessages" => {
                    join(json, &mut case.main.details, "\n", limits.details_bytes, tests, "failureMessages")?;
                }
                "invocations" => invocations = whole(json, problems, "invocations")?,
                "retryReasons" => retries = reasons(json, tests)?,
                "location" => case.line = location(json, tests)?,
                _ => json.skip()?,
            }
        }
        case.main.status = match status.as_deref() {
            Some("passed") => TestStatus::Passed,
            Some("failed") => TestStatus::Failed,
            Some("pending" | "skipped" | "todo" | "disabled" | "focused") => TestStatus::Skipped,
            _ => {
                tests.problem(line, "status", "missing or not known, taken as an error");
                TestStatus::Error
            }
        };
        let told = retries.len() as i64;
        for reason in retries {
            if let Some(rerun) = case.add_rerun() {
                (rerun.status, rerun.is_before, rerun.details) = (TestStatus::Failed, true, reason);
            }
        }
        let more = invocations.unwrap_or(1).saturating_sub(1).saturating_sub(told);
        case.failed_before(u64::try_from(more).unwrap_or(0));
        if self.held.is_full() {
            let message = "more than 64 MiB of tests in one file: the first of them are not named after it";
            tests.problems().push(Problem::new(message).at_line(line));
            self.give_held(tests, "");
        }
        self.held.push((), case);
        Ok(())
    }
}

/// Joins an array of texts.
fn join(
    json: &mut Json<'_>,
    out: &mut String,
    separator: &str,
    limit: usize,
    tests: &mut TestsIn<'_, '_>,
    field: &str,
) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        if !out.is_empty() {
            append(out, separator, limit);
        }
        text(json, out, limit, tests.problems(), field)?;
    }
    Ok(())
}

/// Retries kept of one test.
const MOST_RETRIES: usize = 64;

fn reasons(json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<Vec<String>, Stop> {
    let mut reasons = Vec::new();
    if !json.enter_array()? {
        return Ok(reasons);
    }
    while json.next_element()? {
        if reasons.len() >= MOST_RETRIES {
            json.skip()?;
            continue;
        }
        let mut reason = String::new();
        text(json, &mut reason, tests.limits.details_bytes, tests.problems(), "retryReasons")?;
        reasons.push(reason);
    }
    Ok(reasons)
}

fn location(json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<Option<i64>, Stop> {
    let mut line = None;
    if !json.enter_object()? {
        return Ok(None);
    }
    while let Some(key) = json.next_key()? {
        match key {
            "line" => line = whole(json, tests.problems(), "location.line")?,
            _ => json.skip()?,
        }
    }
    Ok(line)
}
