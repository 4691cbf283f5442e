//! `/compare`: a measure on two sides.

use askama::Template;

use super::ask::AskForm;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Count, Moment};

/// The page.
#[derive(Debug, Template)]
#[template(path = "compare.html")]
pub(crate) struct ComparePage {
    pub(crate) layout: Layout,
    pub(crate) form: AskForm,
    /// What was found; `None` where nothing was asked or nothing can be answered.
    pub(crate) found: Option<Found>,
    /// What else is worth knowing.
    pub(crate) notes: Vec<String>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) verdict: String,
    /// Look of the verdict: `bad`, `good` or none.
    pub(crate) look: &'static str,
    pub(crate) meaning: String,
    /// Where the line is drawn, in words.
    pub(crate) anchor: String,
    pub(crate) sides: Vec<SideRow>,
    pub(crate) numbers: Vec<NumberRow>,
    pub(crate) effect: String,
    /// The same measure over time.
    pub(crate) trend_url: String,
}

/// One side.
#[derive(Debug)]
pub(crate) struct SideRow {
    pub(crate) name: &'static str,
    pub(crate) words: String,
    pub(crate) rows: Count,
    pub(crate) runs: Count,
    pub(crate) commits: Count,
    pub(crate) first: Moment,
    pub(crate) last: Moment,
    pub(crate) mean: String,
}

/// One number on both sides.
#[derive(Debug)]
pub(crate) struct NumberRow {
    pub(crate) name: String,
    pub(crate) is_headline: bool,
    pub(crate) before: Measured,
    pub(crate) after: Measured,
    pub(crate) change: String,
    pub(crate) change_interval: String,
    pub(crate) relative: String,
    pub(crate) relative_interval: String,
}

/// One number on one side, with where it lies in a drawing.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) value: String,
    pub(crate) interval: String,
    /// Place of the value, its interval's low and high end: percent of the width; empty where not known.
    pub(crate) at: String,
    pub(crate) low: String,
    pub(crate) high: String,
}
