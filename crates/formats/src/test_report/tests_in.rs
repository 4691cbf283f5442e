//! One reading of a report of tests, as far as every format has it: the test being filled, and the way out.

use std::ops::ControlFlow;

use manometer_model::{Limits, Problem, Problems, Timestamp};

use super::case::{Case, MOST_RERUNS};
use super::outlet::{Outlet, Surroundings};
use super::texts;
use super::{Summary, TestSink};
use crate::measured::BuildRow;
use crate::xml::Ending;

/// The test being read and where it goes.
pub(crate) struct TestsIn<'l, 's> {
    pub(crate) limits: &'l Limits,
    /// The test being filled.
    pub(crate) case: Case,
    /// Has the sink enough, or did the tests reach their limit? Then reading ends.
    pub(crate) is_done: bool,
    /// How long the whole took, where the report says so.
    pub(crate) stated_seconds: Option<f64>,
    outlet: Outlet<'l, 's>,
}

/// What a test without a name is called.
pub(crate) const UNNAMED: &str = "(unnamed)";

impl<'l, 's> TestsIn<'l, 's> {
    pub(crate) fn new(limits: &'l Limits, sink: &'s mut dyn TestSink) -> Self {
        Self {
            limits,
            case: Case::default(),
            is_done: false,
            stated_seconds: None,
            outlet: Outlet::new(limits, sink),
        }
    }

    pub(crate) fn problems(&mut self) -> &mut Problems {
        &mut self.outlet.summary.problems
    }

    /// Reports what a value at a line cost.
    pub(crate) fn problem(&mut self, line: u64, field: &str, message: &str) {
        self.problems().push_with(|| Problem::new(message).at_line(line).in_field(field));
    }

    /// Gives the test being filled, as one of `suite`, and begins the next.
    pub(crate) fn give(&mut self, suite: &str, at: Option<Timestamp>) {
        let mut case = std::mem::take(&mut self.case);
        self.give_case(&mut case, suite, at);
        self.case = case;
        self.case.clear();
    }

    /// Gives a test that was held.
    pub(crate) fn give_case(&mut self, case: &mut Case, suite: &str, at: Option<Timestamp>) {
        if self.is_done {
            return;
        }
        if case.name.is_empty() {
            case.name.push_str(UNNAMED);
            self.problems().push_with(|| {
                Problem::new(format!("missing or empty, called `{UNNAMED}`")).in_field("name of a test")
            });
        }
        if case.left_out > 0 {
            self.problems().push_with(|| {
                let message = format!("more than {MOST_RERUNS} re-runs, {} of them left out", case.left_out);
                Problem::new(message).in_field(case.name.clone())
            });
        }
        let main = &mut case.main;
        let trimmed = main.message.trim();
        if trimmed.len() < main.message.len() {
            main.message = trimmed.to_owned();
        }
        let around = Surroundings { suite, at, is_pytest: false };
        self.is_done = self.outlet.take(case, around) == ControlFlow::Break(());
    }

    /// Hands on what the report tells of a build.
    pub(crate) fn build(&mut self, build: &BuildRow<'_>) -> ControlFlow<()> {
        self.outlet.build(build)
    }

    /// Counts a suite.
    pub(crate) fn count_suite(&mut self) {
        self.outlet.summary.suites += 1;
    }

    /// Counts a property of a suite, which is not kept.
    pub(crate) fn count_suite_property(&mut self) {
        self.outlet.summary.suite_properties += 1;
    }

    /// Notes a time that the report states.
    pub(crate) fn note_time(&mut self, at: Option<Timestamp>) {
        self.outlet.note_time(at);
    }

    /// Notes that the file ended too early.
    pub(crate) fn note_truncated(&mut self) {
        self.outlet.summary.truncated = true;
    }

    /// Notes how the walk through an XML document ended.
    pub(crate) fn note_ending(&mut self, ending: Ending) {
        if let Ending::Truncated(problem) = ending {
            self.note_truncated();
            self.problems().push(problem);
        }
    }

    /// Was anything given to the sink?
    pub(crate) fn has_tests(&self) -> bool {
        self.outlet.summary.tests > 0
    }

    /// Adds to how long the whole took.
    pub(crate) fn add_stated(&mut self, seconds: Option<f64>) {
        if let Some(seconds) = seconds {
            *self.stated_seconds.get_or_insert(0.0) += seconds;
        }
    }

    /// Adds a label of the test being filled; values of a repeated name are joined with `, `.
    pub(crate) fn add_label(&mut self, name: &str, value: &str, line: u64) {
        let limits = self.limits;
        let is_new = !self.case.labels.contains_key(name);
        if name.is_empty() || (is_new && self.case.labels.len() >= limits.labels) {
            let message = match name.is_empty() {
                true => "without a name, left out".to_owned(),
                false => format!("more than {} of one test (limit `labels`), left out", limits.labels),
            };
            return self.problem(line, "label", &message);
        }
        let mut clipped_name = String::new();
        let mut was_cut = texts::append(&mut clipped_name, name, limits.name_bytes);
        let label = self.case.labels.entry(clipped_name).or_default();
        if !is_new {
            was_cut |= texts::append(label, ", ", limits.message_bytes);
        }
        was_cut |= texts::append(label, value, limits.message_bytes);
        if was_cut {
            texts::cut_off(self.problems(), limits.message_bytes, "label", line);
        }
    }

    /// The end: what the file was made of.
    pub(crate) fn finish(self) -> Summary {
        self.outlet.into_summary(self.stated_seconds)
    }
}
