//! xUnit.net, its XML of version 2 (`-xml`), which version 3 writes too.
//!
//! ```text
//! assemblies > assembly[name run-date run-time] > collection > test[name type method time result]
//!              │                                               └ failure[exception-type] > message, stack-trace
//!              │                                                 reason, output, traits > trait[name value]
//!              └ errors > error[type name] > failure: what broke outside of tests
//! ```
//!
//! Memory: the XML window, one test, and the numbering of repetitions (`crate::test_report`).

use std::io::BufRead;

use manometer_model::{Limits, Problems, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::duration::Durations;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::texts::file_name;
use crate::test_report::xml_fields::{
    append_details, append_message, append_output, attributes, day_and_clock, keep_name, line_number,
    name_of, seconds, time,
};
use crate::test_report::{Summary, TestSink};
use crate::xml::{self, Tag, Text, Walk};

/// Reads an xUnit.net report.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut walker = XUnit {
        tests: TestsIn::new(limits, sink),
        durations: Durations::default(),
        assembly: String::new(),
        assembly_at: None,
        at: None,
    };
    let is_root = |name: &str| matches!(name, "assemblies" | "assembly");
    let expected = "expected an xUnit.net report: <assemblies> or <assembly>";
    let ending = xml::walk(input, limits, is_root, expected, &mut walker)?;
    walker.tests.note_ending(ending);
    Ok(walker.tests.finish())
}

/// Is it XML with a root of xUnit.net?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    matches!(look.xml_root, Some("assemblies" | "assembly"))
}

struct XUnit<'l, 's> {
    tests: TestsIn<'l, 's>,
    durations: Durations,
    assembly: String,
    assembly_at: Option<Timestamp>,
    at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Assembly,
    Test,
    Failure,
    Message,
    StackTrace,
    Reason,
    Output,
    Other,
}

impl Walk for XUnit<'_, '_> {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        match (parent, tag.name()) {
            (_, "assembly") => self.begin_assembly(tag),
            (_, "test") => self.begin_test(tag),
            (Some(Element::Assembly | Element::Other), "error") => self.begin_error(tag),
            (Some(Element::Test), "failure") => {
                for attribute in attributes(tag).filter(|attribute| attribute.name == "exception-type") {
                    keep_name(&mut self.tests, tag, &attribute, |case| &mut case.main.kind);
                }
                Element::Failure
            }
            (Some(Element::Failure), "message") => Element::Message,
            (Some(Element::Failure), "stack-trace") => Element::StackTrace,
            (Some(Element::Test), "reason") => Element::Reason,
            (Some(Element::Test), "output") => Element::Output,
            (_, "trait") => {
                let (name, value) =
                    (name_of(&mut self.tests, tag, "name"), name_of(&mut self.tests, tag, "value"));
                self.tests.add_label(&name, &value, tag.line());
                Element::Other
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        if element == Element::Test {
            self.tests.give(&self.assembly, self.at);
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        let tests = &mut self.tests;
        match element {
            Element::Message => append_message(tests, text, "message"),
            Element::Reason => append_message(tests, text, "reason"),
            Element::StackTrace => append_details(tests, text, "stack-trace"),
            Element::Output => append_output(tests, text, "output"),
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

impl XUnit<'_, '_> {
    fn begin_assembly(&mut self, tag: &Tag<'_>) -> Element {
        let path = name_of(&mut self.tests, tag, "name");
        file_name(&path).clone_into(&mut self.assembly);
        self.tests.count_suite();
        let (mut date, mut start) = (String::new(), String::new());
        for attribute in attributes(tag) {
            match attribute.name {
                "run-date" => attribute.raw().trim().clone_into(&mut date),
                "run-time" => attribute.raw().trim().clone_into(&mut start),
                "time" => {
                    let stated = seconds(&mut self.tests, tag, &attribute, &mut self.durations);
                    self.tests.add_stated(stated);
                }
                _ => {}
            }
        }
        self.assembly_at = day_and_clock(&mut self.tests, tag, &date, &start, "assembly.run-date");
        self.tests.note_time(self.assembly_at);
        Element::Assembly
    }

    fn begin_test(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.case.clear();
        self.at = self.assembly_at;
        for attribute in attributes(tag) {
            let tests = &mut self.tests;
            match attribute.name {
                "name" => keep_name(tests, tag, &attribute, |case| &mut case.name),
                "type" => keep_name(tests, tag, &attribute, |case| &mut case.classname),
                "source-file" => keep_name(tests, tag, &attribute, |case| &mut case.file),
                "source-line" => tests.case.line = line_number(tests, tag, &attribute),
                "time" => {
                    tests.case.main.duration = seconds(tests, tag, &attribute, &mut self.durations);
                }
                "start-rtf" => self.at = time(tests, tag, &attribute).or(self.at),
                "result" => self.tests.case.main.status = self.status(attribute.raw(), tag.line()),
                _ => {}
            }
        }
        let case = &mut self.tests.case;
        // The display name repeats the class, unless somebody gave the test a title.
        if let Some(name) = case.name.strip_prefix(&case.classname).and_then(|rest| rest.strip_prefix('.')) {
            case.name = name.to_owned();
        }
        Element::Test
    }

    fn status(&mut self, result: &str, line: u64) -> TestStatus {
        match result.trim().to_ascii_lowercase().as_str() {
            "pass" => TestStatus::Passed,
            "fail" => TestStatus::Failed,
            "skip" | "notrun" => TestStatus::Skipped,
            _ => {
                self.tests.problem(
                    line,
                    "test.result",
                    "none of Pass, Fail, Skip and NotRun, taken as an error",
                );
                TestStatus::Error
            }
        }
    }

    /// What broke outside of a test (a fixture, a collection) is one more that has the status of an error.
    fn begin_error(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.case.clear();
        self.at = self.assembly_at;
        self.tests.case.main.status = TestStatus::Error;
        for attribute in attributes(tag) {
            match attribute.name {
                "name" => keep_name(&mut self.tests, tag, &attribute, |case| &mut case.name),
                "type" => keep_name(&mut self.tests, tag, &attribute, |case| &mut case.classname),
                _ => {}
            }
        }
        if self.tests.case.name.is_empty() {
            self.tests.case.name = std::mem::take(&mut self.tests.case.classname);
        }
        Element::Test
    }
}
