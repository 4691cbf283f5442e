//! The log of pytest-reportlog (`pytest --report-log=FILE`): one JSON object a line for each phase of each test.
//!
//! ```text
//! {"$report_type": "TestReport", "nodeid": …, "when": "setup" | "call" | "teardown", "outcome": …, "longrepr": …,
//!  "sections": [["Captured stdout call", …]], "user_properties": […], "duration": …, "start": …}
//! ```
//!
//! Tests are named as in pytest's JUnit XML. A phase with the outcome `rerun` (pytest-rerunfailures) ends a failed
//! attempt. Under pytest-xdist the phases of tests come between each other.
//!
//! Memory: one line; for each test that has begun and not ended its texts, at most 1,000 tests and 64 MiB together; and the numbering
//! of repetitions.

use std::io::BufRead;

use manometer_model::{Limits, Problem, TestStatus};
use serde_json::Value;

use super::pytest_names::{SUITE, name_case};
use crate::ReadError;
use crate::detect::Look;
use crate::test_report::case::Case;
use crate::test_report::held::Held;
use crate::test_report::json_fields::from_epoch;
use crate::test_report::json_lines::{Fields, LineReport, read_report};
use crate::test_report::tests_in::TestsIn;
use crate::test_report::{Summary, TestSink, texts};

/// Reads a log of pytest-reportlog.
///
/// # Errors
/// When the input fails, is empty, or has not one report.
pub fn read(input: &mut dyn BufRead, limits: &Limits, sink: &mut dyn TestSink) -> Result<Summary, ReadError> {
    let reader = ReportLog {
        tests: TestsIn::new(limits, sink),
        open: Held::new(),
        reports: 0,
        is_finished: false,
        last: None,
        first: None,
    };
    read_report(input, limits, reader)
}

/// Is there an object with the types of the plugin?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|json| json.has("$report_type"))
}

struct ReportLog<'l, 's> {
    tests: TestsIn<'l, 's>,
    /// Tests between their setup and their teardown, by node id.
    open: Held<Running>,
    reports: u64,
    is_finished: bool,
    first: Option<f64>,
    last: Option<f64>,
}

/// What a test that runs still has to tell.
#[derive(Debug)]
struct Running {
    node_id: String,
    is_rerun: bool,
}

impl<'l, 's> LineReport<'l, 's> for ReportLog<'l, 's> {
    const LACKS: &'static str = "no report of pytest";
    const EXPECTED: &'static str = "expected lines with `$report_type`";

    fn tests(&mut self) -> &mut TestsIn<'l, 's> {
        &mut self.tests
    }

    fn object(&mut self, report: Fields<'_>) {
        self.report(report);
    }

    fn was_met(&self) -> bool {
        self.reports > 0
    }

    fn end(&mut self) {
        if let (Some(first), Some(last)) = (self.first, self.last) {
            self.tests.stated_seconds = Some(last - first).filter(|seconds| *seconds >= 0.0);
        }
        if self.tests.is_done {
            return;
        }
        for (_, mut case) in self.open.take_all() {
            if case.main.status == TestStatus::Passed {
                case.main.status = TestStatus::Error;
                case.main.message.push_str("the test did not end before the log did");
            }
            self.tests.give_case(&mut case, SUITE, None);
        }
        if !self.is_finished {
            self.tests.note_truncated();
            self.tests.problems().push(Problem::new("no SessionFinish: the log ends too early"));
        }
    }

    fn into_tests(self) -> TestsIn<'l, 's> {
        self.tests
    }
}

impl ReportLog<'_, '_> {
    fn report(&mut self, report: Fields<'_>) {
        let problems = self.tests.problems();
        match report.text("$report_type", problems) {
            Some("TestReport") => self.phase(report),
            Some("CollectReport") => self.collected(report),
            Some("SessionFinish") => self.is_finished = true,
            Some("SessionStart") => self.tests.count_suite(),
            Some("WarningMessage") => {}
            _ => return self.tests.problem(report.line, "$report_type", "missing or not known, left out"),
        }
        self.reports += 1;
    }

    /// What could not be collected is a test that could not even be found.
    fn collected(&mut self, report: Fields<'_>) {
        if report.text("outcome", self.tests.problems()) != Some("failed") {
            return;
        }
        let node_id = report.text("nodeid", self.tests.problems()).unwrap_or_default();
        let limits = self.tests.limits;
        let case = &mut self.tests.case;
        name_case(case, node_id, limits.name_bytes);
        case.main.status = TestStatus::Error;
        describe(case, report, limits);
        self.tests.give(SUITE, None);
    }

