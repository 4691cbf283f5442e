//! Cucumber's JSON (`--format json` of cucumber-js, -ruby, -jvm; behave's and SpecFlow's look-alikes).
//!
//! ```text
//! [{"uri": …, "name": FEATURE, "elements": [{"type": "scenario", "keyword": …, "name": …, "line": …, "tags": […],
//!   "before" | "steps" | "after": [{"keyword": …, "name": …, "result": {"status": …, "duration": …, "error_message": …}}]}]}]
//! ```
//!
//! A scenario is a test: class name the feature, file the feature's. Steps of a `background` element belong to the
//! scenario after it. A step that is undefined, ambiguous or pending fails its scenario, as it fails the run.
//!
//! Memory: 64 KiB of input, the scenarios of one feature (its name comes after them), at most 64 MiB, and the numbering
//! of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus};

use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::test_report::case::Case;
use crate::test_report::held::Held;
use crate::test_report::json_fields::{duration, read_document, short_text, text, time, whole};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::texts::append;
use crate::test_report::{Summary, TestSink};

/// What Cucumber's own JUnit XML calls the suite of every scenario.
pub(super) const SUITE: &str = "Cucumber";

/// Reads the JSON of Cucumber.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut cucumber = Cucumber { held: Held::new(), background: None };
    let expected = "expected the JSON of Cucumber";
    read_document(input, limits, sink, expected, &mut cucumber, Cucumber::walk, |cucumber, tests| {
        cucumber.give_held(tests, "", "");
    })
}

/// Is it an array of features?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| {
        json.is_array
            && json.has("elements")
            && (json.has("uri") || json.has("keyword") || look.text.contains("\"steps\""))
    })
}

struct Cucumber {
    /// The scenarios of the feature being read.
    held: Held<()>,
    /// The steps of the background, which come before those of the scenario.
    background: Option<Case>,
}

impl Cucumber {
    fn walk(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<bool, Stop> {
        if !json.enter_array()? {
            return Ok(false);
        }
        let mut is_ours = false;
        while json.next_element()? {
            is_ours |= self.feature(json, tests)?;
            if tests.is_done {
                break;
            }
        }
        Ok(is_ours)
    }

    fn feature(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<bool, Stop> {
        if !json.enter_object()? {
            return Ok(false);
        }
        let limits = tests.limits;
        let (mut uri, mut name, mut is_ours) = (None, None, false);
        while let Some(key) = json.next_key()? {
            match key {
                "uri" => uri = short_text(json, limits.name_bytes, tests.problems(), "uri")?,
                "name" => name = short_text(json, limits.name_bytes, tests.problems(), "name")?,
                "elements" => {
                    is_ours = true;
                    if !json.enter_array()? {
                        continue;
                    }
                    while json.next_element()? {
                        self.element(json, tests)?;
                    }
                }
                _ => json.skip()?,
            }
        }
        tests.count_suite();
        self.background = None;
        self.give_held(tests, name.as_deref().unwrap_or_default(), uri.as_deref().unwrap_or_default());
        Ok(is_ours)
    }

    fn give_held(&mut self, tests: &mut TestsIn<'_, '_>, feature: &str, uri: &str) {
        for ((), mut case) in self.held.take_all() {
            feature.clone_into(&mut case.classname);
            uri.clone_into(&mut case.file);
            tests.give_case(&mut case, SUITE, None);
        }
    }

    fn element(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
        let line = json.line();
        if !json.enter_object()? {
            tests.problem(line, "elements", "not an object, left out");
            return Ok(());
        }
        let limits = tests.limits;
        tests.case = self.background.take().unwrap_or_default();
        let mut kind = None;
        while let Some(key) = json.next_key()? {
            match key {
                "type" => kind = short_text(json, 64, tests.problems(), "type")?,
                "name" => {
                    let mut name = String::new();
                    text(json, &mut name, limits.name_bytes, tests.problems(), "name")?;
                    tests.case.name = name;
                }
                "line" => tests.case.line = whole(json, tests.problems(), "line")?,
                "start_timestamp" => tests.case.main.at = time(json, tests.problems(), "start_timestamp")?,
                "tags" => tags(json, tests)?,
                "before" | "after" | "steps" => steps(json, tests)?,
                _ => json.skip()?,
            }
        }
        let case = std::mem::take(&mut tests.case);
        if kind.as_deref() == Some("background") {
            self.background = Some(case);
            return Ok(());
        }
        if self.held.is_full() {
            let message =
                "more than 64 MiB of scenarios in one feature: the first of them are not named after it";
            tests.problems().push(Problem::new(message).at_line(line));
            self.give_held(tests, "", "");
        }
        self.held.push((), case);
        Ok(())
    }
}

fn tags(json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        let line = json.line();
        let mut tag = None;
        if json.kind()? == crate::json::Kind::String {
            tag = short_text(json, tests.limits.name_bytes, tests.problems(), "tags")?;
        } else if json.enter_object()? {
            while let Some(key) = json.next_key()? {
                match key {
                    "name" => tag = short_text(json, tests.limits.name_bytes, tests.problems(), "tags.name")?,
                    _ => json.skip()?,
                }
            }
        }
        if let Some(tag) = tag {
            tests.add_label("tag", &tag, line);
        }
    }
    Ok(())
}

fn steps(json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        if !json.enter_object()? {
            continue;
        }
        let limits = tests.limits;
        let (mut keyword, mut name, mut status) = (None, None, None);
        let mut error = String::new();
        while let Some(key) = json.next_key()? {
            match key {
                "keyword" => keyword = short_text(json, 64, tests.problems(), "keyword")?,
                "name" => name = short_text(json, limits.name_bytes, tests.problems(), "steps.name")?,
                "result" => status = result(json, tests, &mut error)?,
                _ => json.skip()?,
            }
        }
        let Some(status) = status else { continue };
        let step = format!("{}{}", keyword.unwrap_or_default(), name.unwrap_or_default());
        add_step(&mut tests.case, status, step.trim(), &error, limits);
    }
    Ok(())
}

