//! The walk through one file.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, Problems, TestId, TestStatus, Timestamp};

use super::case::{Case, MOST_RERUNS, given};
use super::duration::Durations;
use super::names::{SUITE_SEPARATOR, split_parameters, without_run_time};
use super::ordinals::Ordinals;
use super::{Summary, TestCase, TestSink};
use crate::error::ReadError;
use crate::xml::{Attribute, Event, Flaws, Place, Reader, Tag, Text, XmlError};

/// What an open element is, and with it where its text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Suites,
    Suite,
    Case,
    /// `failure`, `error` or `skipped` of the main execution.
    Outcome,
    /// `rerunFailure`, `flakyError` and the like.
    Rerun,
    /// `stackTrace` of a re-run.
    RerunDetails,
    /// `system-out` or `system-err` of the main execution.
    Output,
    /// The same of a re-run.
    RerunOutput,
    SuiteProperties,
    CaseProperties,
    CaseProperty,
    /// Read past.
    Other,
}

/// An open `testsuites` or `testsuite`.
#[derive(Debug, Clone, Copy)]
struct Level {
    /// Length of the suite path outside of it.
    outer_path: usize,
    at: Option<Timestamp>,
    /// Does it, or one around it, state its duration?
    is_timed: bool,
}

pub(super) struct Reading<'l, 's> {
    limits: &'l Limits,
    sink: &'s mut dyn TestSink,
    summary: Summary,
    elements: Vec<Element>,
    levels: Vec<Level>,
    path: String,
    case: Case,
    durations: Durations,
    ordinals: Ordinals,
    fingerprint: String,
    property: String,
    stated_seconds: Option<f64>,
    test_seconds: Option<f64>,
    roots: u64,
    /// Elements already reported as unknown, by name; a few, so that a report lists each once.
    unknown: Vec<String>,
}

/// Kinds of unknown elements that are told apart.
const UNKNOWN_KEPT: usize = 32;

impl<'l, 's> Reading<'l, 's> {
    pub(super) fn new(limits: &'l Limits, sink: &'s mut dyn TestSink) -> Self {
        Self {
            limits,
            sink,
            summary: Summary::default(),
            elements: Vec::new(),
            levels: Vec::new(),
            path: String::new(),
            case: Case::default(),
            durations: Durations::default(),
            ordinals: Ordinals::new(),
            fingerprint: String::new(),
            property: String::new(),
            stated_seconds: None,
            test_seconds: None,
            roots: 0,
            unknown: Vec::new(),
        }
    }

