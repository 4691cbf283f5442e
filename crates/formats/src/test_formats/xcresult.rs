//! Xcode's test results as JSON (`xcrun xcresulttool get test-results tests --path NAME.xcresult`, Xcode 16).
//!
//! ```text
//! {"devices": […], "testPlanConfigurations": […], "testNodes": [{"nodeType": "Test Plan", "children": [
//!   {"nodeType": "Unit test bundle", "name": "ShopTests", "children": [{"nodeType": "Test Suite", "children": [
//!     {"nodeType": "Test Case", "name": "testAdds()", "nodeIdentifier": "CartTests/testAdds()", "result": "Passed",
//!      "durationInSeconds": 0.01, "children": [{"nodeType": "Failure Message", "name": "Cart.swift:12: …"},
//!        {"nodeType": "Repetition", "result": "Failed", "children": […]}]}]}]}]}]}
//! ```
//!
//! Keys stand in alphabetical order, so that a node's children come before its name and type. The suite of a test is
//! its bundle, its class name the suites in its identifier. Repetitions are attempts; arguments of a parameterised test
//! are tests of their own.
//!
//! Memory: 64 KiB of input, a short text for each open level, the tests of one bundle (at most 64 MiB), and the numbering
//! of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus};

use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::test_report::case::{Case, Outcome};
use crate::test_report::held::Held;
use crate::test_report::json_fields::{duration, read_document, short_text};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads the JSON of `xcresulttool get test-results tests`.
///
/// # Errors
/// When the input fails, is empty, or is no such report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let mut reader = XcResult { held: Held::new() };
    let expected = "expected the JSON of xcresulttool get test-results tests";
    read_document(input, limits, sink, expected, &mut reader, XcResult::walk, |reader, tests| {
        reader.give_held(tests, "");
    })
}

/// Is it one object with nodes of tests?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| {
        !json.is_array
            && (json.has("testNodes") || (json.has("devices") && json.has("testPlanConfigurations")))
    })
}

struct XcResult {
    /// The tests of the bundle being read.
    held: Held<()>,
}

/// A node of the tree whose end has not been read.
#[derive(Debug, Default)]
struct Node {
    kind: String,
    name: String,
    identifier: String,
    result: String,
    seconds: Option<f64>,
    /// Messages of failures and skips inside of it.
    messages: Vec<String>,
    /// Repetitions and arguments inside of it.
    parts: Vec<Part>,
}

/// A repetition or an argument of a test.
#[derive(Debug)]
struct Part {
    is_argument: bool,
    name: String,
    result: String,
    seconds: Option<f64>,
    messages: Vec<String>,
}

/// Messages, repetitions and arguments kept of one node.
const MOST_PARTS: usize = 1_000;

