//! `/tests`: searching for tests.

use askama::Template;

use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Count, Moment, Share};

/// The page.
#[derive(Debug, Template)]
#[template(path = "tests.html")]
pub(crate) struct TestsPage {
    pub(crate) layout: Layout,
    /// What was searched for.
    pub(crate) wanted: String,
    pub(crate) rows: Vec<FoundRow>,
    /// Was the list cut?
    pub(crate) cut: bool,
    pub(crate) days: u32,
}

/// One test found.
#[derive(Debug)]
pub(crate) struct FoundRow {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) service: String,
    pub(crate) service_url: String,
    pub(crate) project: String,
    pub(crate) executions: Count,
    pub(crate) failures: Count,
    pub(crate) passed: Share,
    pub(crate) last: Moment,
}
