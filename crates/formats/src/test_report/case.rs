//! One test while it is being read; its buffers are used again for the next.

use manometer_model::{Labels, TestStatus, Timestamp};

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
}

/// One `testcase` element.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) classname: String,
    /// As written, parameters and all.
    pub(crate) name: String,
    pub(crate) value_parameter: String,
    pub(crate) file: String,
    pub(crate) line: Option<i64>,
    pub(crate) main: Outcome,
    /// What the attributes `status` and `result` say; an element inside says it better.
    pub(crate) stated: Option<TestStatus>,
    reruns: Vec<Outcome>,
    reruns_used: usize,
    pub(crate) labels: Labels,
    /// Name of the property being read.
    pub(crate) property: String,
}

impl Case {
    pub(crate) fn clear(&mut self) {
        self.classname.clear();
        self.name.clear();
        self.value_parameter.clear();
        self.file.clear();
        self.line = None;
        self.main.clear();
        self.stated = None;
        self.reruns_used = 0;
        self.labels.clear();
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