impl XcResult {
    fn walk(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<bool, Stop> {
        if !json.enter_object()? {
            return Ok(false);
        }
        let mut is_ours = false;
        while let Some(key) = json.next_key()? {
            match key {
                "testNodes" => {
                    is_ours = true;
                    self.nodes(json, tests)?;
                }
                _ => json.skip()?,
            }
        }
        Ok(is_ours)
    }

    /// Reads a tree of nodes, each level an array, with a stack of its own.
    fn nodes(&mut self, json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>) -> Result<(), Stop> {
        if !json.enter_array()? {
            return Ok(());
        }
        let mut open: Vec<Node> = Vec::new();
        loop {
            // In an array of nodes: another one, or its end and that of the array.
            if json.next_element()? {
                if open.len() >= tests.limits.nesting {
                    let line = json.line();
                    tests.problem(line, "children", "deeper than the limit `nesting`, left out");
                    json.skip()?;
                    continue;
                }
                if json.enter_object()? {
                    open.push(Node::default());
                } else {
                    continue;
                }
            } else if open.is_empty() {
                return Ok(());
            }
            // In a node: its fields up to its children or its end.
            let Some(node) = open.last_mut() else { continue };
            if Self::fields(json, tests, node)? {
                continue;
            }
            if let Some(node) = open.pop() {
                self.end_node(node, open.last_mut(), tests);
            }
            if tests.is_done {
                return Ok(());
            }
        }
    }

    /// Reads fields of a node; answers whether it has come to its children (their array is entered), else the node is over.
    fn fields(json: &mut Json<'_>, tests: &mut TestsIn<'_, '_>, node: &mut Node) -> Result<bool, Stop> {
        let limits = tests.limits;
        while let Some(key) = json.next_key()? {
            let problems = tests.problems();
            match key {
                "children" => {
                    if json.enter_array()? {
                        return Ok(true);
                    }
                }
                "nodeType" => node.kind = short_text(json, 64, problems, "nodeType")?.unwrap_or_default(),
                "name" => {
                    node.name = short_text(json, limits.message_bytes, problems, "name")?.unwrap_or_default()
                }
                "nodeIdentifier" => {
                    node.identifier =
                        short_text(json, limits.name_bytes, problems, "nodeIdentifier")?.unwrap_or_default();
                }
                "result" => node.result = short_text(json, 64, problems, "result")?.unwrap_or_default(),
                "durationInSeconds" => node.seconds = duration(json, 1.0, problems, "durationInSeconds")?,
                _ => json.skip()?,
            }
        }
        Ok(false)
    }

    fn end_node(&mut self, node: Node, parent: Option<&mut Node>, tests: &mut TestsIn<'_, '_>) {
        match (node.kind.as_str(), parent) {
            ("Failure Message", Some(parent)) if parent.messages.len() < MOST_PARTS => {
                parent.messages.push(node.name);
            }
            ("Repetition" | "Arguments" | "Test Case Run", Some(parent))
                if parent.parts.len() < MOST_PARTS =>
            {
                parent.parts.push(Part {
                    is_argument: node.kind == "Arguments",
                    name: node.name,
                    result: node.result,
                    seconds: node.seconds,
                    messages: node.messages,
                });
            }
            // Between a test and its repetitions there may be the device or configuration it ran on.
            ("Device" | "Test Plan Configuration", Some(parent)) => {
                parent.messages.extend(node.messages);
                parent.messages.truncate(MOST_PARTS);
                parent.parts.extend(node.parts);
                parent.parts.truncate(MOST_PARTS);
            }
            ("Test Case", _) => self.end_case(node, tests),
            ("Test Suite", _) => tests.count_suite(),
            (kind, _) if kind.ends_with("bundle") => self.give_held(tests, &node.name),
            _ => {}
        }
    }

    fn end_case(&mut self, node: Node, tests: &mut TestsIn<'_, '_>) {
        let (arguments, repetitions): (Vec<Part>, Vec<Part>) =
            node.parts.iter().map(Part::copy).partition(|part| part.is_argument);
        if arguments.is_empty() {
            let mut case = named(&node, tests.limits);
            fill(&mut case.main, &node.result, node.seconds, &node.messages, tests);
            if repetitions.len() > 1 {
                attempts(&mut case, &repetitions, tests);
            }
            return self.hold(case, tests);
        }
        for argument in arguments {
            let mut case = named(&node, tests.limits);
            texts::append(&mut case.parameters, &argument.name, tests.limits.name_bytes);
            fill(&mut case.main, &argument.result, argument.seconds, &argument.messages, tests);
            self.hold(case, tests);
        }
    }

    fn hold(&mut self, case: Case, tests: &mut TestsIn<'_, '_>) {
        if self.held.is_full() {
            let message = "more than 64 MiB of tests in one bundle: the first of them are not named after it";
            tests.problems().push(Problem::new(message));
            self.give_held(tests, "");
        }
        self.held.push((), case);
    }

    fn give_held(&mut self, tests: &mut TestsIn<'_, '_>, bundle: &str) {
        for ((), mut case) in self.held.take_all() {
            tests.give_case(&mut case, bundle, None);
        }
    }
}

impl Part {
    fn copy(&self) -> Self {
        Self {
            is_argument: self.is_argument,
            name: self.name.clone(),
            result: self.result.clone(),
            seconds: self.seconds,
            messages: self.messages.clone(),
        }
    }
}

fn named(node: &Node, limits: &Limits) -> Case {
    let mut case = Case::default();
    let (class, name) = node.identifier.rsplit_once('/').unwrap_or(("", &node.name));
    texts::append(&mut case.classname, class, limits.name_bytes);
    texts::append(&mut case.name, if name.is_empty() { &node.name } else { name }, limits.name_bytes);
    case
}

/// Makes the executions of a test those of its repetitions, the last of which counts.
fn attempts(case: &mut Case, repetitions: &[Part], tests: &mut TestsIn<'_, '_>) {
    let Some((last, earlier)) = repetitions.split_last() else { return };
    for repetition in earlier {
        let mut outcome = Outcome::default();
        fill(&mut outcome, &repetition.result, repetition.seconds, &repetition.messages, tests);
        outcome.is_before = true;
        if let Some(rerun) = case.add_rerun() {
            *rerun = outcome;
        }
    }
    let mut outcome = Outcome::default();
    fill(&mut outcome, &last.result, last.seconds, &last.messages, tests);
    case.main = outcome;
}

fn fill(
    outcome: &mut Outcome,
    result: &str,
    seconds: Option<f64>,
    messages: &[String],
    tests: &mut TestsIn<'_, '_>,
) {
    let limits = tests.limits;
    outcome.duration = seconds;
    outcome.status = match result {
        "Passed" | "Expected Failure" => TestStatus::Passed,
        "Failed" => TestStatus::Failed,
        "Skipped" => TestStatus::Skipped,
        _ => {
            tests.problem(0, "result", "missing or not known, taken as an error");
            TestStatus::Error
        }
    };
    if let Some(first) = messages.first() {
        texts::append(&mut outcome.message, first, limits.message_bytes);
    }
    texts::append(&mut outcome.details, &messages.join("\n"), limits.details_bytes);
}
