//! `/test`: one test's history.

use askama::Template;

use super::{Choice, Pager};
use crate::pages::chart::Chart;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Clipped, Count, Moment, Outcome, Seconds, Share};

/// The page.
#[derive(Debug, Template)]
#[template(path = "test.html")]
pub(crate) struct TestPage {
    pub(crate) layout: Layout,
    pub(crate) name: String,
    pub(crate) parameters: String,
    pub(crate) place: String,
    pub(crate) file: String,
    pub(crate) test_id: String,
    pub(crate) project: String,
    pub(crate) service: String,
    pub(crate) service_url: String,
    /// The only branch shown, where one was chosen.
    pub(crate) branch: Option<String>,
    pub(crate) ranges: Vec<Choice>,
    pub(crate) days: u32,
    pub(crate) executions: Count,
    pub(crate) passed: Share,
    pub(crate) failures: Count,
    pub(crate) skipped: Count,
    /// Runs in which it failed first and passed when run again.
    pub(crate) rerun_passed: Count,
    pub(crate) median: Seconds,
    pub(crate) high: Seconds,
    pub(crate) last_failure: Moment,
    pub(crate) notes: Vec<String>,
    pub(crate) chart: Chart,
    /// The last outcomes, oldest first.
    pub(crate) last: Vec<Cell>,
    pub(crate) weekdays: Vec<WeekdayRow>,
    pub(crate) groups: Vec<GroupRow>,
    pub(crate) groups_left_out: Count,
    pub(crate) history: Vec<ExecutionRow>,
    pub(crate) pager: Pager,
    pub(crate) sql_url: String,
    /// The test over time, and before and after something.
    pub(crate) trend_url: String,
    pub(crate) compare_url: String,
}

/// One outcome of the strip.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) look: &'static str,
    pub(crate) title: String,
    pub(crate) url: String,
}

/// Executions of one day of the week.
#[derive(Debug)]
pub(crate) struct WeekdayRow {
    pub(crate) name: &'static str,
    pub(crate) executions: Count,
    pub(crate) failures: Count,
    pub(crate) share: Share,
    /// Does this day stand out from the others?
    pub(crate) stands_out: bool,
}

/// Failures of one cause.
#[derive(Debug)]
pub(crate) struct GroupRow {
    pub(crate) kind: String,
    pub(crate) count: Count,
    pub(crate) first: Moment,
    pub(crate) last: Moment,
    pub(crate) message: Clipped,
    pub(crate) url: Option<String>,
}

/// One execution.
#[derive(Debug)]
pub(crate) struct ExecutionRow {
    pub(crate) url: String,
    pub(crate) run: String,
    pub(crate) when: Moment,
    pub(crate) outcome: Outcome,
    pub(crate) duration: Seconds,
    pub(crate) branch: String,
    pub(crate) commit: String,
    pub(crate) attempt: i64,
    pub(crate) is_final: bool,
    pub(crate) message: Clipped,
}
