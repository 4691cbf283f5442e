//! `/failures`: failures of tests by cause.

use askama::Template;

use super::ask::AskForm;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Clipped, Count, Moment};

/// The page.
#[derive(Debug, Template)]
#[template(path = "failures.html")]
pub(crate) struct FailuresPage {
    pub(crate) layout: Layout,
    pub(crate) form: AskForm,
    pub(crate) failures: Count,
    pub(crate) causes: Count,
    pub(crate) groups: Vec<CauseRow>,
    /// Causes that are not listed.
    pub(crate) left_out: Count,
}

/// One cause.
#[derive(Debug)]
pub(crate) struct CauseRow {
    pub(crate) kind: String,
    pub(crate) is_new: bool,
    pub(crate) count: Count,
    pub(crate) runs: Count,
    pub(crate) first: Moment,
    pub(crate) last: Moment,
    /// The newest run in which it failed.
    pub(crate) run_url: String,
    pub(crate) message: Clipped,
    /// First commit and its branch, in words.
    pub(crate) since: String,
    /// Where to compare before and after that commit; empty where it is not known.
    pub(crate) compare_url: String,
    /// Services and how often, in words.
    pub(crate) services: String,
    pub(crate) branches: String,
    pub(crate) tests: Vec<TestLink>,
    /// Tests that are not listed.
    pub(crate) tests_left_out: Count,
}

/// A test of a cause.
#[derive(Debug)]
pub(crate) struct TestLink {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) count: Count,
}
