//! The JSON of pytest-json-report (`pytest --json-report`).
//!
//! ```text
//! {"created": …, "duration": …, "root": …, "tests": [{"nodeid": …, "lineno": …, "outcome": …,
//!   "setup" | "call" | "teardown": {"duration": …, "outcome": …, "crash": {"lineno": …, "message": …}, "longrepr": …,
//!   "stdout": …, "stderr": …}, "user_properties": […]}], "collectors": [{"nodeid": …, "outcome": "failed", …}]}
//! ```
//!
//! Tests are named as in pytest's JUnit XML. Of a test that was run again (`"outcome": "rerun"`) the file tells the last
//! execution alone, and that at least one before it failed.
//!
//! Memory: 64 KiB of input, one test, and the numbering of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, TestStatus, Timestamp};

use super::pytest_names::{SUITE, name_case};
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::test_report::json_fields::{duration, from_epoch, number, read_document, short_text, text, whole};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads a report of pytest-json-report.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let expected = "expected the report of pytest-json-report";
    read_document(input, limits, sink, expected, &mut None, walk, |_, _| {})
}

/// Is it one object with the keys only this plugin writes?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| {
        !json.is_array
            && json.has("created")
            && json.has("exitcode")
            && (json.has("root") || json.has("summary"))
    })
}

fn walk(at: &mut Option<Timestamp>, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(false);
    }
    let mut is_ours = false;
    let (mut created, mut seconds) = (None, None);
    while let Some(key) = json.next_key()? {
        match key {
            "created" => created = number(json, tests.problems(), "created")?,
            "duration" => {
                seconds = duration(json, 1.0, tests.problems(), "duration")?;
                tests.stated_seconds = seconds;
            }
            "tests" | "collectors" => {
                let is_collector = key == "collectors";
                if !is_ours {
                    tests.count_suite();
                }
                is_ours = true;
                // `created` is when the report was, at the end of the run; it stands before the tests.
                *at = created.and_then(|end| from_epoch(end - seconds.unwrap_or(0.0)));
                tests.note_time(*at);
                if !json.enter_array()? {
                    continue;
                }
                while json.next_element()? {
                    one(json, tests, is_collector, *at)?;
                    if tests.is_done {
                        return Ok(true);
                    }
                }
            }
            _ => json.skip()?,
        }
    }
    Ok(is_ours)
}

/// What the phases of a test say together.
#[derive(Debug, Default)]
struct Phases {
    seconds: Option<f64>,
    has_message: bool,
    /// Outcome of the phases, for where the test states none.
    worst: TestStatus,
}

/// A test, or a collector: one that failed is a test that could not even be found.
fn one(
    json: &mut Json<'_>,
    tests: &mut TestsIn<'_, '_>,
    is_collector: bool,
    at: Option<Timestamp>,
) -> Result<(), Stop> {
    let line = json.line();
    if !json.enter_object()? {
        tests.problem(line, "tests", "not an object, left out");
        return Ok(());
    }
    let limits = tests.limits;
    tests.case.clear();
    let (mut node_id, mut outcome) = (None, None);
    let mut phases = Phases::default();
    while let Some(key) = json.next_key()? {
        match key {
            "nodeid" => node_id = short_text(json, limits.name_bytes, tests.problems(), "nodeid")?,
            "outcome" => outcome = short_text(json, 64, tests.problems(), "outcome")?,
            // Counted from 0.
            "lineno" => tests.case.line = whole(json, tests.problems(), "lineno")?.map(|line| line + 1),
            "setup" => phase(json, tests, &mut phases, TestStatus::Error)?,
            "call" => phase(json, tests, &mut phases, TestStatus::Failed)?,
            "teardown" => phase(json, tests, &mut phases, TestStatus::Error)?,
            "longrepr" => {
                let details = &mut std::mem::take(&mut tests.case.main.details);
                text(json, details, limits.details_bytes, tests.problems(), "longrepr")?;
                tests.case.main.details = std::mem::take(details);
            }
            "user_properties" => properties(json, tests)?,
            _ => json.skip()?,
        }
    }
    if is_collector && outcome.as_deref() != Some("failed") {
        tests.case.clear();
        return Ok(());
    }
    let was_run_again = outcome.as_deref() == Some("rerun");
    let status = match outcome.as_deref() {
        _ if is_collector => TestStatus::Error,
        Some("passed" | "xpassed") => TestStatus::Passed,
        Some("failed") => TestStatus::Failed,
        Some("error") => TestStatus::Error,
        Some("skipped" | "xfailed") => TestStatus::Skipped,
        Some("rerun") => phases.worst,
        _ => {
            tests.problem(line, "outcome", "missing or not known, taken from the phases of the test");
            phases.worst
        }
    };
    let case = &mut tests.case;
    name_case(case, node_id.as_deref().unwrap_or_default(), limits.name_bytes);
    case.main.status = status;
    case.main.duration = phases.seconds;
    if was_run_again {
        case.failed_before(1);
    }
    tests.give(SUITE, at);
    Ok(())
}

