//! `/trend`: a measure over time.

use askama::Template;

use super::ask::AskForm;
use crate::pages::chart::Chart;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::Count;

/// The page.
#[derive(Debug, Template)]
#[template(path = "trend.html")]
pub(crate) struct TrendPage {
    pub(crate) layout: Layout,
    pub(crate) form: AskForm,
    /// What is measured, over which rows.
    pub(crate) meaning: String,
    /// What is drawn.
    pub(crate) drawn: String,
    pub(crate) notes: Vec<String>,
    pub(crate) chart: Chart,
    /// Is it a rate, which has a share and no quantiles?
    pub(crate) is_share: bool,
    /// What the first column of the rows holds.
    pub(crate) first: &'static str,
    /// Buckets, newest first; or groups, over the whole time.
    pub(crate) rows: Vec<FigureRow>,
}

/// Some values, summed up.
#[derive(Debug)]
pub(crate) struct FigureRow {
    /// When, or which group.
    pub(crate) label: String,
    pub(crate) count: Count,
    pub(crate) mean: String,
    pub(crate) p50: String,
    pub(crate) p95: String,
    pub(crate) p99: String,
    /// The class of the group's colour in the chart.
    pub(crate) ink: &'static str,
}
