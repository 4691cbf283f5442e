//! One test while it is being read; its buffers are used again for the next.

use manometer_model::{Labels, TestStatus, Timestamp};

use super::names::split_parameters;

/// Executions kept of one test besides the main one; nothing real comes near.
pub(crate) const MOST_RERUNS: usize = 64;

/// How one execution ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) status: TestStatus,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) details: String,
    pub(crate) output: String,
    pub(crate) duration: Option<f64>,
    pub(crate) at: Option<Timestamp>,
    /// Came before the main execution (`flakyFailure`), not after it (`rerunFailure`).
    pub(crate) is_before: bool,
}

impl Outcome {
    pub(crate) fn clear(&mut self) {
        self.status = TestStatus::Passed;
        self.kind.clear();
        self.message.clear();
        self.details.clear();
        self.output.clear();
        self.duration = None;
        self.at = None;
        self.is_before = false;
    }

    fn bytes(&self) -> usize {
        let texts = [&self.kind, &self.message, &self.details, &self.output];
        size_of::<Self>() + texts.iter().map(|text| text.capacity()).sum::<usize>()
    }
}

/// A name without its parameters, and these.
pub(crate) type SplitName<'a> = (&'a str, Option<&'a str>);

/// What a label costs besides its texts.
const LABEL_BYTES: usize = 64;

/// One test.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) classname: String,
    /// As written, parameters and all.
    pub(crate) name: String,
    /// Parameters that tell the test from others of its name, where they do not stand in the name.
    pub(crate) parameters: String,
    /// Parameters that do not: they may hold addresses.
    pub(crate) value_parameter: String,
    pub(crate) file: String,
    pub(crate) line: Option<i64>,
    pub(crate) main: Outcome,
    /// What the attributes `status` and `result` say; an element inside says it better.
    pub(crate) stated: Option<TestStatus>,
    reruns: Vec<Outcome>,
    reruns_used: usize,
    /// Executions before it that there was no room for.
    pub(crate) left_out: u64,
    pub(crate) labels: Labels,
    /// Name of the property being read.
    pub(crate) property: String,
}

impl Case {
    pub(crate) fn clear(&mut self) {
        self.classname.clear();
        self.name.clear();
        self.parameters.clear();
        self.value_parameter.clear();
        self.file.clear();
        self.line = None;
        self.main.clear();
        self.stated = None;
        self.reruns_used = 0;
        self.left_out = 0;
        // Even an empty map takes its time to be cleared.
        if !self.labels.is_empty() {
            self.labels.clear();
        }
    }

    /// Room for one more re-run; `None` when there are too many.
    pub(crate) fn add_rerun(&mut self) -> Option<&mut Outcome> {
        if self.reruns_used == MOST_RERUNS {
            return None;
        }
        if self.reruns_used == self.reruns.len() {
            self.reruns.push(Outcome::default());
        }
        self.reruns_used += 1;
        let rerun = self.reruns.get_mut(self.reruns_used - 1)?;
        rerun.clear();
        Some(rerun)
    }

    /// The re-run added last.
    pub(crate) fn rerun(&mut self) -> Option<&mut Outcome> {
        self.reruns.get_mut(self.reruns_used.checked_sub(1)?)
    }

    /// Every execution in the order it happened.
    pub(crate) fn executions(&self) -> impl Iterator<Item = &Outcome> {
        let reruns = self.reruns.get(..self.reruns_used).unwrap_or_default();
        let before = reruns.iter().filter(|rerun| rerun.is_before);
        let after = reruns.iter().filter(|rerun| !rerun.is_before);
        before.chain(std::iter::once(&self.main)).chain(after)
    }

    pub(crate) fn execution_count(&self) -> usize {
        self.reruns_used + 1
    }

    /// Puts the executions of `earlier` before those of this test: it was executed again.
    pub(crate) fn precede_with(&mut self, earlier: &mut Self) {
        for position in 0..earlier.reruns_used {
            let Some(execution) = earlier.reruns.get_mut(position) else { break };
            let execution = std::mem::take(execution);
            self.push_before(execution);
        }
        earlier.reruns_used = 0;
        self.left_out += std::mem::take(&mut earlier.left_out);
        self.push_before(std::mem::take(&mut earlier.main));
    }

    fn push_before(&mut self, execution: Outcome) {
        match self.add_rerun() {
            Some(rerun) => *rerun = Outcome { is_before: true, ..execution },
            None => self.left_out += 1,
        }
    }

    /// Notes `count` executions before this one that failed, of which a report tells no more.
    pub(crate) fn failed_before(&mut self, count: u64) {
        for _ in 0..count.min(MOST_RERUNS as u64) {
            self.push_before(Outcome { status: TestStatus::Failed, ..Outcome::default() });
        }
        self.left_out += count.saturating_sub(MOST_RERUNS as u64);
    }

    /// The name without its parameters, and these.
    pub(crate) fn split_name(&self) -> SplitName<'_> {
        match given(&self.parameters) {
            Some(parameters) => (&self.name, Some(parameters)),
            None => split_parameters(&self.name),
        }
    }

    /// Bytes of memory that the test takes while it is held.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [&self.classname, &self.name, &self.parameters, &self.value_parameter, &self.file];
        let labels: usize =
            self.labels.iter().map(|(name, value)| LABEL_BYTES + name.len() + value.len()).sum();
        let executions: usize = self.executions().map(Outcome::bytes).sum();
        size_of::<Self>() + labels + executions + texts.iter().map(|text| text.capacity()).sum::<usize>()
    }

    /// Settles how the main execution ended.
    pub(crate) fn settle(&mut self) {
        if self.main.status == TestStatus::Passed
            && let Some(stated) = self.stated
        {
            self.main.status = stated;
        }
    }
}

/// The text, where there is any.
pub(crate) fn given(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}
