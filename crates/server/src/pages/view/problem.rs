//! What is shown where a page cannot be: not found, not allowed, too busy, failed.

use askama::Template;

use super::Choice;
use crate::pages::layout::{Layout, Section};

/// The page.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) layout: Layout,
    /// HTTP status.
    pub(crate) status: u16,
    pub(crate) heading: &'static str,
    pub(crate) explanation: String,
    /// Where to go instead.
    pub(crate) ways_on: Vec<Choice>,
}
