//! NUnit's XML of version 3 (`test-run`) and of version 2 (`test-results`), which Pester and others write as well.
//!
//! ```text
//! 3: test-run > test-suite[type name] … > test-case[name classname result label duration start-time]
//! 2: test-results[date time] > test-suite[type name] > results > test-case[name executed result time]
//!                                                                 ├ failure > message, stack-trace
//!                                                                 ├ reason > message; output
//!                                                                 └ properties > property; categories > category
//! ```
//!
//! The suite of a test is its assembly: namespaces and fixtures stand in its class name.
//!
//! Memory: the XML window, one test, one name for each open suite, and the numbering of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problems, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::duration::Durations;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::texts::file_name;
use crate::test_report::xml_fields::{
    append_details, append_message, append_output, attributes, day_and_clock, keep_name, name_of, seconds,
    time,
};
use crate::test_report::{Summary, TestSink};
use crate::xml::{self, Tag, Text, Walk};

/// Reads an NUnit report of either version.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut walker = NUnit {
        tests: TestsIn::new(limits, sink),
        durations: Durations::default(),
        assembly: String::new(),
        full_name: String::new(),
        run_at: None,
        at: None,
        executed: None,
        success: None,
    };
    let expected = "expected an NUnit report: <test-run> or <test-results>";
    let ending = xml::walk(input, limits, is_root, expected, &mut walker)?;
    walker.tests.note_ending(ending);
    Ok(walker.tests.finish())
}

fn is_root(name: &str) -> bool {
    matches!(name, "test-run" | "test-results" | "test-suite")
}

/// Is it XML with a root of NUnit?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root.is_some_and(is_root)
}

struct NUnit<'l, 's> {
    tests: TestsIn<'l, 's>,
    durations: Durations,
    assembly: String,
    /// The attribute `fullname` of the test.
    full_name: String,
    run_at: Option<Timestamp>,
    at: Option<Timestamp>,
    /// What version 2 says where it states no result.
    executed: Option<bool>,
    success: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Run,
    Suite,
    SuiteProperties,
    Case,
    /// `failure` or `reason`, `categories` or `properties` of a test.
    Part,
    Message,
    StackTrace,
    Output,
    Other,
}

