//! The local store as a source of runs.

use std::ops::ControlFlow;

use manometer_agent::local::LocalStore;
use manometer_model::Problems;

use super::{RunFilter, RunSource, Visit};
use crate::output;

/// How many unreadable lines are named before they are only counted.
const NAMED: usize = 10;

/// The store.
#[derive(Debug)]
pub(super) struct Local {
    store: LocalStore,
}

impl Local {
    pub(super) fn new(store: LocalStore) -> Self {
        Self { store }
    }
}

impl RunSource for Local {
    fn visit(&self, filter: &RunFilter, visit: &mut Visit<'_>) -> anyhow::Result<()> {
        let mut failure = None;
        let problems = self.store.read(filter.since, filter.until, &mut |run| {
            if !filter.matches(&run) {
                return ControlFlow::Continue(());
            }
            visit(run).unwrap_or_else(|error| {
                failure = Some(error);
                ControlFlow::Break(())
            })
        })?;
        warn_of(&problems);
        failure.map_or(Ok(()), Err)
    }

    fn description(&self) -> String {
        format!("the local store {}", self.store.folder().display())
    }
}

fn warn_of(problems: &Problems) {
    for problem in problems.first.iter().take(NAMED) {
        output::warn(problem.to_string());
    }
    let unnamed = problems.total.saturating_sub(NAMED as u64);
    if unnamed > 0 {
        output::warn(format!("and {} more lines or fields that could not be read", output::grouped(unnamed)));
    }
}
