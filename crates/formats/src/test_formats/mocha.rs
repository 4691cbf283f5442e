//! Mocha's JSON (`mocha --reporter json`).
//!
//! ```text
//! {"stats": {"start": …, "duration": …}, "tests": [{"title": …, "fullTitle": …, "file": …, "duration": …,
//!   "currentRetry": …, "err": {"message": …, "stack": …}}], "failures": [… hooks too …], "pending": […], "passes": […]}
//! ```
//!
//! `tests` has them all but for hooks that failed, which are read from `failures`. A test without duration and error is
//! pending. The suite is the name of the file, without its folders; the class name the titles around the test. Of
//! retries only their number is told.
//!
//! Memory: 64 KiB of input, one test, and the numbering of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::test_report::json_fields::{duration, read_document, short_text, text, time, whole};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::texts::{append, file_name};
use crate::test_report::{Summary, TestSink};

/// Reads the JSON of Mocha.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    read_document(input, limits, sink, "expected the JSON of Mocha", &mut None, walk, |_, _| {})
}

/// Is it one object that begins with the counts of Mocha?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let stats = look.json.as_ref().filter(|json| !json.is_array).and_then(|json| json.inside("stats"));
    stats.is_some_and(|stats| stats.has("suites") && stats.has("passes") && stats.has("failures"))
}

fn walk(at: &mut Option<Timestamp>, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<bool, Stop> {
    if !json.enter_object()? {
        return Ok(false);
    }
    let mut is_ours = false;
    while let Some(key) = json.next_key()? {
        match key {
            "stats" => stats(at, json, tests)?,
            "tests" | "failures" => {
                is_ours = true;
                let hooks_alone = key == "failures";
                if !json.enter_array()? {
                    continue;
                }
                while json.next_element()? {
                    one(json, tests, hooks_alone, *at)?;
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

fn stats(at: &mut Option<Timestamp>, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        match key {
            "start" => {
                *at = time(json, tests.problems(), "stats.start")?;
                tests.note_time(*at);
            }
            "duration" => tests.stated_seconds = duration(json, 1e3, tests.problems(), "stats.duration")?,
            "suites" => {
                let suites = whole(json, tests.problems(), "stats.suites")?;
                for _ in 0..suites.unwrap_or(0).clamp(0, MOST_SUITES) {
                    tests.count_suite();
                }
            }
            _ => json.skip()?,
        }
    }
    Ok(())
}

/// A number of suites beyond which a count is nonsense.
const MOST_SUITES: i64 = 1_000_000;

fn one(
    json: &mut Json<'_>,
    tests: &mut TestsIn<'_, '_>,
    hooks_alone: bool,
    at: Option<Timestamp>,
) -> Result<(), Stop> {
    let line = json.line();
    if !json.enter_object()? {
        tests.problem(line, "tests", "not an object, left out");
        return Ok(());
    }
    let limits = tests.limits;
    let mut case = std::mem::take(&mut tests.case);
    case.clear();
    let (mut full_title, mut retry) = (None, None);
    while let Some(key) = json.next_key()? {
        let problems = tests.problems();
        match key {
            "title" => text(json, &mut case.name, limits.name_bytes, problems, "title")?,
            "fullTitle" => full_title = short_text(json, 2 * limits.name_bytes, problems, "fullTitle")?,
            "file" => text(json, &mut case.file, limits.name_bytes, problems, "file")?,
            "duration" => case.main.duration = duration(json, 1e3, problems, "duration")?,
            "currentRetry" => retry = whole(json, problems, "currentRetry")?,
            "err" => {
                if json.enter_object()? {
                    while let Some(key) = json.next_key()? {
                        let main = &mut case.main;
                        let problems = tests.problems();
                        match key {
                            "message" => {
                                text(json, &mut main.message, limits.message_bytes, problems, "err.message")?
                            }
                            "stack" => {
                                text(json, &mut main.details, limits.details_bytes, problems, "err.stack")?
                            }
                            "name" => text(json, &mut main.kind, limits.name_bytes, problems, "err.name")?,
                            _ => json.skip()?,
                        }
                    }
                }
            }
            _ => json.skip()?,
        }
    }
    let is_hook = is_hook(&case.name);
    let has_error = !case.main.message.is_empty() || !case.main.details.is_empty();
    case.main.status = match (has_error, is_hook) {
        (true, true) => TestStatus::Error,
        (true, false) => TestStatus::Failed,
        (false, _) if case.main.duration.is_none() => TestStatus::Skipped,
        (false, _) => TestStatus::Passed,
    };
    let around = full_title.as_deref().and_then(|full| full.strip_suffix(&case.name)).map(str::trim_end);
    append(&mut case.classname, around.unwrap_or_default(), limits.name_bytes);
    case.failed_before(u64::try_from(retry.unwrap_or(0)).unwrap_or(0));
    let is_wanted = !hooks_alone || is_hook;
    tests.case = case;
    if is_wanted {
        let suite = file_name(&tests.case.file).to_owned();
        tests.give(&suite, at);
    } else {
        tests.case.clear();
    }
    Ok(())
}

/// `"before each" hook for "adds"`
fn is_hook(title: &str) -> bool {
    ["\"before all\" hook", "\"after all\" hook", "\"before each\" hook", "\"after each\" hook"]
        .iter()
        .any(|hook| title.starts_with(hook))
}
