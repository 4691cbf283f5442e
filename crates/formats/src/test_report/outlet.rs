//! The way out: tests are numbered, counted and given to the sink.

use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, TestId, TestStatus, Timestamp};

use super::case::{Case, Outcome, SplitName, given};
use super::names::{first_meaning_line, kind_from_message};
use super::ordinals::Ordinals;
use super::{Summary, TestCase, TestSink};
use crate::measured::BuildRow;

/// Where in the file a test stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) suite: &'a str,
    pub(crate) at: Option<Timestamp>,
    /// Is it pytest's suite, in which a re-run leaves an entry that says nothing?
    pub(crate) is_pytest: bool,
}

pub(crate) struct Outlet<'l, 's> {
    limits: &'l Limits,
    sink: &'s mut dyn TestSink,
    pub(crate) summary: Summary,
    ordinals: Ordinals,
    fingerprint: String,
    test_seconds: Option<f64>,
    /// The last test of a pytest suite, held back until the next one shows whether it was run again.
    held: Case,
    held_as: Option<Execution>,
}

/// Which test, and which execution of it, is given next.
#[derive(Debug, Clone, Copy)]
struct Execution {
    test_id: TestId,
    attempt: i64,
}

impl<'l, 's> Outlet<'l, 's> {
    pub(crate) fn new(limits: &'l Limits, sink: &'s mut dyn TestSink) -> Self {
        Self {
            limits,
            sink,
            summary: Summary::default(),
            ordinals: Ordinals::new(),
            fingerprint: String::new(),
            test_seconds: None,
            held: Case::default(),
            held_as: None,
        }
    }

    /// The summary, complete but for what only the walk knows.
    pub(crate) fn into_summary(mut self, stated_seconds: Option<f64>) -> Summary {
        self.summary.duration_seconds = stated_seconds.or(self.test_seconds);
        self.summary
    }

    /// Notes a time that the file states.
    pub(crate) fn note_time(&mut self, at: Option<Timestamp>) {
        note_time(&mut self.summary, at);
    }

    /// Hands on what a report tells of a build.
    pub(crate) fn build(&mut self, build: &BuildRow<'_>) -> ControlFlow<()> {
        self.sink.build(build)
    }

    /// Takes a test that has ended.
    ///
    /// pytest-rerunfailures writes an entry for each execution, in a row, and only the last says how it
    /// ended. An entry that is followed by another of the same name was a failure, or it would not have
    /// been followed; so such a row is one test, executed several times.
    pub(crate) fn take(&mut self, case: &mut Case, around: Surroundings<'_>) -> ControlFlow<()> {
        case.settle();
        if !around.is_pytest {
            let name = case.split_name();
            let test_id = self.identify(case, name, around.suite);
            return self.give(case, name, around, Execution { test_id, attempt: 1 }, true);
        }
        let is_rerun = self.held_as.is_some()
            && self.held.main.status == TestStatus::Passed
            && self.held.name == case.name
            && self.held.classname == case.classname;
        let held_as = match self.held_as {
            Some(earlier) if is_rerun => {
                self.held.main.status = TestStatus::Failed;
                self.give_held(around, false)?;
                Execution { test_id: earlier.test_id, attempt: earlier.attempt + 1 }
            }
            _ => {
                self.flush(around)?;
                Execution { test_id: self.identify(case, case.split_name(), around.suite), attempt: 1 }
            }
        };
        std::mem::swap(&mut self.held, case);
        self.held_as = Some(held_as);
        ControlFlow::Continue(())
    }

    /// Gives the test held back, if there is one: its suite has ended, or the file.
    pub(crate) fn flush(&mut self, around: Surroundings<'_>) -> ControlFlow<()> {
        self.give_held(around, true)
    }

    fn give_held(&mut self, around: Surroundings<'_>, is_last: bool) -> ControlFlow<()> {
        let Some(held_as) = self.held_as.take() else { return ControlFlow::Continue(()) };
        let held = std::mem::take(&mut self.held);
        let flow = self.give(&held, held.split_name(), around, held_as, is_last);
        self.held = held;
        flow
    }

