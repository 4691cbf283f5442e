//! Cucumber's messages (`--format message`): one JSON object a line.
//!
//! ```text
//! gherkinDocument{uri, feature{name}}   pickle{id, uri, name, tags}   testCase{id, pickleId, testSteps}
//! testCaseStarted{id, testCaseId, attempt, timestamp} … testStepFinished{…} … testCaseFinished{willBeRetried}
//! ```
//!
//! Named as in Cucumber's JSON: class name the feature, name the scenario. Attempts are attempts.
//!
//! Memory: one line; name, file and tags of each scenario and the ids that lead to it, at most 64 MiB (past that,
//! scenarios are left out, with a problem); and the numbering of repetitions.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus};

use super::cucumber::{SUITE, StepStatus, add_step};
use crate::ReadError;
use crate::detect::Look;
use crate::test_report::case::Case;
use crate::test_report::json_fields::from_epoch;
use crate::test_report::json_lines::{Fields, LineReport, read_report};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads the messages of Cucumber.
///
/// # Errors
/// When the input fails, is empty, or has not one message.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let reader = Messages {
        tests: TestsIn::new(limits, sink),
        features: HashMap::new(),
        pickles: HashMap::new(),
        test_cases: HashMap::new(),
        running: BTreeMap::new(),
        retried: HashMap::new(),
        bytes: 0,
        messages: 0,
        is_finished: false,
        told_full: false,
        started: None,
    };
    read_report(input, limits, reader)
}

/// Is the first object an envelope?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let Some(json) = look.json.as_ref().filter(|json| !json.is_array) else { return false };
    json.inside("meta").is_some_and(|meta| meta.has("protocolVersion"))
        || ["gherkinDocument", "pickle", "testCaseStarted", "testRunStarted"].iter().any(|key| json.has(key))
}

struct Messages<'l, 's> {
    tests: TestsIn<'l, 's>,
    /// Names of features by file.
    features: HashMap<String, String>,
    pickles: HashMap<String, Pickle>,
    /// Ids of pickles by those of test cases.
    test_cases: HashMap<String, String>,
    /// Executions that run, by their ids; in an order, for that is how those without an end are given.
    running: BTreeMap<String, Running>,
    /// Executions that ended and are followed by another, by the ids of test cases.
    retried: HashMap<String, Case>,
    bytes: usize,
    messages: u64,
    is_finished: bool,
    told_full: bool,
    started: Option<f64>,
}

/// A scenario as it is executed.
#[derive(Debug, Clone, Default)]
struct Pickle {
    uri: String,
    name: String,
    tags: Vec<String>,
    line: Option<i64>,
}

struct Running {
    test_case: String,
    case: Case,
}

/// Kinds of messages by which an input is known to be one of them.
const KNOWN: &[&str] = &[
    "meta",
    "source",
    "gherkinDocument",
    "pickle",
    "testCase",
    "testRunStarted",
    "testCaseStarted",
    "testStepFinished",
    "testCaseFinished",
    "testRunFinished",
];

/// Most bytes held.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What an entry of a map costs besides its texts.
const ENTRY_BYTES: usize = 128;

/// Tags kept of one scenario.
const MOST_TAGS: usize = 64;

impl<'l, 's> LineReport<'l, 's> for Messages<'l, 's> {
    const LACKS: &'static str = "no message of Cucumber";
    const EXPECTED: &'static str = "expected the messages of Cucumber";

    fn tests(&mut self) -> &mut TestsIn<'l, 's> {
        &mut self.tests
    }

    fn object(&mut self, envelope: Fields<'_>) {
        self.envelope(envelope);
    }

    fn was_met(&self) -> bool {
        self.messages > 0
    }

