//! The records of one export, seen together: a build finds the run it belongs to.

mod measures;

use std::collections::HashMap;

use manometer_model::Record;
use manometer_model::records::Run;

pub(crate) use measures::{Label, Measure, MeasureKind, between, duration_of_run, measures};

/// Tag of a sample that names the measured run it is of: one more value with every run, so it is never a label where
/// each set of labels makes a series.
pub const TAG_RECORD: &str = "record";

/// Records that are exported together.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(crate) records: &'a [Record],
    runs: HashMap<RunKey<'a>, &'a Run>,
}

/// Which run a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RunKey<'a> {
    pub(crate) provider: &'a str,
    pub(crate) project: &'a str,
    pub(crate) run_id: &'a str,
    pub(crate) attempt: i64,
}

/// The run a record with the usual columns belongs to.
macro_rules! run_key {
    ($record:expr) => {
        $crate::records::RunKey {
            provider: &$record.provider,
            project: &$record.project,
            run_id: &$record.run_id,
            attempt: $record.run_attempt.max(1),
        }
    };
}
pub(crate) use run_key;

impl<'a> RunKey<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        Self {
            provider: &run.provider,
            project: &run.project,
            run_id: &run.run_id,
            attempt: run.attempt.max(1),
        }
    }
}

impl<'a> Batch<'a> {
    /// These records, and nothing that is known beside them.
    pub fn new(records: &'a [Record]) -> Self {
        let runs = records.iter().filter_map(|record| match record {
            Record::Run(run) => Some((RunKey::of(run), run)),
            _ => None,
        });
        Self { records, runs: runs.collect() }
    }

    /// Adds runs that records belong to and that are not to be exported themselves: where a run is told of among the
    /// records, that one counts.
    #[must_use]
    pub fn beside(mut self, known_runs: &'a [Run]) -> Self {
        for run in known_runs {
            self.runs.entry(RunKey::of(run)).or_insert(run);
        }
        self
    }

    /// All runs that are known.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &'a Run> {
        self.runs.values().copied()
    }

    /// The run of that key, where it is known; the last one said of it.
    pub(crate) fn run(&self, key: RunKey<'_>) -> Option<&'a Run> {
        self.runs.get(&key).copied()
    }
}
