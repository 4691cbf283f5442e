//! `/completeness`: what is complete and what is missing.

use askama::Template;

use super::Choice;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Count, Moment, Share};

/// The page.
#[derive(Debug, Template)]
#[template(path = "completeness.html")]
pub(crate) struct CompletenessPage {
    pub(crate) layout: Layout,
    pub(crate) ranges: Vec<Choice>,
    pub(crate) days: u32,
    pub(crate) services: Vec<ServiceRow>,
    /// Services in all, where not all are shown.
    pub(crate) of_services: Option<Count>,
    pub(crate) missing: Vec<MissingRow>,
    pub(crate) missing_total: Count,
    pub(crate) silent: Vec<SilentRow>,
    /// What is polled; `None` for callers who see only some projects.
    pub(crate) polls: Option<Vec<PollRow>>,
}

/// One service.
#[derive(Debug)]
pub(crate) struct ServiceRow {
    pub(crate) name: String,
    pub(crate) project: String,
    pub(crate) url: String,
    pub(crate) runs: Count,
    /// Not known where nothing is expected.
    pub(crate) jobs: Share,
    pub(crate) tests: Share,
    pub(crate) coverage: Share,
    /// Runs that lack test reports, by day: `4 Mar: 3 of 5`; only days that lack some.
    pub(crate) bad_days: String,
}

/// A run that lacks something.
#[derive(Debug)]
pub(crate) struct MissingRow {
    pub(crate) url: String,
    pub(crate) run: String,
    pub(crate) service: String,
    pub(crate) pipeline: String,
    pub(crate) begun: Moment,
    pub(crate) conclusion: String,
    /// `jobs`, `reports of unit, integration`, `coverage`
    pub(crate) lacks: String,
}

/// A day of which a provider told nothing.
#[derive(Debug)]
pub(crate) struct SilentRow {
    pub(crate) provider: String,
    pub(crate) day: String,
}

/// How a poll stands.
#[derive(Debug)]
pub(crate) struct PollRow {
    pub(crate) name: String,
    pub(crate) standing: &'static str,
    /// Does somebody have to do something?
    pub(crate) is_in_trouble: bool,
    pub(crate) message: String,
    pub(crate) last_sweep: Moment,
    pub(crate) budget: String,
}