    fn end(&mut self) {
        if self.tests.is_done {
            return;
        }
        let running = std::mem::take(&mut self.running).into_values();
        let retried = std::mem::take(&mut self.retried).into_iter();
        let mut left: Vec<(String, Case)> =
            retried.chain(running.map(|running| (running.test_case, running.case))).collect();
        left.sort_by(|one, other| one.0.cmp(&other.0));
        for (test_case, mut case) in left {
            if case.main.status == TestStatus::Passed {
                case.main.status = TestStatus::Error;
                case.main.message.push_str("the scenario did not end before the messages did");
            }
            self.give(&test_case, case);
        }
        if !self.is_finished {
            self.tests.note_truncated();
            self.tests.problems().push(Problem::new("no testRunFinished: the messages end too early"));
        }
    }

    fn into_tests(self) -> TestsIn<'l, 's> {
        self.tests
    }
}

impl Messages<'_, '_> {
    fn envelope(&mut self, envelope: Fields<'_>) {
        self.messages += u64::from(KNOWN.iter().any(|kind| envelope.has(kind)));
        if let Some(document) = envelope.object("gherkinDocument") {
            self.document(document);
        } else if let Some(pickle) = envelope.object("pickle") {
            self.pickle(pickle);
        } else if let Some(test_case) = envelope.object("testCase") {
            let problems = self.tests.problems();
            let (id, pickle) = (test_case.text("id", problems), test_case.text("pickleId", problems));
            if let (Some(id), Some(pickle)) = (id, pickle)
                && self.has_room(id.len() + pickle.len(), test_case.line)
            {
                self.test_cases.insert(id.to_owned(), pickle.to_owned());
            }
        } else if let Some(started) = envelope.object("testCaseStarted") {
            self.begin_case(started);
        } else if let Some(finished) = envelope.object("testStepFinished") {
            self.end_step(finished);
        } else if let Some(finished) = envelope.object("testCaseFinished") {
            self.end_case(finished);
        } else if let Some(started) = envelope.object("testRunStarted") {
            self.started = seconds(started.object("timestamp"), &mut self.tests);
            let at = self.started.and_then(from_epoch);
            self.tests.note_time(at);
        } else if let Some(finished) = envelope.object("testRunFinished") {
            self.is_finished = true;
            let end = seconds(finished.object("timestamp"), &mut self.tests);
            self.tests.stated_seconds =
                self.started.zip(end).map(|(start, end)| end - start).filter(|seconds| *seconds >= 0.0);
        }
    }

    fn has_room(&mut self, bytes: usize, line: u64) -> bool {
        if self.bytes + bytes + ENTRY_BYTES > MOST_BYTES {
            if !self.told_full {
                self.told_full = true;
                self.tests.problem(line, "pickle", "more than 64 MiB of scenarios, the rest was left out");
            }
            return false;
        }
        self.bytes += bytes + ENTRY_BYTES;
        true
    }

    fn document(&mut self, document: Fields<'_>) {
        let problems = self.tests.problems();
        let uri = document.text("uri", problems).unwrap_or_default();
        let name =
            document.object("feature").and_then(|feature| feature.text("name", problems)).unwrap_or_default();
        self.tests.count_suite();
        if self.has_room(uri.len() + name.len(), document.line) {
            self.features.insert(uri.to_owned(), name.to_owned());
        }
    }

    fn pickle(&mut self, fields: Fields<'_>) {
        let problems = self.tests.problems();
        let Some(id) = fields.text("id", problems) else { return };
        let text = |key: &str, problems: &mut _| fields.text(key, problems).unwrap_or_default().to_owned();
        let pickle = Pickle {
            uri: text("uri", problems),
            name: text("name", problems),
            tags: fields
                .objects("tags")
                .filter_map(|tag| tag.text("name", problems))
                .take(MOST_TAGS)
                .map(str::to_owned)
                .collect(),
            line: fields
                .object("location")
                .and_then(|place| place.number("line", problems))
                .map(|line| line as i64),
        };
        let bytes = id.len()
            + pickle.uri.len()
            + pickle.name.len()
            + pickle.tags.iter().map(|tag| tag.len() + 24).sum::<usize>();
        if self.has_room(bytes, fields.line) {
            self.pickles.insert(id.to_owned(), pickle);
        }
    }

