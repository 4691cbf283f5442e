//! `/slowest`: what takes longest.

use askama::Template;

use super::ask::AskForm;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Count, Seconds, Share};

/// The page.
#[derive(Debug, Template)]
#[template(path = "slowest.html")]
pub(crate) struct SlowestPage {
    pub(crate) layout: Layout,
    pub(crate) form: AskForm,
    /// What is listed, in words.
    pub(crate) heading: String,
    pub(crate) rows: Vec<SlowRow>,
}

/// One thing.
#[derive(Debug)]
pub(crate) struct SlowRow {
    pub(crate) label: String,
    /// Its service, where the label is not that.
    pub(crate) place: String,
    /// Its page, or its trend.
    pub(crate) url: String,
    pub(crate) count: Count,
    pub(crate) median: Seconds,
    pub(crate) high: Seconds,
    pub(crate) total: Seconds,
    pub(crate) growth: String,
    /// `slower`, `faster` or `steady`.
    pub(crate) growth_look: &'static str,
    /// What it is ranked by, of the largest.
    pub(crate) share: Share,
}
