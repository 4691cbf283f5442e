//! Which earlier runs a run is compared with.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use manometer_model::{Labels, Timestamp};
use serde_json::Value;

use crate::local::RunRecord;

/// The field of a record that holds the tags of the whole run. From a server these come as tags of each metric.
const LABELS: &str = "labels";

/// What is asked of earlier runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineOptions {
    /// How many of them, the newest first.
    pub last: usize,
    /// Only of this branch.
    pub branch: Option<String>,
}

/// The values of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricHistory {
    /// Name of the metric.
    pub name: String,
    /// Its tags, equal in every run looked at.
    pub tags: Labels,
    /// In the runs in question.
    pub current: Vec<f64>,
    /// In the runs before them, newest first.
    pub earlier: Vec<f64>,
}

/// The runs in question and, as they are offered, comparable runs from before them.
#[derive(Debug)]
pub struct Baseline {
    kind: String,
    operation: Option<String>,
    labels: Option<Value>,
    run_ids: Vec<String>,
    before: Timestamp,
    options: BaselineOptions,
    histories: BTreeMap<(String, Labels), MetricHistory>,
    /// Runs taken.
    pub runs: usize,
    /// Comparable runs left out because they failed.
    pub failed_runs: usize,
    /// Runs left out because they are of another branch, or of none that is known.
    pub other_branches: usize,
}

impl Baseline {
    /// For these runs, of which the first decides about type and operation; `None` where there is none. Metrics whose
    /// name `is_wanted` refuses are left out.
    pub fn of(
        current: &[RunRecord],
        options: BaselineOptions,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let first = current.first()?;
        let mut baseline = Self {
            kind: first.kind.clone(),
            operation: first.operation.clone(),
            labels: first.info.get(LABELS).cloned(),
            run_ids: current.iter().map(|run| run.run_id.clone()).collect(),
            before: current.iter().map(|run| run.timestamp).min()?,
            options,
            histories: BTreeMap::new(),
            runs: 0,
            failed_runs: 0,
            other_branches: 0,
        };
        for run in current {
            for (name, value) in run.all_metrics() {
                if !is_wanted(&name) {
                    continue;
                }
                let tags = run.tags.get(&name).cloned().unwrap_or_default();
                baseline
                    .histories
                    .entry((name.clone(), tags.clone()))
                    .or_insert_with(|| MetricHistory { name, tags, current: Vec::new(), earlier: Vec::new() })
                    .current
                    .push(value);
            }
        }
        Some(baseline)
    }

    /// Type of the runs in question.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Operation of the runs in question.
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// When the oldest of the runs in question ended: only runs from before it are earlier.
    pub fn before(&self) -> Timestamp {
        self.before
    }

    /// Takes a run if it is comparable. Runs are offered newest first; breaks off when there are enough.
    pub fn offer(&mut self, run: &RunRecord) -> ControlFlow<()> {
        if self.runs >= self.options.last {
            return ControlFlow::Break(());
        }
        let is_comparable = run.kind == self.kind
            && run.operation == self.operation
            && run.info.get(LABELS) == self.labels.as_ref()
            && run.timestamp <= self.before
            && !self.run_ids.contains(&run.run_id);
        if !is_comparable {
            return ControlFlow::Continue(());
        }
        if self.options.branch.is_some() && run.branch() != self.options.branch.as_deref() {
            self.other_branches += 1;
            return ControlFlow::Continue(());
        }
        if run.success == Some(false) {
            self.failed_runs += 1;
            return ControlFlow::Continue(());
        }
        self.runs += 1;
        for (name, value) in run.all_metrics() {
            let tags = run.tags.get(&name).cloned().unwrap_or_default();
            if let Some(history) = self.histories.get_mut(&(name, tags)) {
                history.earlier.push(value);
            }
        }
        if self.runs >= self.options.last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The metrics of the runs in question, by name.
    pub fn into_histories(self) -> Vec<MetricHistory> {
        self.histories.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, second: i64) -> RunRecord {
        let mut run = RunRecord::new("build", Timestamp::from_seconds(second));
        run.run_id = id.to_owned();
        run.operation = Some("wheel".to_owned());
        run.success = Some(true);
        run.measure("a_mb", second as f64);
        run
    }

    fn offered(options: BaselineOptions, runs: &[RunRecord]) -> Baseline {
        let mut baseline = Baseline::of(&[run("now", 100)], options, |name| name != "ignored").unwrap();
        for run in runs {
            if baseline.offer(run).is_break() {
                break;
            }
        }
        baseline
    }

    #[test]
    fn only_comparable_runs_from_before_are_taken_and_only_as_many_as_asked_for() {
        let other_kind = RunRecord { kind: "tests".to_owned(), ..run("other kind", 90) };
        let other_operation = RunRecord { operation: None, ..run("other operation", 89) };
        let mut labelled = run("labelled", 88);
        labelled.info.insert("labels".to_owned(), serde_json::json!({"arch": "arm"}));
        let failed = RunRecord { success: Some(false), ..run("failed", 88) };
        let mut tagged = run("tagged", 87);
        tagged.tags.insert("a_mb".to_owned(), Labels::from([("arch".to_owned(), "arm".to_owned())]));
        let runs = [
            run("later", 101),
            run("now", 100),
            other_kind,
            other_operation,
            labelled,
            failed,
            tagged,
            run("a", 3),
            run("b", 2),
            run("c", 1),
        ];
        let baseline = offered(BaselineOptions { last: 3, branch: None }, &runs);
        assert_eq!((baseline.runs, baseline.failed_runs), (3, 1));
        assert_eq!(baseline.into_histories()[0].earlier, [3.0, 2.0], "other tags are another thing measured");
    }

    #[test]
    fn runs_of_another_branch_are_left_out_and_counted() {
        let mut on_main = run("a", 3);
        on_main.info.insert("branch".to_owned(), "main".into());
        let options = BaselineOptions { last: 3, branch: Some("main".to_owned()) };
        let baseline = offered(options, &[on_main, run("b", 2)]);
        assert_eq!((baseline.runs, baseline.other_branches), (1, 1));
    }
}