fn phase(
    json: &mut Json<'_>,
    tests: &mut TestsIn<'_, '_>,
    phases: &mut Phases,
    failed: TestStatus,
) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    let limits = tests.limits;
    let (mut message, mut details, mut output) = (String::new(), String::new(), String::new());
    let mut outcome = None;
    while let Some(key) = json.next_key()? {
        let problems = tests.problems();
        match key {
            "duration" => {
                if let Some(seconds) = duration(json, 1.0, problems, "duration")? {
                    *phases.seconds.get_or_insert(0.0) += seconds;
                }
            }
            "outcome" => outcome = short_text(json, 64, problems, "outcome")?,
            "crash" => crash_message(json, &mut message, tests)?,
            "longrepr" => text(json, &mut details, limits.details_bytes, problems, "longrepr")?,
            "stdout" | "stderr" => text(json, &mut output, limits.details_bytes, problems, "output")?,
            _ => json.skip()?,
        }
    }
    let status = match outcome.as_deref() {
        Some("failed") => failed,
        Some("skipped") => TestStatus::Skipped,
        _ => TestStatus::Passed,
    };
    phases.worst = phases.worst.max(status);
    let main = &mut tests.case.main;
    append_lines(&mut main.output, &output, limits.details_bytes);
    append_lines(&mut main.details, &details, limits.details_bytes);
    if !message.is_empty() && !phases.has_message {
        phases.has_message = true;
        texts::append(&mut main.message, &message, limits.message_bytes);
    }
    // `('/srv/shop/test_cart.py', 33, 'Skipped: no time')`
    if let Some((_, reason)) = details.split_once("'Skipped: ").filter(|_| status == TestStatus::Skipped) {
        texts::append(&mut main.message, reason.trim_end_matches("')"), limits.message_bytes);
    }
    Ok(())
}

fn crash_message(json: &mut Json<'_>, message: &mut String, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    let limit = tests.limits.message_bytes;
    while let Some(key) = json.next_key()? {
        match key {
            "message" => text(json, message, limit, tests.problems(), "crash.message")?,
            _ => json.skip()?,
        }
    }
    Ok(())
}

/// `[{"owner": "checkout"}, …]`, or `[["owner", "checkout"], …]`.
fn properties(json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
    let limits = tests.limits;
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        let line = json.line();
        if json.kind()? == crate::json::Kind::Array {
            json.enter_array()?;
            let mut pair = [String::new(), String::new()];
            let mut position = 0;
            while json.next_element()? {
                match pair.get_mut(position) {
                    Some(part) => {
                        text(json, part, limits.message_bytes, tests.problems(), "user_properties")?
                    }
                    None => json.skip()?,
                }
                position += 1;
            }
            let [name, value] = pair;
            tests.add_label(&name, &value, line);
            continue;
        }
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            let name = key.to_owned();
            let mut value = String::new();
            text(json, &mut value, limits.message_bytes, tests.problems(), "user_properties")?;
            tests.add_label(&name, &value, line);
        }
    }
    Ok(())
}

/// Appends a text on lines of its own.
fn append_lines(out: &mut String, text: &str, limit: usize) {
    if !out.is_empty() && !text.is_empty() && !out.ends_with('\n') {
        texts::append(out, "\n", limit);
    }
    texts::append(out, text, limit);
}
