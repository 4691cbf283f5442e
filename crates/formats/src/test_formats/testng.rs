//! TestNG's own XML (`testng-results.xml`).
//!
//! ```text
//! testng-results > suite[name] > test[name] > class[name]
//!                  > test-method[name status duration-ms started-at is-config retried]
//!                    ├ params > param > value
//!                    ├ exception[class] > message, full-stacktrace
//!                    └ reporter-output > line
//! ```
//!
//! An execution that was retried (`retried="true"`; before TestNG 7 a skip that carries the exception of a failure)
//! is an attempt of the next execution of the same method. Configuration methods count where they failed.
//!
//! Memory: the XML window, one test, at most 1,000 retried executions of one class (64 MiB), and the numbering of
//! repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problems, TestStatus, Timestamp};

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::held::Held;
use crate::test_report::names::SUITE_SEPARATOR;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::xml_fields::{
    append_details, append_message, append_output, attributes, keep_name, name_of, time,
};
use crate::test_report::{Summary, TestSink, texts};
use crate::xml::{self, Tag, Text, Walk};

/// Reads a report of TestNG.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut walker = TestNg {
        tests: TestsIn::new(limits, sink),
        retried: Held::new(),
        path: String::new(),
        class: String::new(),
        parameter: String::new(),
        at: None,
        is_left_out: false,
        was_retried: Retried::No,
    };
    let expected = "expected a report of TestNG: <testng-results>";
    let ending = xml::walk(input, limits, |name| name == "testng-results", expected, &mut walker)?;
    walker.give_retried();
    walker.tests.note_ending(ending);
    Ok(walker.tests.finish())
}

/// Is it XML with the root of TestNG?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("testng-results")
}

struct TestNg<'l, 's> {
    tests: TestsIn<'l, 's>,
    retried: Held<Option<Timestamp>>,
    path: String,
    class: String,
    parameter: String,
    at: Option<Timestamp>,
    /// A configuration method that did not fail.
    is_left_out: bool,
    was_retried: Retried,
}

/// Was an execution followed by another of the same method?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retried {
    No,
    /// If it has the exception of a failure, and another follows.
    Perhaps,
    Yes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    /// `suite` or `test`; how long the path was outside of it.
    Suite {
        outer: usize,
    },
    Class,
    Method,
    ParameterValue,
    Message,
    StackTrace,
    OutputLine,
    Part,
    Other,
}