    fn phase(&mut self, report: Fields<'_>) {
        let problems = self.tests.problems();
        let Some(node_id) = report.text("nodeid", problems) else {
            return self.tests.problem(report.line, "nodeid", "missing, the phase was left out");
        };
        let when = report.text("when", problems).unwrap_or("call");
        let outcome = report.text("outcome", problems).unwrap_or_default();
        let seconds = report.duration("duration", 1.0, problems);
        let (start, stop) = (report.number("start", problems), report.number("stop", problems));
        self.first = self.first.or(start);
        self.last = stop.or(self.last);
        let known = self.open.take_first(|running, _| running.node_id == node_id);
        let (mut running, mut case) = known.unwrap_or_else(|| {
            let mut case = Case::default();
            name_case(&mut case, node_id, self.tests.limits.name_bytes);
            (Running { node_id: node_id.to_owned(), is_rerun: false }, case)
        });
        let limits = self.tests.limits;
        if let Some(seconds) = seconds {
            *case.main.duration.get_or_insert(0.0) += seconds;
        }
        case.main.at = case.main.at.or(start.and_then(from_epoch));
        case.line = case.line.or_else(|| Some(report.array("location").get(1)?.as_i64()? + 1));
        let is_expected = report.has("wasxfail");
        let status = match (outcome, when) {
            ("failed", "call") => TestStatus::Failed,
            ("failed", _) => TestStatus::Error,
            ("skipped", _) => TestStatus::Skipped,
            ("rerun", "call") => TestStatus::Failed,
            ("rerun", _) => TestStatus::Error,
            ("passed", _) => TestStatus::Passed,
            _ => {
                self.tests.problem(
                    report.line,
                    "outcome",
                    "missing or not known, the phase counts as passed",
                );
                TestStatus::Passed
            }
        };
        running.is_rerun |= outcome == "rerun";
        let is_worse = status > case.main.status;
        case.main.status = case.main.status.max(status);
        if is_worse {
            describe(&mut case, report, limits);
            if is_expected && let Some(reason) = report.text("wasxfail", self.tests.problems()) {
                case.main.message.clear();
                texts::append(&mut case.main.message, reason, limits.message_bytes);
            }
        }
        sections(&mut case, report, limits);
        if when == "teardown" {
            self.end_test(report, running, case);
        } else {
            self.hold(running, case);
        }
    }

    fn end_test(&mut self, report: Fields<'_>, running: Running, mut case: Case) {
        if running.is_rerun {
            // The next setup of the same test begins another attempt.
            let mut next = Case::default();
            name_case(&mut next, &running.node_id, self.tests.limits.name_bytes);
            next.precede_with(&mut case);
            next.line = case.line;
            return self.hold(Running { is_rerun: false, ..running }, next);
        }
        std::mem::swap(&mut self.tests.case, &mut case);
        for pair in report.array("user_properties") {
            if let Some([Value::String(name), value]) = pair.as_array().map(Vec::as_slice) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.tests.add_label(name, &text, report.line);
            }
        }
        self.tests.give(SUITE, None);
    }

    fn hold(&mut self, running: Running, case: Case) {
        if self.open.is_full_to_search() {
            let message = format!(
                "more than {} tests that have not ended, given as they are",
                Held::<Running>::MOST_SEARCHED
            );
            self.tests.problems().push(Problem::new(message));
            self.give_open();
        }
        self.open.push(running, case);
    }

    fn give_open(&mut self) {
        for (_, mut case) in self.open.take_all() {
            self.tests.give_case(&mut case, SUITE, None);
        }
    }
}

/// Fills in how a phase failed, or why it was skipped.
fn describe(case: &mut Case, report: Fields<'_>, limits: &Limits) {
    let main = &mut case.main;
    main.message.clear();
    main.details.clear();
    if let Some(shown) = report.object("longrepr") {
        let mut nothing = manometer_model::Problems::new();
        let crash = shown.object("reprcrash");
        if let Some(message) = crash.and_then(|crash| crash.text("message", &mut nothing)) {
            texts::append(&mut main.message, message, limits.message_bytes);
        }
        for entry in shown.object("reprtraceback").into_iter().flat_map(|trace| trace.objects("reprentries"))
        {
            let Some(data) = entry.object("data") else { continue };
            for line in data.array("lines").iter().filter_map(Value::as_str) {
                texts::append(&mut main.details, line, limits.details_bytes);
                texts::append(&mut main.details, "\n", limits.details_bytes);
            }
            if let Some(place) = data.object("reprfileloc") {
                let path = place.text("path", &mut nothing).unwrap_or_default();
                let line = place.number("lineno", &mut nothing).unwrap_or_default();
                let message = place.text("message", &mut nothing).unwrap_or_default();
                texts::append(
                    &mut main.details,
                    &format!("\n{path}:{line}: {message}\n"),
                    limits.details_bytes,
                );
            }
        }
        return;
    }
    // `["/srv/shop/test_cart.py", 33, "Skipped: no time"]`
    if let Some(reason) = report.array("longrepr").get(2).and_then(Value::as_str) {
        texts::append(
            &mut main.message,
            reason.strip_prefix("Skipped: ").unwrap_or(reason),
            limits.message_bytes,
        );
    } else if let Some(text) = report.text("longrepr", &mut manometer_model::Problems::new()) {
        texts::append(&mut main.details, text, limits.details_bytes);
    }
}

/// Appends what the test printed. Each phase repeats the sections of those before it.
fn sections(case: &mut Case, report: Fields<'_>, limits: &Limits) {
    let mut output = String::new();
    for section in report.array("sections") {
        if let Some([_, Value::String(text)]) = section.as_array().map(Vec::as_slice) {
            if !output.is_empty() && !output.ends_with('\n') {
                texts::append(&mut output, "\n", limits.details_bytes);
            }
            texts::append(&mut output, text, limits.details_bytes);
        }
    }
    if output.len() > case.main.output.len() {
        case.main.output = output;
    }
}
