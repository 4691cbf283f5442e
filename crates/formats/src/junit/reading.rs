//! The walk through one file.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, Problems, Timestamp};

use super::elements::Reads;
use crate::error::ReadError;
use crate::test_report::case::Case;
use crate::test_report::duration::Durations;
use crate::test_report::names::{SUITE_SEPARATOR, without_run_time};
use crate::test_report::outlet::{Outlet, Surroundings};
use crate::test_report::values::{clipped, duration, report, separate, timestamp, well_formed};
use crate::test_report::{Summary, TestSink};
use crate::xml::{Attribute, Event, Flaws, Place, Reader, Tag, Text, XmlError};

/// What an open element is, and with it where its text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
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
    is_pytest: bool,
}

pub(super) struct Reading<'l, 's> {
    limits: &'l Limits,
    outlet: Outlet<'l, 's>,
    elements: Vec<Element>,
    levels: Vec<Level>,
    path: String,
    case: Case,
    durations: Durations,
    suite_name: String,
    stated_seconds: Option<f64>,
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
            outlet: Outlet::new(limits, sink),
            elements: Vec::new(),
            levels: Vec::new(),
            path: String::new(),
            case: Case::default(),
            durations: Durations::default(),
            suite_name: String::new(),
            stated_seconds: None,
            roots: 0,
            unknown: Vec::new(),
        }
    }

    pub(super) fn read(mut self, input: &mut dyn BufRead) -> Result<Summary, ReadError> {
        let mut xml = Reader::new(input, self.limits, self.problems())?;
        loop {
            let event = match xml.next(&mut self.outlet.summary.problems) {
                Ok(event) => event,
                Err(XmlError::TagTooLong { line, limit }) if self.roots > 0 => {
                    let message = format!("a tag is longer than {limit} bytes; the file was read up to here");
                    self.end_early(&message, line);
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
                Event::Eof { is_truncated, is_plain_text } => {
                    self.finish(is_truncated, is_plain_text, xml.line())?;
                    break;
                }
            };
            if flow.is_break() {
                break;
            }
        }
        Ok(self.outlet.into_summary(self.stated_seconds))
    }

    fn problems(&mut self) -> &mut Problems {
        &mut self.outlet.summary.problems
    }

    fn finish(&mut self, is_truncated: bool, is_plain_text: bool, line: u64) -> Result<(), ReadError> {
        if self.roots == 0 {
            // Text that is not blank was reported.
            let is_empty = is_plain_text && self.problems().is_empty();
            return Err(if is_empty {
                ReadError::Empty
            } else {
                not_junit("no whole XML element found".to_owned())
            });
        }
        if is_truncated {
            let in_case = self.elements.contains(&Element::Case);
            let lost = if in_case { "; the test it ends in was left out" } else { "" };
            self.end_early(&format!("the file ends too early: elements are still open{lost}"), line);
        }
        Ok(())
    }

    fn end_early(&mut self, message: &str, line: u64) {
        // Reading ends here anyway, whether the sink wants more or not.
        let _flow = self.flush();
        self.outlet.summary.truncated = true;
        self.problems().push(Problem::new(message).at_line(line));
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<ControlFlow<()>, ReadError> {
        let parent = self.elements.last().copied();
        let name = tag.name();
        if parent.is_none() {
            self.check_root(tag)?;
        }
        let mut flow = ControlFlow::Continue(());
        let element = match (parent, name) {
            (None | Some(Element::Suites | Element::Suite), "testcase") => {
                self.reads().begin_case(tag);
                Element::Case
            }
            (None | Some(Element::Suites | Element::Suite), "testsuite" | "testsuites") => {
                flow = self.flush();
                self.begin_suite(tag, name == "testsuites")
            }
            (Some(Element::Case), "failure" | "error" | "skipped" | "disabled" | "ignored") => {
                self.reads().begin_outcome(tag)
            }
            (Some(Element::Case), "rerunFailure" | "rerunError" | "flakyFailure" | "flakyError") => {
                self.reads().begin_rerun(tag)
            }
            (Some(Element::Case), "system-out" | "system-err") => {
                separate(&mut self.case.main.output, self.limits.details_bytes);
                Element::Output
            }
            (Some(Element::Case), "properties") => Element::CaseProperties,
            (Some(Element::CaseProperties), "property") => self.reads().begin_property(tag),
            (Some(Element::Rerun), "stackTrace") => Element::RerunDetails,
            (Some(Element::Rerun), "system-out" | "system-err") => {
                if let Some(rerun) = self.case.rerun() {
                    separate(&mut rerun.output, self.limits.details_bytes);
                }
                Element::RerunOutput
            }
            (Some(Element::Suites | Element::Suite), "properties") => Element::SuiteProperties,
            (Some(Element::SuiteProperties), "property") => {
                self.outlet.summary.suite_properties += 1;
                Element::Other
            }
            (Some(Element::Suites | Element::Suite), "system-out" | "system-err") => Element::Other,
            (Some(_), "testcase") => {
                flow = self.begin_case_inside(tag);
                Element::Case
            }
            (Some(Element::Other), _) => Element::Other,
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
            Some(Element::Case) => self.give_case(),
            Some(Element::Suites | Element::Suite) => {
                let flow = self.flush();
                if let Some(level) = self.levels.pop() {
                    self.path.truncate(level.outer_path);
                }
                flow
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn reads(&mut self) -> Reads<'_> {
        Reads {
            case: &mut self.case,
            durations: &mut self.durations,
            limits: self.limits,
            problems: &mut self.outlet.summary.problems,
        }
    }

    fn give_case(&mut self) -> ControlFlow<()> {
        self.outlet.take(&mut self.case, surroundings(&self.levels, &self.path))
    }

    fn flush(&mut self) -> ControlFlow<()> {
        self.outlet.flush(surroundings(&self.levels, &self.path))
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
            self.problems().push_with(|| {
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
            is_pytest: false,
        };
        for attribute in tag.attributes() {
            let Some(attribute) = well_formed(attribute, tag, self.problems()) else { continue };
            match attribute.name {
                "name" if !is_root => {
                    self.extend_path(&attribute, tag.place);
                    level.is_pytest = self.suite_name == "pytest";
                }
                "timestamp" => {
                    let at = timestamp(&attribute, self.problems(), "testsuite.timestamp", tag.place);
                    self.outlet.note_time(at);
                    level.at = at.or(level.at);
                }
                "time" => {
                    let problems = &mut self.outlet.summary.problems;
                    let field = "testsuite.time";
                    let seconds = duration(&attribute, &mut self.durations, problems, field, tag.place);
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
        self.outlet.summary.suites += 1;
        Element::Suite
    }

    fn extend_path(&mut self, attribute: &Attribute<'_>, place: Place<'_>) {
        let limit = self.limits.name_bytes;
        self.suite_name.clear();
        let mut flaws = attribute.append_to(&mut self.suite_name, limit);
        let name = without_run_time(&self.suite_name);
        if !self.path.is_empty() && !name.is_empty() {
            self.path.push_str(SUITE_SEPARATOR);
        }
        self.path.push_str(name);
        if self.path.len() > limit {
            self.path.truncate(self.path.floor_char_boundary(limit));
            flaws.merge(Flaws { clipped: true, ..Flaws::default() });
        }
        report(self.problems(), flaws, limit, "testsuite.name", place);
    }

    /// A test inside something that holds no tests: most likely the end tag of the one before is missing.
    fn begin_case_inside(&mut self, tag: &Tag<'_>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        self.problems().push_with(|| {
            Problem::new("a testcase inside another element, read as a test of the suite").at_line(tag.line())
        });
        if let Some(outer) = self.elements.iter().position(|element| *element == Element::Case) {
            flow = self.give_case();
            for element in self.elements.iter_mut().skip(outer) {
                *element = Element::Other;
            }
        }
        self.reads().begin_case(tag);
        flow
    }

    fn text(&mut self, text: &Text<'_>) {
        let Some(element) = self.elements.last().copied() else {
            if !text.is_blank() {
                self.problems().push_with(|| {
                    Problem::new("text outside of the document, ignored").at_line(text.place.line())
                });
            }
            return;
        };
        self.reads().text(element, text);
    }

    fn report_unknown(&mut self, name: &str, parent: Option<Element>, tag: &Tag<'_>) {
        if self.unknown.iter().any(|known| known == name) || self.unknown.len() >= UNKNOWN_KEPT {
            return;
        }
        self.unknown.push(clipped(name));
        let place = if parent.is_none() { " after the document" } else { "" };
        let message = format!("element <{}>{place} is not read (reported once a file)", clipped(name));
        self.problems().push(Problem::new(message).at_line(tag.line()));
    }
}

fn surroundings<'a>(levels: &[Level], path: &'a str) -> Surroundings<'a> {
    let level = levels.last();
    Surroundings {
        suite: path,
        at: level.and_then(|level| level.at),
        is_pytest: level.is_some_and(|level| level.is_pytest),
    }
}

fn not_junit(found: String) -> ReadError {
    ReadError::UnknownFormat {
        found,
        expected: "expected JUnit XML: <testsuites>, <testsuite> or <testcase>",
    }
}