impl Walk for TestNg<'_, '_> {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        let in_method = matches!(parent, Some(Element::Method | Element::Part));
        match tag.name() {
            "suite" | "test" => self.begin_suite(tag),
            "class" => {
                self.give_retried();
                self.class = name_of(&mut self.tests, tag, "name");
                Element::Class
            }
            "test-method" if parent == Some(Element::Class) => self.begin_method(tag),
            "exception" if in_method => {
                for attribute in attributes(tag).filter(|attribute| attribute.name == "class") {
                    keep_name(&mut self.tests, tag, &attribute, |case| &mut case.main.kind);
                }
                Element::Part
            }
            "params" | "param" | "reporter-output" if in_method => Element::Part,
            "value" if in_method => {
                self.parameter.clear();
                Element::ParameterValue
            }
            "message" if in_method => Element::Message,
            "full-stacktrace" | "short-stacktrace" if in_method => Element::StackTrace,
            "line" if in_method => {
                if !self.tests.case.main.output.is_empty() {
                    self.tests.case.main.output.push('\n');
                }
                Element::OutputLine
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Suite { outer } => {
                self.give_retried();
                self.path.truncate(outer);
            }
            Element::Class => self.give_retried(),
            Element::ParameterValue => self.end_parameter(),
            Element::OutputLine => {
                let output = &mut self.tests.case.main.output;
                output.truncate(output.trim_end().len());
            }
            Element::Method => self.end_method(),
            _ => {}
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        let tests = &mut self.tests;
        match element {
            Element::Message => append_message(tests, text, "message"),
            Element::StackTrace => append_details(tests, text, "full-stacktrace"),
            // The white space around a line is layout.
            Element::OutputLine if !text.is_blank() => append_output(tests, text, "line"),
            Element::ParameterValue => self.parameter_text(text),
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

impl TestNg<'_, '_> {
    fn begin_suite(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.count_suite();
        let outer = self.path.len();
        let name = name_of(&mut self.tests, tag, "name");
        let separator = if self.path.is_empty() || name.is_empty() { "" } else { SUITE_SEPARATOR };
        for part in [separator, &name] {
            texts::append(&mut self.path, part, self.tests.limits.name_bytes);
        }
        for attribute in attributes(tag).filter(|attribute| attribute.name == "started-at") {
            let at = time(&mut self.tests, tag, &attribute);
            self.tests.note_time(at);
        }
        let stated = attributes(tag).find(|attribute| attribute.name == "duration-ms");
        if outer == 0 {
            let seconds = stated.and_then(|stated| milliseconds(stated.raw()));
            self.tests.add_stated(seconds);
        }
        Element::Suite { outer }
    }

    fn begin_method(&mut self, tag: &Tag<'_>) -> Element {
        self.tests.case.clear();
        self.tests.case.classname.clone_from(&self.class);
        (self.at, self.was_retried) = (None, Retried::No);
        let (mut status, mut is_configuration) = (None, false);
        for attribute in attributes(tag) {
            let tests = &mut self.tests;
            match attribute.name {
                "name" => keep_name(tests, tag, &attribute, |case| &mut case.name),
                "status" => status = status_of(attribute.raw()),
                "started-at" => self.at = time(tests, tag, &attribute),
                "is-config" => is_configuration = attribute.raw() == "true",
                "retried" if attribute.raw() == "true" => self.was_retried = Retried::Yes,
                "duration-ms" => match milliseconds(attribute.raw()) {
                    Some(seconds) => tests.case.main.duration = Some(seconds),
                    None => tests.problem(tag.line(), "test-method.duration-ms", "no duration, left out"),
                },
                _ => {}
            }
        }
        let main = &mut self.tests.case.main;
        main.status = status.unwrap_or(TestStatus::Error);
        if status.is_none() {
            self.tests.problem(tag.line(), "test-method.status", "missing or not known, taken as an error");
        }
        let main = &mut self.tests.case.main;
        self.is_left_out = is_configuration && !main.status.is_failure();
        if is_configuration {
            main.status = main.status.max(TestStatus::Error);
        } else if main.status == TestStatus::Skipped && self.was_retried == Retried::No {
            self.was_retried = Retried::Perhaps;
        }
        Element::Method
    }

    /// White space before a value is layout.
    fn parameter_text(&mut self, text: &Text<'_>) {
        if text.is_blank() && self.parameter.is_empty() {
            return;
        }
        if text.append_to(&mut self.parameter, self.tests.limits.name_bytes).any() {
            let message = "too long or with characters XML forbids";
            self.tests.problem(text.place.line(), "param.value", message);
        }
    }

    /// Values tell tests of one name apart, unless one is an address, which every run has another of.
    fn end_parameter(&mut self) {
        let value = self.parameter.trim();
        let case = &mut self.tests.case;
        let limit = self.tests.limits.name_bytes;
        let has_address = value.rsplit_once('@').is_some_and(|(before, digits)| {
            !before.is_empty() && digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if has_address && case.value_parameter.is_empty() {
            case.value_parameter = std::mem::take(&mut case.parameters);
        }
        let goes_apart = has_address || !case.value_parameter.is_empty();
        let parameters = if goes_apart { &mut case.value_parameter } else { &mut case.parameters };
        let separator = if parameters.is_empty() { "" } else { ", " };
        for part in [separator, value] {
            texts::append(parameters, part, limit);
        }
    }

    fn end_method(&mut self) {
        if self.is_left_out {
            return;
        }
        let case = &mut self.tests.case;
        case.main.message.truncate(case.main.message.trim_end().len());
        let earlier = self.retried.take_first(|_, earlier| {
            earlier.name == case.name
                && earlier.parameters == case.parameters
                && earlier.classname == case.classname
        });
        if let Some((_, mut earlier)) = earlier {
            earlier.main.status = TestStatus::Failed;
            case.precede_with(&mut earlier);
        }
        let says_failure = !case.main.kind.is_empty()
            && !case.main.kind.ends_with("SkipException")
            && !is_dependency(&case.main);
        let is_held = match self.was_retried {
            Retried::Yes => true,
            Retried::Perhaps => says_failure,
            Retried::No => false,
        };
        if !is_held {
            return self.tests.give(&self.path, self.at);
        }
        if self.retried.is_full_to_search() {
            self.give_retried();
        }
        let mut case = std::mem::take(&mut self.tests.case);
        case.main.at = self.at;
        self.retried.push(self.at, case);
    }

    /// Gives the executions that nothing followed.
    fn give_retried(&mut self) {
        for (at, mut case) in self.retried.take_all() {
            self.tests.give_case(&mut case, &self.path, at);
        }
    }
}

/// Is it a skip because of another method, which TestNG tells by a plain `Throwable`?
fn is_dependency(main: &crate::test_report::case::Outcome) -> bool {
    main.kind == "java.lang.Throwable"
}

fn status_of(word: &str) -> Option<TestStatus> {
    match word.trim() {
        "PASS" | "SUCCESS_PERCENTAGE_FAILURE" => Some(TestStatus::Passed),
        "FAIL" => Some(TestStatus::Failed),
        "SKIP" => Some(TestStatus::Skipped),
        _ => None,
    }
}

fn milliseconds(text: &str) -> Option<f64> {
    text.trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0)
        .map(|number| number / 1e3)
}