/// Notes how a step ended; of several that did not pass, the first of the worst speaks for the scenario.
pub(super) fn add_step(case: &mut Case, step_status: StepStatus, step: &str, error: &str, limits: &Limits) {
    let main = &mut case.main;
    let status = step_status.of_scenario();
    if status <= main.status {
        return;
    }
    main.status = status;
    main.message.clear();
    main.details.clear();
    let first = error.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let why = match step_status {
        StepStatus::Failed if !first.is_empty() => first.to_owned(),
        StepStatus::Failed => format!("failed step: {step}"),
        StepStatus::Undefined => format!("undefined step: {step}"),
        StepStatus::Ambiguous => format!("ambiguous step: {step}"),
        StepStatus::Pending => format!("pending step: {step}"),
        StepStatus::Skipped | StepStatus::Passed => String::new(),
    };
    append(&mut main.message, why.trim_end_matches(": "), limits.message_bytes);
    if !error.is_empty() {
        let separator = if step.is_empty() { "" } else { "\n" };
        append(&mut main.details, &format!("{step}{separator}{error}"), limits.details_bytes);
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepStatus {
    Passed,
    Skipped,
    Pending,
    Undefined,
    Ambiguous,
    Failed,
}

impl StepStatus {
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "passed" => Self::Passed,
            "skipped" => Self::Skipped,
            "pending" => Self::Pending,
            "undefined" => Self::Undefined,
            "ambiguous" => Self::Ambiguous,
            "failed" => Self::Failed,
            _ => return None,
        })
    }

    const fn of_scenario(self) -> TestStatus {
        match self {
            Self::Passed => TestStatus::Passed,
            Self::Skipped => TestStatus::Skipped,
            Self::Pending | Self::Undefined | Self::Ambiguous | Self::Failed => TestStatus::Failed,
        }
    }
}

fn result(
    json: &mut Json<'_>,
    tests: &mut TestsIn<'_, '_>,
    error: &mut String,
) -> Result<Option<StepStatus>, Stop> {
    let line = json.line();
    if !json.enter_object()? {
        return Ok(None);
    }
    let limits = tests.limits;
    let mut status = None;
    while let Some(key) = json.next_key()? {
        match key {
            "status" => {
                let word = short_text(json, 64, tests.problems(), "result.status")?.unwrap_or_default();
                status = StepStatus::of_word(&word);
                if status.is_none() {
                    tests.problem(line, "result.status", "not known, the step was left out");
                }
            }
            // Nanoseconds.
            "duration" => {
                if let Some(seconds) = duration(json, 1e9, tests.problems(), "result.duration")? {
                    *tests.case.main.duration.get_or_insert(0.0) += seconds;
                }
            }
            "error_message" => text(json, error, limits.details_bytes, tests.problems(), "error_message")?,
            _ => json.skip()?,
        }
    }
    Ok(status)
}
