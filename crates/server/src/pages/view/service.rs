//! `/service`: one service's runs and tests.

use askama::Template;

use super::{Choice, Pager};
use crate::pages::chart::Chart;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Count, Moment, Outcome, Seconds, Share};
use crate::pages::view::services::Trend;

/// The page.
#[derive(Debug, Template)]
#[template(path = "service.html")]
pub(crate) struct ServicePage {
    pub(crate) layout: Layout,
    pub(crate) name: String,
    pub(crate) project: String,
    /// The only branch shown, where one was chosen.
    pub(crate) branch: Option<String>,
    pub(crate) ranges: Vec<Choice>,
    pub(crate) days: u32,
    pub(crate) runs: Count,
    pub(crate) success: Share,
    pub(crate) median: Seconds,
    pub(crate) high: Seconds,
    pub(crate) trend: Trend,
    /// Ended runs without a report; not known for a service that does not usually report tests.
    pub(crate) missing: Share,
    pub(crate) notes: Vec<String>,
    pub(crate) chart: Chart,
    pub(crate) recent: Vec<RunRow>,
    pub(crate) pager: Pager,
    pub(crate) failing: Vec<TestRow>,
    pub(crate) slowest: Vec<TestRow>,
    /// The service over time, and before and after something.
    pub(crate) trend_url: String,
    pub(crate) compare_url: String,
    pub(crate) failures_url: String,
    /// A question to go on from here.
    pub(crate) sql_url: String,
}

/// One run of a list.
#[derive(Debug)]
pub(crate) struct RunRow {
    pub(crate) url: String,
    pub(crate) label: String,
    pub(crate) pipeline: String,
    pub(crate) branch: String,
    pub(crate) commit: String,
    pub(crate) trigger: String,
    pub(crate) attempt: i64,
    pub(crate) outcome: Outcome,
    pub(crate) when: Moment,
    pub(crate) queue: Seconds,
    pub(crate) duration: Seconds,
    /// `None` where no report came.
    pub(crate) tests: Option<RunTests>,
}

/// Test results of one run, counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunTests {
    pub(crate) total: Count,
    /// Failed or broken.
    pub(crate) failed: Count,
}

/// One test of a list.
#[derive(Debug)]
pub(crate) struct TestRow {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) executions: Count,
    pub(crate) failures: Count,
    pub(crate) failure_share: Share,
    pub(crate) median: Seconds,
    pub(crate) last: Moment,
}
