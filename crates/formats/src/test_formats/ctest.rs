//! CTest's own XML (`ctest -T Test`, `Testing/*/Test.xml`).
//!
//! ```text
//! Site[BuildName] > Testing > StartTestTime, Test[Status] > Name, Path
//!                             Results > NamedMeasurement[name="Execution Time"] > Value; Measurement > Value
//!                             Labels > Label
//! ```
//!
//! Suite, class name and name are those of CTest's JUnit output, so that a test is the same in both. Output that
//! CTest has compressed is left out, with a problem: run it with `--no-compress-output`.
//!
//! Memory: the XML window, one test, and the numbering of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::duration::Durations;
use crate::test_report::json_fields::from_epoch;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::xml_fields::{append_output, attributes, name_of};
use crate::test_report::{Summary, TestSink};
use crate::xml::{self, Tag, Text, Walk};

/// Reads a `Test.xml` of CTest.
///
/// # Errors
/// When the input fails, is empty, or is no such file.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut walker = CTest {
        tests: TestsIn::new(limits, sink),
        durations: Durations::default(),
        suite: String::new(),
        started_at: None,
        value: String::new(),
        measured: Measured::Other,
        labels: Vec::new(),
        told_compressed: false,
    };
    let ending =
        xml::walk(input, limits, |name| name == "Site", "expected CTest's Test.xml: <Site>", &mut walker)?;
    walker.tests.note_ending(ending);
    Ok(walker.tests.finish())
}

/// Is it XML of CTest's dashboard, and of tests?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("Site") && look.text.contains("<Testing")
}

struct CTest<'l, 's> {
    tests: TestsIn<'l, 's>,
    durations: Durations,
    suite: String,
    started_at: Option<Timestamp>,
    /// Text of the short element being read.
    value: String,
    measured: Measured,
    labels: Vec<String>,
    told_compressed: bool,
}

/// What a `Value` is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measured {
    ExecutionTime,
    CompletionStatus,
    ExitCode,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Site,
    Testing,
    StartTime,
    Test,
    Name,
    Measurement,
    Output,
    OutputValue,
    Value,
    Label,
    Other,
}

impl Walk for CTest<'_, '_> {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        self.value.clear();
        match (parent, tag.name()) {
            (None, "Site") => {
                self.suite = name_of(&mut self.tests, tag, "BuildName");
                Element::Site
            }
            (Some(Element::Site), "Testing") => {
                self.tests.count_suite();
                Element::Testing
            }
            (Some(Element::Testing), "StartTestTime") => Element::StartTime,
            (Some(Element::Testing), "Test") => self.begin_test(tag),
            (Some(Element::Test), "Name") => Element::Name,
            (Some(Element::Test | Element::Other), "NamedMeasurement") => {
                let name = attributes(tag).find(|attribute| attribute.name == "name");
                self.measured = match name.map(|name| name.raw()).unwrap_or_default() {
                    "Execution Time" => Measured::ExecutionTime,
                    "Completion Status" => Measured::CompletionStatus,
                    "Exit Code" => Measured::ExitCode,
                    _ => Measured::Other,
                };
                Element::Measurement
            }
            (Some(Element::Measurement), "Value") => Element::Value,
            (Some(Element::Other), "Measurement") => Element::Output,
            (Some(Element::Output), "Value") => self.begin_output(tag),
            (_, "Label") => Element::Label,
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Test => self.end_test(),
            Element::Name => {
                let case = &mut self.tests.case;
                self.value.clone_into(&mut case.name);
                self.value.clone_into(&mut case.classname);
            }
            Element::StartTime => {
                self.started_at = self.value.trim().parse().ok().and_then(from_epoch);
                self.tests.note_time(self.started_at);
            }
            Element::Value => self.end_value(),
            Element::Label => self.labels.push(std::mem::take(&mut self.value)),
            _ => {}
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        match element {
            Element::Name | Element::StartTime | Element::Value | Element::Label => {
                let limit = self.tests.limits.name_bytes;
                if text.append_to(&mut self.value, limit).any() {
                    let line = text.place.line();
                    self.tests.problem(
                        line,
                        "Test",
                        "a value that is too long or has characters XML forbids",
                    );
                }
            }
            Element::OutputValue => append_output(&mut self.tests, text, "Measurement"),
            _ => {}
        }
    }

    fn problems(&mut self) -> &mut Problems {
        self.tests.problems()
    }

    fn is_done(&self) -> bool {
        self.tests.is_done
    }
}

impl CTest<'_, '_> {
    fn begin_test(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.case.clear();
        self.labels.clear();
        let stated = attributes(tag).find(|attribute| attribute.name == "Status");
        self.tests.case.main.status = match stated.map(|status| status.raw()).unwrap_or_default() {
            "passed" => TestStatus::Passed,
            "failed" => TestStatus::Failed,
            "notrun" => TestStatus::Skipped,
            _ => {
                self.tests.problem(tag.line(), "Test.Status", "missing or not known, taken as an error");
                TestStatus::Error
            }
        };
        Element::Test
    }

    fn begin_output(&mut self, tag: &Tag<'_>) -> Element {
        let is_packed = attributes(tag).any(|attribute| matches!(attribute.name, "encoding" | "compression"));
        if !is_packed {
            return Element::OutputValue;
        }
        if !self.told_compressed {
            self.told_compressed = true;
            self.tests.problems().push(
                Problem::new("compressed output left out (reported once a file): use --no-compress-output")
                    .at_line(tag.line())
                    .in_field("Measurement"),
            );
        }
        Element::Other
    }

    fn end_value(&mut self) {
        let main = &mut self.tests.case.main;
        match self.measured {
            Measured::ExecutionTime => main.duration = self.durations.read(&self.value).ok(),
            // `Completed` says nothing; `SKIP_RETURN_CODE=77`, `Disabled`, `Unable to find executable` do.
            Measured::CompletionStatus if self.value != "Completed" => main.message.clone_from(&self.value),
            // `Failed` says nothing; `Timeout`, `SEGFAULT` and the like do.
            Measured::ExitCode if self.value != "Failed" => main.kind.clone_from(&self.value),
            _ => {}
        }
    }

    fn end_test(&mut self) {
        for label in std::mem::take(&mut self.labels) {
            self.tests.add_label("label", &label, 0);
        }
        self.tests.give(&self.suite, self.started_at);
    }
}
