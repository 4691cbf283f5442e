//! What every page has around its content.

use crate::pages::assets;

/// The part of the site a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Services, runs.
    Services,
    /// Tests.
    Tests,
    /// A measure over time.
    Trend,
    /// A measure on two sides.
    Compare,
    /// What takes longest.
    Slowest,
    /// Failures by cause.
    Failures,
    /// What is missing.
    Completeness,
    /// The query console.
    Sql,
    /// None of them.
    Other,
}

/// The frame of a page.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Title of the window, without the product's name.
    pub(crate) title: String,
    /// Which entry of the navigation is the current one.
    pub(crate) section: Section,
    /// What was searched for, to stay in the search box.
    pub(crate) search: String,
    /// Is somebody signed in, who may sign out?
    pub(crate) signed_in: bool,
}

impl Layout {
    /// The frame of a page with that title.
    pub(crate) fn new(title: impl Into<String>, section: Section, signed_in: bool) -> Self {
        Self { title: title.into(), section, search: String::new(), signed_in }
    }

    /// Address of an asset.
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// Version of the program.
    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Is the page of that part of the site?
    pub(crate) fn is_in(&self, section: Section) -> bool {
        self.section == section
    }
}