    pub(super) fn read(mut self, input: &mut dyn BufRead) -> Result<Summary, ReadError> {
        let mut xml = Reader::new(input, self.limits, &mut self.summary.problems)?;
        loop {
            let event = match xml.next(&mut self.summary.problems) {
                Ok(event) => event,
                Err(XmlError::TagTooLong { line, limit }) if self.roots > 0 => {
                    let message = format!("a tag is longer than {limit} bytes; the file was read up to here");
                    self.summary.problems.push(Problem::new(message).at_line(line));
                    self.summary.truncated = true;
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let flow = match event {
                Event::Start(tag) => self.start(&tag)?,
                Event::End => self.end(),
                Event::Text(text) => {
                    self.text(&text);
                    ControlFlow::Continue(())
                }
                Event::Eof { is_truncated } => {
                    self.finish(is_truncated, xml.line())?;
                    break;
                }
            };
            if flow.is_break() {
                break;
            }
        }
        self.summary.duration_seconds = self.stated_seconds.or(self.test_seconds);
        Ok(self.summary)
    }

    fn finish(&mut self, is_truncated: bool, line: u64) -> Result<(), ReadError> {
        if self.roots == 0 {
            return Err(if self.summary.problems.is_empty() && !is_truncated && line == 1 {
                ReadError::Empty
            } else {
                not_junit("no XML element found".to_owned())
            });
        }
        if is_truncated {
            self.summary.truncated = true;
            let in_case = self.elements.contains(&Element::Case);
            let lost = if in_case { "; the test it ends in was left out" } else { "" };
            let message = format!("the file ends too early: elements are still open{lost}");
            self.summary.problems.push(Problem::new(message).at_line(line));
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<ControlFlow<()>, ReadError> {
        let parent = self.elements.last().copied();
        let name = tag.name();
        let mut flow = ControlFlow::Continue(());
        if parent.is_none() {
            self.check_root(tag)?;
        }
        let element = match (parent, name) {
            (None | Some(Element::Suites | Element::Suite), "testcase") => {
                self.begin_case(tag);
                Element::Case
            }
            (None | Some(Element::Suites | Element::Suite), "testsuite" | "testsuites") => {
                self.begin_suite(tag, name == "testsuites")
            }
            (Some(Element::Case), "failure" | "error" | "skipped" | "disabled" | "ignored") => {
                self.begin_outcome(tag, name)
            }
            (Some(Element::Case), "rerunFailure" | "rerunError" | "flakyFailure" | "flakyError") => {
                self.begin_rerun(tag, name)
            }
            (Some(Element::Case), "system-out" | "system-err") => {
                separate(&mut self.case.main.output, self.limits.details_bytes);
                Element::Output
            }
            (Some(Element::Case), "properties") => Element::CaseProperties,
            (Some(Element::CaseProperties), "property") => self.begin_property(tag),
            (Some(Element::Rerun), "stackTrace") => Element::RerunDetails,
            (Some(Element::Rerun), "system-out" | "system-err") => {
                if let Some(rerun) = self.case.rerun() {
                    separate(&mut rerun.output, self.limits.details_bytes);
                }
                Element::RerunOutput
            }
            (Some(Element::Suites | Element::Suite), "properties") => Element::SuiteProperties,
            (Some(Element::SuiteProperties), "property") => {
                self.summary.suite_properties += 1;
                Element::Other
            }
            (Some(Element::Suites | Element::Suite), "system-out" | "system-err") => Element::Other,
            (Some(Element::Other), inner) if inner != "testcase" => Element::Other,
            (Some(_), "testcase") => {
                flow = self.begin_case_inside(tag);
                Element::Case
            }
            (_, unknown) => {
                self.report_unknown(unknown, parent, tag);
                Element::Other
            }
        };
        self.elements.push(element);
        if tag.is_empty && flow.is_continue() {
            return Ok(self.end());
        }
        Ok(flow)
    }

    fn end(&mut self) -> ControlFlow<()> {
        match self.elements.pop() {
            Some(Element::Case) => return self.give_case(),
            Some(Element::Suites | Element::Suite) => {
                if let Some(level) = self.levels.pop() {
                    self.path.truncate(level.outer_path);
                }
            }
            Some(Element::CaseProperty) => self.property.clear(),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// The first element decides whether this is a JUnit file at all; a later one begins another document.
    fn check_root(&mut self, tag: &Tag<'_>) -> Result<(), ReadError> {
        let name = tag.name();
        let is_ours = matches!(name, "testsuites" | "testsuite" | "testcase");
        if self.roots == 0 && !is_ours {
            let looks = if name.eq_ignore_ascii_case("html") { "looks like an HTML page: " } else { "" };
            return Err(not_junit(format!("{looks}XML with root <{}>", clipped(name))));
        }
        self.roots += 1;
        if self.roots > 1 && is_ours && name != "testcase" {
            self.summary.problems.push_with(|| {
                Problem::new(format!("another <{name}> begins after the end of the first, read as well"))
                    .at_line(tag.line())
            });
        }
        Ok(())
    }

    fn begin_suite(&mut self, tag: &Tag<'_>, is_root: bool) -> Element {
        let outer = self.levels.last().copied();
        let mut level = Level {
            outer_path: self.path.len(),
            at: outer.and_then(|level| level.at),
            is_timed: outer.is_some_and(|level| level.is_timed),
        };
        for attribute in tag.attributes() {
            let Some(attribute) = self.well_formed(attribute, tag) else { continue };
            match attribute.name {
                "name" if !is_root => self.extend_path(&attribute, tag.place),
                "timestamp" => {
                    if let Some(at) = self.timestamp(&attribute, "testsuite.timestamp", tag.place) {
                        level.at = Some(at);
                    }
                }
                "time" => {
                    let seconds = self.duration(&attribute, "testsuite.time", tag.place);
                    if let Some(seconds) = seconds
                        && !level.is_timed
                    {
                        level.is_timed = true;
                        *self.stated_seconds.get_or_insert(0.0) += seconds;
                    }
                }
                _ => {}
            }
        }
        self.levels.push(level);
        if is_root {
            return Element::Suites;
        }
        self.summary.suites += 1;
        Element::Suite
    }

    fn extend_path(&mut self, attribute: &Attribute<'_>, place: Place<'_>) {
        self.property.clear();
        let limit = self.limits.name_bytes;
        let flaws = attribute.append_to(&mut self.property, limit);
        report(&mut self.summary.problems, flaws, limit, "testsuite.name", place);
        let name = without_run_time(&self.property);
        if name.is_empty() {
            return;
        }
        if !self.path.is_empty() {
            self.path.push_str(SUITE_SEPARATOR);
        }
        self.path.push_str(name);
        if self.path.len() > limit {
            self.path.truncate(self.path.floor_char_boundary(limit));
            let flaws = Flaws { clipped: true, ..Flaws::default() };
            report(&mut self.summary.problems, flaws, limit, "testsuite.name", place);
        }
        self.property.clear();
    }

    /// A test inside something that holds no tests: the end tag of the one before is missing.
    fn begin_case_inside(&mut self, tag: &Tag<'_>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        self.summary.problems.push_with(|| {
            Problem::new("a testcase inside another element, read as a test of the suite").at_line(tag.line())
        });
        if let Some(outer) = self.elements.iter().position(|element| *element == Element::Case) {
            flow = self.give_case();
            for element in self.elements.iter_mut().skip(outer) {
                *element = Element::Other;
            }
        }
        self.begin_case(tag);
        flow
    }

    fn begin_case(&mut self, tag: &Tag<'_>) {
        self.case.clear();
        let place = tag.place;
        for attribute in tag.attributes() {
            let Some(attribute) = self.well_formed(attribute, tag) else { continue };
            let limit = self.limits.name_bytes;
            let problems = &mut self.summary.problems;
            match attribute.name {
                "name" => keep(&attribute, &mut self.case.name, limit, problems, "testcase.name", place),
                "classname" => {
                    keep(&attribute, &mut self.case.classname, limit, problems, "testcase.classname", place);
                }
                "time" => self.case.main.duration = self.duration(&attribute, "testcase.time", place),
                "file" | "filepath" => {
                    keep(&attribute, &mut self.case.file, limit, problems, "testcase.file", place);
                }
                "line" | "lineno" => match attribute.raw().trim().parse() {
                    Ok(line) => self.case.line = Some(line),
                    Err(_) => bad_value(problems, &attribute, "not a whole number", "testcase.line", place),
                },
                "timestamp" => {
                    self.case.main.at = self.timestamp(&attribute, "testcase.timestamp", place);
                }
                "status" | "result" => {
                    self.case.stated = self.case.stated.max(stated_status(attribute.raw()));
                }
                "value_param" => {
                    let parameter = &mut self.case.value_parameter;
                    keep(&attribute, parameter, limit, problems, "testcase.value_param", place);
                }
                _ => {}
            }
        }
        if self.case.name.is_empty() {
            self.case.name.push_str(UNNAMED);
            self.summary.problems.push_with(|| {
                Problem::new(format!("missing or empty, called `{UNNAMED}`"))
                    .at_line(place.line())
                    .in_field("testcase.name")
            });
        }
    }

    fn begin_outcome(&mut self, tag: &Tag<'_>, name: &str) -> Element {
        let status = match name {
            "failure" => TestStatus::Failed,
            "error" => TestStatus::Error,
            _ => TestStatus::Skipped,
        };
        let main = &mut self.case.main;
        // The first failure speaks for the test; one that is more than a skip replaces a skip.
        let is_first =
            main.status == TestStatus::Passed || (main.status == TestStatus::Skipped && status.is_failure());
        main.status = main.status.max(status);
        separate(&mut main.details, self.limits.details_bytes);
        if is_first {
            main.kind.clear();
            main.message.clear();
            self.read_outcome_attributes(tag, false);
        }
        Element::Outcome
    }

    fn begin_rerun(&mut self, tag: &Tag<'_>, name: &str) -> Element {
        let Some(rerun) = self.case.add_rerun() else {
            self.summary.problems.push_with(|| {
                Problem::new(format!("more than {MOST_RERUNS} re-runs of one test, left out"))
                    .at_line(tag.line())
            });
            return Element::Other;
        };
        rerun.status = if name.ends_with("Error") { TestStatus::Error } else { TestStatus::Failed };
        rerun.is_before = name.starts_with("flaky");
        self.read_outcome_attributes(tag, true);
        Element::Rerun
    }

    fn read_outcome_attributes(&mut self, tag: &Tag<'_>, is_rerun: bool) {
        for attribute in tag.attributes() {
            let Some(attribute) = self.well_formed(attribute, tag) else { continue };
            let place = tag.place;
            let (seconds, at) = match attribute.name {
                "time" if is_rerun => (self.duration(&attribute, "rerun.time", place), None),
                "timestamp" if is_rerun => (None, self.timestamp(&attribute, "rerun.timestamp", place)),
                _ => (None, None),
            };
            let outcome = if is_rerun { self.case.rerun() } else { Some(&mut self.case.main) };
            let Some(outcome) = outcome else { return };
            let problems = &mut self.summary.problems;
            let limits = self.limits;
            match attribute.name {
                "message" => {
                    let limit = limits.message_bytes;
                    keep(&attribute, &mut outcome.message, limit, problems, "failure.message", place);
                }
                "type" => {
                    keep(&attribute, &mut outcome.kind, limits.name_bytes, problems, "failure.type", place)
                }
                "time" if is_rerun => outcome.duration = seconds,
                "timestamp" if is_rerun => outcome.at = at,
                _ => {}
            }
        }
    }

    fn begin_property(&mut self, tag: &Tag<'_>) -> Element {
        self.property.clear();
        let mut value = String::new();
        for attribute in tag.attributes() {
            let Some(attribute) = self.well_formed(attribute, tag) else { continue };
            let problems = &mut self.summary.problems;
            let (limit, place) = (self.limits.message_bytes, tag.place);
            match attribute.name {
                "name" => {
                    let limit = self.limits.name_bytes;
                    keep(&attribute, &mut self.property, limit, problems, "property.name", place);
                }
                "value" => keep(&attribute, &mut value, limit, problems, "property.value", place),
                _ => {}
            }
        }
        if self.property.is_empty() {
            self.summary.problems.push_with(|| {
                Problem::new("missing or empty, the property is left out")
                    .at_line(tag.line())
                    .in_field("property.name")
            });
            return Element::Other;
        }
        let labels = &mut self.case.labels;
        if let Some(earlier) = labels.get_mut(&self.property) {
            // A repeated property is a list.
            if earlier.len() + value.len() + 2 <= self.limits.message_bytes {
                earlier.push_str(", ");
                earlier.push_str(&value);
            }
            return Element::CaseProperty;
        }
        if labels.len() >= self.limits.labels {
            let limit = self.limits.labels;
            self.summary.problems.push_with(|| {
                Problem::new(format!("more than {limit} properties of one test, the rest is left out"))
                    .at_line(tag.line())
                    .in_field("property")
            });
            return Element::Other;
        }
        labels.insert(self.property.clone(), value);
        Element::CaseProperty
    }

    fn text(&mut self, text: &Text<'_>) {
        let Some(element) = self.elements.last().copied() else {
            if !text.is_blank() {
                self.summary.problems.push_with(|| {
                    Problem::new("text outside of the document, ignored").at_line(text.place.line())
                });
            }
            return;
        };
        let limits = self.limits;
        let case = &mut self.case;
        let (out, limit, field) = match element {
            Element::Outcome => (Some(&mut case.main.details), limits.details_bytes, "failure"),
            Element::Output => (Some(&mut case.main.output), limits.details_bytes, "system-out"),
            Element::Rerun | Element::RerunDetails => {
                (case.rerun().map(|rerun| &mut rerun.details), limits.details_bytes, "rerun")
            }
            Element::RerunOutput => {
                (case.rerun().map(|rerun| &mut rerun.output), limits.details_bytes, "system-out")
            }
            Element::CaseProperty => (case.labels.get_mut(&self.property), limits.message_bytes, "property"),
            _ => return,
        };
        let Some(out) = out else { return };
        // White space around the elements of a re-run is layout; so is it at the start of any text.
        if text.is_blank() && (out.is_empty() || element == Element::Rerun) {
            return;
        }
        let was_full = out.len() >= limit;
        let flaws = text.append_to(out, limit);
        if !was_full {
            report(&mut self.summary.problems, flaws, limit, field, text.place);
        }
    }

    fn give_case(&mut self) -> ControlFlow<()> {
        self.case.settle();
        let case = &self.case;
        let (name, bracketed) = split_parameters(&case.name);
        let parameters = bracketed.unwrap_or_default();
        let first = TestId::new(&self.path, &case.classname, name, parameters, 0);
        let test_id = match self.ordinals.next(first.as_u128() as u64) {
            0 => first,
            ordinal => TestId::new(&self.path, &case.classname, name, parameters, ordinal),
        };
        let suite_at = self.levels.last().and_then(|level| level.at);
        let count = case.execution_count();
        for (position, execution) in case.executions().enumerate() {
            if self.summary.tests >= self.limits.tests_per_file {
                let limit = self.limits.tests_per_file;
                let message = format!(
                    "more than {limit} tests in one file (limit `tests_per_file`), the rest was not read"
                );
                self.summary.problems.push(Problem::new(message));
                self.summary.truncated = true;
                return ControlFlow::Break(());
            }
            let message = execution.message(self.limits.message_bytes);
            let is_failure = execution.status.is_failure();
            if is_failure {
                let message = message.unwrap_or_default();
                crate::fingerprint::of_failure(&execution.kind, message, &mut self.fingerprint);
            }
            let did_not_pass = execution.status != TestStatus::Passed;
            let test = TestCase {
                test_id,
                suite: &self.path,
                classname: given(&case.classname),
                name,
                parameters: bracketed.or(given(&case.value_parameter)),
                file: given(&case.file),
                line: case.line,
                status: execution.status,
                duration_seconds: execution.duration,
                attempt: position as i64 + 1,
                is_final: position + 1 == count,
                failure_kind: given(&execution.kind).filter(|_| did_not_pass),
                failure_message: message.filter(|_| did_not_pass),
                failure_details: given(execution.details.trim_end()).filter(|_| did_not_pass),
                failure_fingerprint: is_failure.then_some(self.fingerprint.as_str()),
                output: given(execution.output.trim_end()).filter(|_| did_not_pass),
                labels: &case.labels,
                at: execution.at.or(case.main.at).or(suite_at),
            };
            self.summary.tests += 1;
            *match test.status {
                TestStatus::Passed => &mut self.summary.passed,
                TestStatus::Failed => &mut self.summary.failed,
                TestStatus::Error => &mut self.summary.errors,
                TestStatus::Skipped => &mut self.summary.skipped,
            } += 1;
            if let Some(seconds) = test.duration_seconds {
                *self.test_seconds.get_or_insert(0.0) += seconds;
            }
            self.sink.test(&test)?;
        }
        ControlFlow::Continue(())
    }

    fn well_formed<'a>(
        &mut self,
        attribute: Result<Attribute<'a>, String>,
        tag: &Tag<'_>,
    ) -> Option<Attribute<'a>> {
        match attribute {
            Ok(attribute) => Some(attribute),
            Err(message) => {
                self.summary.problems.push_with(|| {
                    Problem::new(format!("malformed attribute left out: {message}"))
                        .at_line(tag.line())
                        .in_field(clipped(tag.name()))
                });
                None
            }
        }
    }

    fn duration(&mut self, attribute: &Attribute<'_>, field: &str, place: Place<'_>) -> Option<f64> {
        match self.durations.read(attribute.raw()) {
            Ok(seconds) => Some(seconds),
            Err(error) => {
                bad_value(&mut self.summary.problems, attribute, &error.to_string(), field, place);
                None
            }
        }
    }

    fn timestamp(&mut self, attribute: &Attribute<'_>, field: &str, place: Place<'_>) -> Option<Timestamp> {
        match Timestamp::parse_lenient(attribute.raw()) {
            Ok(at) => {
                let earliest = self.summary.started_at.get_or_insert(at);
                *earliest = at.min(*earliest);
                Some(at)
            }
            Err(_) => {
                bad_value(&mut self.summary.problems, attribute, "not a time", field, place);
                None
            }
        }
    }

    fn report_unknown(&mut self, name: &str, parent: Option<Element>, tag: &Tag<'_>) {
        if self.unknown.iter().any(|known| known == name) || self.unknown.len() >= UNKNOWN_KEPT {
            return;
        }
        self.unknown.push(clipped(name));
        let place = if parent.is_none() { " after the document" } else { "" };
        let message = format!("element <{}>{place} is not read (reported once a file)", clipped(name));
        self.summary.problems.push(Problem::new(message).at_line(tag.line()));
    }
}

const UNNAMED: &str = "(unnamed)";

/// What googletest, CTest and others say in an attribute.
fn stated_status(word: &str) -> Option<TestStatus> {
    match word.trim().to_ascii_lowercase().as_str() {
        "fail" | "failed" | "failure" | "timeout" => Some(TestStatus::Failed),
        "error" | "broken" => Some(TestStatus::Error),
        "notrun" | "disabled" | "skipped" | "ignored" | "pending" | "suppressed" => Some(TestStatus::Skipped),
        _ => None,
    }
}

/// Appends an attribute's value to an empty field. A repeated attribute keeps its first value.
fn keep(
    attribute: &Attribute<'_>,
    out: &mut String,
    limit: usize,
    problems: &mut Problems,
    field: &str,
    place: Place<'_>,
) {
    if !out.is_empty() {
        problems.push_with(|| {
            Problem::new("given twice, the first counts").at_line(place.line()).in_field(field)
        });
        return;
    }
    let flaws = attribute.append_to(out, limit);
    report(problems, flaws, limit, field, place);
}

fn report(problems: &mut Problems, flaws: Flaws, limit: usize, field: &str, place: Place<'_>) {
    if flaws.any() {
        problems.push_with(|| Problem::new(flaws.describe(limit)).at_line(place.line()).in_field(field));
    }
}

fn bad_value(
    problems: &mut Problems,
    attribute: &Attribute<'_>,
    reason: &str,
    field: &str,
    place: Place<'_>,
) {
    problems.push_with(|| {
        Problem::new(format!("`{}` is {reason}, left out", clipped(attribute.raw())))
            .at_line(place.line())
            .in_field(field)
    });
}

/// A line end between two texts that are joined in one field.
fn separate(out: &mut String, limit: usize) {
    if !out.is_empty() && !out.ends_with('\n') && out.len() < limit {
        out.push('\n');
    }
}

fn clipped(text: &str) -> String {
    text.get(..text.floor_char_boundary(64)).unwrap_or_default().to_owned()
}

fn not_junit(found: String) -> ReadError {
    ReadError::UnknownFormat {
        found,
        expected: "expected JUnit XML: <testsuites>, <testsuite> or <testcase>",
    }
}
