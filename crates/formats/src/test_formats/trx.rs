//! TRX, the XML of Visual Studio's test runner (`dotnet test --logger trx`, MSTest, vstest.console).
//!
//! ```text
//! TestRun > Times[start finish]
//!           Results > UnitTestResult[testId testName duration startTime outcome]
//!                     ├ Output > StdOut, StdErr, ErrorInfo > Message, StackTrace
//!                     └ InnerResults > UnitTestResult …: the rows of a data-driven test, given in its place
//!           TestDefinitions > UnitTest[id storage] > TestMethod[className], TestCategory > TestCategoryItem
//! ```
//!
//! Classes and assemblies come after the results, so the results wait for them.
//!
//! Memory: the XML window and at most 64 MiB of results (about 100,000 that passed); past that they are given without
//! class and assembly, with a problem. Besides, 100 bytes for each definition of a result that waits.

use std::collections::HashMap;
use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems, TestStatus, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::ReadError;
use crate::detect::Look;
use crate::test_report::case::Case;
use crate::test_report::held::Held;
use crate::test_report::tests_in::TestsIn;
use crate::test_report::texts::file_name;
use crate::test_report::xml_fields::{
    append_details, append_message, append_output, attributes, keep_name, name_of, time,
};
use crate::test_report::{Summary, TestSink};
use crate::xml::{self, Tag, Text, Walk};

/// Reads a TRX file.
///
/// # Errors
/// When the input fails, is empty, or is no TRX.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut walker = Trx {
        tests: TestsIn::new(limits, sink),
        held: Held::new(),
        told_full: false,
        open: Vec::new(),
        definitions: HashMap::new(),
        definition: Definition::default(),
        definition_id: 0,
        started_at: None,
    };
    let expected = "expected a TRX file: <TestRun>";
    let ending = xml::walk(input, limits, |name| name == "TestRun", expected, &mut walker)?;
    walker.give_held();
    walker.tests.note_ending(ending);
    Ok(walker.tests.finish())
}

/// Is it XML with the root of TRX?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.xml_root == Some("TestRun")
}

struct Trx<'l, 's> {
    tests: TestsIn<'l, 's>,
    /// Results by the hash of their test's id.
    held: Held<u64>,
    told_full: bool,
    /// The results around the one being read.
    open: Vec<OpenResult>,
    definitions: HashMap<u64, Definition>,
    definition: Definition,
    definition_id: u64,
    started_at: Option<Timestamp>,
}

struct OpenResult {
    case: Case,
    test_id: u64,
    has_inner: bool,
}

/// What is told of a test after its results.
#[derive(Debug, Default, Clone)]
struct Definition {
    class: String,
    assembly: String,
    categories: Vec<String>,
}

/// Categories kept of one test.
const MOST_CATEGORIES: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Run,
    Result,
    StdOut,
    Message,
    StackTrace,
    Definition,
    Other,
}

impl Walk for Trx<'_, '_> {
    type Element = Element;

    fn start(&mut self, parent: Option<Element>, tag: &Tag<'_>) -> Element {
        let in_result = !self.open.is_empty();
        match tag.name() {
            "TestRun" => Element::Run,
            "Times" => {
                self.begin_times(tag);
                Element::Other
            }
            "UnitTestResult" | "TestResultAggregation" | "GenericTestResult" => self.begin_result(tag),
            "StdOut" | "StdErr" | "DebugTrace" if in_result => Element::StdOut,
            "Message" if in_result => Element::Message,
            "StackTrace" if in_result => Element::StackTrace,
            "UnitTest" | "GenericTest" => self.begin_definition(tag),
            "TestMethod" if parent == Some(Element::Definition) => {
                self.definition.class = name_of(&mut self.tests, tag, "className");
                // Older runners write the assembly behind the class: `Shop.CartTests, Shop.Tests, Version=…`.
                if let Some((class, _)) = self.definition.class.split_once(',') {
                    self.definition.class = class.to_owned();
                }
                Element::Other
            }
            "TestCategoryItem" => {
                let category = name_of(&mut self.tests, tag, "TestCategory");
                if self.definition.categories.len() < MOST_CATEGORIES {
                    self.definition.categories.push(category);
                }
                Element::Other
            }
            _ => Element::Other,
        }
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Result => self.end_result(),
            Element::Definition => self.end_definition(),
            _ => {}
        }
    }

    fn text(&mut self, element: Element, text: &Text<'_>) {
        let Some(open) = self.open.last_mut() else { return };
        std::mem::swap(&mut self.tests.case, &mut open.case);
        let tests = &mut self.tests;
        match element {
            Element::Message => append_message(tests, text, "Message"),
            Element::StackTrace => append_details(tests, text, "StackTrace"),
            Element::StdOut => append_output(tests, text, "StdOut"),
            _ => {}
        }
        if let Some(open) = self.open.last_mut() {
            std::mem::swap(&mut self.tests.case, &mut open.case);
        }
    }

    fn problems(&mut self) -> &mut Problems {
        self.tests.problems()
    }

    fn is_done(&self) -> bool {
        self.tests.is_done
    }
}