    fn identify(&mut self, case: &Case, (name, bracketed): SplitName<'_>, suite: &str) -> TestId {
        let parameters = bracketed.unwrap_or_default();
        let first = TestId::new(suite, &case.classname, name, parameters, 0);
        match self.ordinals.next(suite, first.as_u128() as u64) {
            0 => first,
            ordinal => TestId::new(suite, &case.classname, name, parameters, ordinal),
        }
    }

    /// Gives every execution of a test, the first of them as `first`.
    fn give(
        &mut self,
        case: &Case,
        (name, bracketed): SplitName<'_>,
        around: Surroundings<'_>,
        first: Execution,
        is_last: bool,
    ) -> ControlFlow<()> {
        let plain = TestCase {
            test_id: first.test_id,
            suite: around.suite,
            classname: given(&case.classname),
            name,
            parameters: bracketed.or(given(&case.value_parameter)),
            file: given(&case.file),
            line: case.line,
            status: TestStatus::Passed,
            duration_seconds: None,
            attempt: first.attempt,
            is_final: is_last,
            failure_kind: None,
            failure_message: None,
            failure_details: None,
            failure_fingerprint: None,
            output: None,
            labels: &case.labels,
            at: case.main.at.or(around.at),
        };
        let count = case.execution_count();
        for (position, execution) in case.executions().enumerate() {
            if self.summary.tests >= self.limits.tests_per_file {
                return self.stop_at_limit();
            }
            let mut test = TestCase {
                status: execution.status,
                duration_seconds: execution.duration,
                attempt: first.attempt + position as i64,
                is_final: is_last && position + 1 == count,
                at: execution.at.or(plain.at),
                ..plain
            };
            if test.status != TestStatus::Passed {
                describe_failure(&mut test, execution, case, self.limits, &mut self.fingerprint);
            }
            count_test(&mut self.summary, &test);
            note_time(&mut self.summary, test.at);
            if let Some(seconds) = test.duration_seconds {
                *self.test_seconds.get_or_insert(0.0) += seconds;
            }
            self.sink.test(&test)?;
        }
        ControlFlow::Continue(())
    }

    fn stop_at_limit(&mut self) -> ControlFlow<()> {
        let limit = self.limits.tests_per_file;
        let message =
            format!("more than {limit} tests in one file (limit `tests_per_file`), the rest was not read");
        self.summary.problems.push(Problem::new(message));
        self.summary.truncated = true;
        ControlFlow::Break(())
    }
}

/// Fills in what only a test that did not pass has.
fn describe_failure<'a>(
    test: &mut TestCase<'a>,
    execution: &'a Outcome,
    case: &Case,
    limits: &Limits,
    fingerprint: &'a mut String,
) {
    let details = given(execution.details.trim_start_matches(['\n', '\r']).trim_end());
    test.failure_details = details;
    test.failure_message = given(&execution.message)
        .or_else(|| first_meaning_line(details?, &case.classname))
        .and_then(|message| message.get(..message.floor_char_boundary(limits.message_bytes)));
    test.failure_kind = given(&execution.kind).or_else(|| kind_from_message(test.failure_message?));
    test.output = given(execution.output.trim_start_matches(['\n', '\r']).trim_end());
    let says_something = test.failure_kind.is_some() || test.failure_message.is_some();
    if test.status.is_failure() && says_something {
        let kind = test.failure_kind.unwrap_or_default();
        crate::fingerprint::of_failure(kind, test.failure_message.unwrap_or_default(), fingerprint);
        test.failure_fingerprint = Some(fingerprint);
    }
}

fn note_time(summary: &mut Summary, at: Option<Timestamp>) {
    if let Some(at) = at {
        summary.started_at = Some(summary.started_at.map_or(at, |earliest| earliest.min(at)));
    }
}

fn count_test(summary: &mut Summary, test: &TestCase<'_>) {
    summary.tests += 1;
    let of_its_status = match test.status {
        TestStatus::Passed => &mut summary.passed,
        TestStatus::Failed => &mut summary.failed,
        TestStatus::Error => &mut summary.errors,
        TestStatus::Skipped => &mut summary.skipped,
    };
    *of_its_status += 1;
}