impl Walk for NUnit<'_, '_> {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        match (parent, tag.name()) {
            (_, "test-run" | "test-results") => self.begin_run(tag),
            (_, "test-suite") => self.begin_suite(tag),
            (_, "test-case") => self.begin_case(tag),
            (Some(Element::Case), "failure" | "reason" | "properties" | "categories") => Element::Part,
            (Some(Element::Case), "output") => Element::Output,
            (Some(Element::Part), "message") => Element::Message,
            (Some(Element::Part), "stack-trace") => Element::StackTrace,
            (Some(Element::Part), "property") => {
                let (name, value) =
                    (name_of(&mut self.tests, tag, "name"), name_of(&mut self.tests, tag, "value"));
                self.tests.add_label(&name, &value, tag.line());
                Element::Other
            }
            (Some(Element::Part), "category") => {
                let name = name_of(&mut self.tests, tag, "name");
                self.tests.add_label("Category", &name, tag.line());
                Element::Other
            }
            (Some(Element::Suite | Element::Run), "properties") => Element::SuiteProperties,
            (Some(Element::SuiteProperties), "property") => {
                self.tests.count_suite_property();
                Element::Other
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        if element == Element::Case {
            self.settle();
            self.tests.give(&self.assembly, self.at);
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        let tests = &mut self.tests;
        match element {
            Element::Message => append_message(tests, text, "message"),
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

impl NUnit<'_, '_> {
    fn begin_run(&mut self, tag: &Tag<'_>) -> Element {
        let (mut date, mut clock) = (String::new(), String::new());
        for attribute in attributes(tag) {
            match attribute.name {
                "start-time" => self.run_at = time(&mut self.tests, tag, &attribute),
                "duration" => {
                    let stated = seconds(&mut self.tests, tag, &attribute, &mut self.durations);
                    self.tests.add_stated(stated.filter(|seconds| *seconds > 0.0));
                }
                "date" => attribute.raw().trim().clone_into(&mut date),
                "time" => attribute.raw().trim().clone_into(&mut clock),
                _ => {}
            }
        }
        let told_apart = day_and_clock(&mut self.tests, tag, &date, &clock, "test-results.date");
        self.run_at = told_apart.or(self.run_at);
        self.tests.note_time(self.run_at);
        Element::Run
    }

    fn begin_suite(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.count_suite();
        let kind = attributes(tag).find(|attribute| attribute.name == "type");
        if kind
            .is_some_and(|kind| matches!(kind.raw(), "Assembly" | "Project" | "Test Project" | "PowerShell"))
        {
            let path = name_of(&mut self.tests, tag, "name");
            file_name(&path).clone_into(&mut self.assembly);
        }
        Element::Suite
    }

    fn begin_case(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.case.clear();
        self.full_name.clear();
        (self.at, self.executed, self.success) = (self.run_at, None, None);
        let (mut result, mut label) = (String::new(), String::new());
        for attribute in attributes(tag) {
            let tests = &mut self.tests;
            match attribute.name {
                "name" => keep_name(tests, tag, &attribute, |case| &mut case.name),
                "classname" => keep_name(tests, tag, &attribute, |case| &mut case.classname),
                "fullname" => self.full_name = name_of(tests, tag, "fullname"),
                "duration" | "time" => {
                    tests.case.main.duration = seconds(tests, tag, &attribute, &mut self.durations);
                }
                "start-time" => self.at = time(tests, tag, &attribute).or(self.run_at),
                "result" => attribute.raw().trim().clone_into(&mut result),
                "label" => attribute.raw().trim().clone_into(&mut label),
                "executed" => self.executed = Some(is_true(attribute.raw())),
                "success" => self.success = Some(is_true(attribute.raw())),
                _ => {}
            }
        }
        self.tests.case.main.status = self.status(&result, &label, tag.line());
        Element::Case
    }

    fn status(&mut self, result: &str, label: &str, line: u64) -> TestStatus {
        match (result.to_ascii_lowercase().as_str(), label.to_ascii_lowercase().as_str()) {
            ("passed" | "success" | "warning", _) => TestStatus::Passed,
            ("failed" | "failure", "error" | "cancelled" | "invalid") => TestStatus::Error,
            ("failed" | "failure", _) => TestStatus::Failed,
            ("error" | "cancelled" | "invalid" | "notrunnable", _) => TestStatus::Error,
            ("skipped" | "ignored" | "inconclusive" | "explicit", _) => TestStatus::Skipped,
            ("", _) => match (self.executed, self.success) {
                (Some(false), _) => TestStatus::Skipped,
                (_, Some(true)) => TestStatus::Passed,
                (_, Some(false)) => TestStatus::Failed,
                _ => self.unknown_result(line),
            },
            _ => self.unknown_result(line),
        }
    }

    fn unknown_result(&mut self, line: u64) -> TestStatus {
        self.tests.problem(line, "test-case.result", "missing or no result of NUnit, taken as an error");
        TestStatus::Error
    }

    /// The class of a test that does not state it stands before its name.
    fn settle(&mut self) {
        let case = &mut self.tests.case;
        if !case.classname.is_empty() {
            return;
        }
        if let Some(before) = self.full_name.strip_suffix(&case.name).and_then(|rest| rest.strip_suffix('.'))
        {
            before.clone_into(&mut case.classname);
            return;
        }
        let arguments = case.name.find('(').unwrap_or(case.name.len());
        let dot = case.name.get(..arguments).and_then(|method| method.rfind('.'));
        if let Some((class, name)) = dot.and_then(|dot| case.name.split_at_checked(dot)) {
            let name = name.trim_start_matches('.').to_owned();
            // A title that ends a sentence is no method.
            if !class.contains(' ') && !name.is_empty() {
                case.classname = class.to_owned();
                case.name = name;
            }
        }
    }
}

fn is_true(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("true")
}
