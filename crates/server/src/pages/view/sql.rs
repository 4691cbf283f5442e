//! `/sql`: the query console.

use askama::Template;

use crate::pages::layout::{Layout, Section};
use crate::pages::shown::Count;

/// The page.
#[derive(Debug, Template)]
#[template(path = "sql.html")]
pub(crate) struct SqlPage {
    pub(crate) layout: Layout,
    /// The question in the box.
    pub(crate) question: String,
    pub(crate) examples: Vec<Example>,
    pub(crate) tables: Vec<TableHelp>,
    /// Most rows the page shows.
    pub(crate) rows_shown: Count,
}

/// A question to begin with.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) title: &'static str,
    pub(crate) url: String,
    pub(crate) current: bool,
}

/// One table of the reference.
#[derive(Debug)]
pub(crate) struct TableHelp {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) columns: Vec<ColumnHelp>,
}

/// One column of the reference.
#[derive(Debug)]
pub(crate) struct ColumnHelp {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) doc: String,
}