impl Trx<'_, '_> {
    fn begin_times(&mut self, tag: &Tag<'_>) {
        let (mut start, mut finish) = (None, None);
        for attribute in attributes(tag) {
            match attribute.name {
                "start" => start = time(&mut self.tests, tag, &attribute),
                "finish" => finish = time(&mut self.tests, tag, &attribute),
                _ => {}
            }
        }
        self.started_at = start;
        self.tests.note_time(start);
        if let (Some(start), Some(finish)) = (start, finish) {
            self.tests.stated_seconds = Some(finish.seconds_since(start)).filter(|seconds| *seconds >= 0.0);
        }
    }

    fn begin_result(&mut self, tag: &Tag<'_>) -> Element {
        if let Some(outer) = self.open.last_mut() {
            outer.has_inner = true;
        }
        self.tests.case.clear();
        let mut test_id = 0;
        let mut outcome = None;
        for attribute in attributes(tag) {
            let tests = &mut self.tests;
            match attribute.name {
                "testName" => keep_name(tests, tag, &attribute, |case| &mut case.name),
                "testId" => test_id = xxh3_64(attribute.raw().to_ascii_lowercase().as_bytes()),
                "startTime" => tests.case.main.at = time(tests, tag, &attribute),
                "outcome" => outcome = status(attribute.raw()),
                "duration" => match clock_seconds(attribute.raw()) {
                    Some(seconds) => tests.case.main.duration = Some(seconds),
                    None => {
                        tests.problem(tag.line(), "duration", "no duration of the form 00:00:01.5, left out")
                    }
                },
                _ => {}
            }
        }
        self.tests.case.main.status = outcome.unwrap_or_else(|| {
            self.tests.problem(tag.line(), "outcome", "missing or not known, taken as an error");
            TestStatus::Error
        });
        self.open.push(OpenResult { case: std::mem::take(&mut self.tests.case), test_id, has_inner: false });
        Element::Result
    }

    fn end_result(&mut self) {
        let Some(result) = self.open.pop() else { return };
        if result.has_inner {
            return;
        }
        if self.held.is_full() {
            if !self.told_full {
                self.told_full = true;
                self.tests.problems().push(Problem::new(format!(
                    "more than {} MiB of results before their definitions: the first of them have no class",
                    Held::<u64>::MOST_BYTES >> 20
                )));
            }
            self.give_held();
        }
        self.held.push(result.test_id, result.case);
    }

    fn begin_definition(&mut self, tag: &Tag<'_>) -> Element {
        self.definition = Definition::default();
        let storage = name_of(&mut self.tests, tag, "storage");
        file_name(&storage).clone_into(&mut self.definition.assembly);
        let id = attributes(tag).find(|attribute| attribute.name == "id");
        self.definition_id = id.map_or(0, |id| xxh3_64(id.raw().to_ascii_lowercase().as_bytes()));
        Element::Definition
    }

    fn end_definition(&mut self) {
        // Without results that wait for it, a definition is of no use.
        if !self.held.is_empty() && self.definitions.len() < MOST_DEFINITIONS {
            self.definitions.insert(self.definition_id, std::mem::take(&mut self.definition));
        }
    }

    fn give_held(&mut self) {
        let mut assemblies = std::collections::HashSet::new();
        for (test_id, mut case) in self.held.take_all() {
            let definition = self.definitions.get(&test_id).cloned().unwrap_or_default();
            if assemblies.insert(xxh3_64(definition.assembly.as_bytes())) {
                self.tests.count_suite();
            }
            for category in &definition.categories {
                std::mem::swap(&mut self.tests.case, &mut case);
                self.tests.add_label("category", category, 0);
                std::mem::swap(&mut self.tests.case, &mut case);
            }
            let name = case.name.strip_prefix(&definition.class).and_then(|rest| rest.strip_prefix('.'));
            if let Some(name) = name.filter(|_| !definition.class.is_empty()) {
                case.name = name.to_owned();
            }
            case.classname = definition.class;
            self.tests.give_case(&mut case, &definition.assembly, self.started_at);
        }
    }
}

/// Definitions kept; more than results that can wait.
const MOST_DEFINITIONS: usize = 200_000;

fn status(outcome: &str) -> Option<TestStatus> {
    Some(match outcome.trim().to_ascii_lowercase().as_str() {
        "passed" | "passedbutrunaborted" | "completed" | "warning" => TestStatus::Passed,
        "failed" | "timeout" => TestStatus::Failed,
        "error" | "aborted" | "disconnected" => TestStatus::Error,
        "notexecuted" | "notrunnable" | "inconclusive" | "pending" | "inprogress" => TestStatus::Skipped,
        _ => return None,
    })
}

/// Seconds of `[days.]hours:minutes:seconds[.fraction]`.
fn clock_seconds(text: &str) -> Option<f64> {
    let mut parts = text.trim().split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let number = |text: &str| text.parse::<u32>().ok().map(f64::from);
    let seconds: f64 = seconds.parse().ok().filter(|seconds: &f64| (0.0..61.0).contains(seconds))?;
    Some(number(days)? * 86_400.0 + number(hours)? * 3_600.0 + number(minutes)? * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_from_a_clock() {
        for (text, seconds) in [
            ("00:00:00.0012000", 0.0012),
            ("01:02:03", 3723.0),
            ("1.00:00:01.5", 86_401.5),
            (" 00:01:00 ", 60.0),
        ] {
            assert_eq!(clock_seconds(text), Some(seconds), "{text}");
        }
        for text in ["", "1.5", "00:01", "00:00:00:01", "-1:00:00", "00:00:-1", "a:b:c", "00:00:NaN"] {
            assert_eq!(clock_seconds(text), None, "{text}");
        }
    }
}