    fn begin_case(&mut self, started: Fields<'_>) {
        let problems = self.tests.problems();
        let (id, test_case) = (started.text("id", problems), started.text("testCaseId", problems));
        let (Some(id), Some(test_case)) = (id, test_case) else {
            return self.tests.problem(started.line, "testCaseStarted", "without its ids, left out");
        };
        let mut case = Case::default();
        case.main.at = seconds(started.object("timestamp"), &mut self.tests).and_then(from_epoch);
        if let Some(mut earlier) = self.retried.remove(test_case) {
            case.precede_with(&mut earlier);
        }
        if self.running.len() < MOST_RUNNING {
            self.running.insert(id.to_owned(), Running { test_case: test_case.to_owned(), case });
        }
    }

    fn end_step(&mut self, finished: Fields<'_>) {
        let limits = self.tests.limits;
        let problems = self.tests.problems();
        let id = finished.text("testCaseStartedId", problems).unwrap_or_default();
        let Some(result) = finished.object("testStepResult") else { return };
        let Some(status) = StepStatus::of_word(result.text("status", problems).unwrap_or_default()) else {
            problems.push_with(|| {
                Problem::new("missing or not known, the step was left out")
                    .at_line(finished.line)
                    .in_field("status")
            });
            return;
        };
        let message = result.text("message", problems).unwrap_or_default();
        let exception = result.object("exception").and_then(|exception| exception.text("type", problems));
        let took = seconds(result.object("duration"), &mut self.tests);
        let Some(running) = self.running.get_mut(id) else { return };
        if let Some(took) = took {
            *running.case.main.duration.get_or_insert(0.0) += took;
        }
        let was = running.case.main.status;
        add_step(&mut running.case, status, "", message, limits);
        if running.case.main.status > was
            && let Some(kind) = exception
        {
            running.case.main.kind.clear();
            texts::append(&mut running.case.main.kind, kind, limits.name_bytes);
        }
    }

    fn end_case(&mut self, finished: Fields<'_>) {
        let id = finished.text("testCaseStartedId", self.tests.problems()).unwrap_or_default();
        let Some(Running { test_case, case }) = self.running.remove(id) else {
            return self.tests.problem(finished.line, "testCaseFinished", "of what did not start, left out");
        };
        if finished.boolean("willBeRetried") == Some(true) && self.retried.len() < MOST_RUNNING {
            self.retried.insert(test_case, case);
            return;
        }
        self.give(&test_case, case);
    }

    fn give(&mut self, test_case: &str, mut case: Case) {
        let limits = self.tests.limits;
        let pickle =
            self.test_cases.get(test_case).and_then(|id| self.pickles.get(id)).cloned().unwrap_or_default();
        let feature = self.features.get(&pickle.uri).cloned().unwrap_or_default();
        texts::append(&mut case.name, &pickle.name, limits.name_bytes);
        texts::append(&mut case.classname, &feature, limits.name_bytes);
        texts::append(&mut case.file, &pickle.uri, limits.name_bytes);
        case.line = pickle.line;
        self.tests.case = case;
        for tag in &pickle.tags {
            self.tests.add_label("tag", tag, 0);
        }
        self.tests.give(SUITE, None);
    }
}

/// Executions that may run at the same time; nothing real comes near.
const MOST_RUNNING: usize = 10_000;

/// `{"seconds": 1, "nanos": 500000000}`
fn seconds(fields: Option<Fields<'_>>, tests: &mut TestsIn<'_, '_>) -> Option<f64> {
    let fields = fields?;
    let problems = tests.problems();
    let whole = fields.number("seconds", problems).unwrap_or(0.0);
    Some(whole + fields.number("nanos", problems).unwrap_or(0.0) / 1e9).filter(|seconds| *seconds >= 0.0)
}
