//! `/`: every service at a glance.

use askama::Template;

use super::Choice;
use crate::pages::drawing::Sparkline;
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Bytes, Count, Moment, Outcome, Seconds, Share};

/// The page.
#[derive(Debug, Template)]
#[template(path = "services.html")]
pub(crate) struct ServicesPage {
    pub(crate) layout: Layout,
    pub(crate) ranges: Vec<Choice>,
    pub(crate) days: u32,
    pub(crate) head: Head,
    pub(crate) rows: Vec<ServiceRow>,
    /// Services in all, where not all are shown.
    pub(crate) of_services: Option<Count>,
    /// The only project shown, where one was chosen.
    pub(crate) project: Option<String>,
}

/// The strip of numbers.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) runs_today: Count,
    /// Not known where fewer days are shown.
    pub(crate) runs_week: Option<Count>,
    pub(crate) success: Share,
    pub(crate) ended_runs: Count,
    pub(crate) services: Count,
    pub(crate) missing: Share,
    pub(crate) missing_runs: Count,
    /// What the store holds; `None` for callers who see only some projects.
    pub(crate) store: Option<StoreHead>,
}

/// What the store holds.
#[derive(Debug)]
pub(crate) struct StoreHead {
    pub(crate) tests: Count,
    pub(crate) size: Bytes,
}

/// One service.
#[derive(Debug)]
pub(crate) struct ServiceRow {
    pub(crate) name: String,
    pub(crate) project: String,
    pub(crate) url: String,
    pub(crate) sparkline: Sparkline,
    pub(crate) runs: Count,
    pub(crate) success: Share,
    pub(crate) median: Seconds,
    pub(crate) high: Seconds,
    pub(crate) trend: Trend,
    pub(crate) last_run: Moment,
    pub(crate) last_outcome: Outcome,
    /// Of runs that report any; not known where none does.
    pub(crate) tests_per_run: Option<Count>,
    /// Ended runs without a report; not known for a service that does not usually report tests.
    pub(crate) missing: Share,
}

/// How the median duration moved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trend {
    /// `slower`, `faster` or `steady`.
    pub(crate) look: &'static str,
    /// `↑ 12% slower`.
    pub(crate) text: String,
    /// What is compared with what.
    pub(crate) title: &'static str,
    /// For sorting.
    pub(crate) key: f64,
}

/// Changes below this share count as none.
const STEADY_SHARE: f64 = 0.05;
/// Sorts what cannot be compared below all that can: no change is below −1.
const BELOW_EVERY_CHANGE: f64 = -2.0;

impl Trend {
    /// From the median of the last 7 days over that of the 7 days before, less one.
    pub(crate) fn new(change: Option<f64>) -> Self {
        let title = "median of the last 7 days against the 7 days before";
        let Some(change) = change.filter(|change| change.is_finite()) else {
            let title = "too few runs in the last two weeks to compare";
            return Self { look: "steady", text: "–".to_owned(), title, key: BELOW_EVERY_CHANGE };
        };
        let percent = (change.abs() * 100.0).round();
        let (look, text) = match change {
            doubled if doubled >= 1.0 => ("slower", format!("↑ {:.1}× as long", change + 1.0)),
            slower if slower >= STEADY_SHARE => ("slower", format!("↑ {percent}% slower")),
            faster if faster <= -STEADY_SHARE => ("faster", format!("↓ {percent}% faster")),
            _ => ("steady", "→ steady".to_owned()),
        };
        Self { look, text, title, key: change }
    }
}

/// What to do with an empty store: lines that work as copied.
#[derive(Debug, Template)]
#[template(path = "first_steps.html")]
pub(crate) struct FirstStepsPage {
    pub(crate) layout: Layout,
    /// Address of this server as the browser wrote it.
    pub(crate) server: String,
    /// Does it need a token?
    pub(crate) needs_token: bool,
}

impl ServicesPage {
    pub(crate) fn share_look(&self, share: &Share) -> &'static str {
        share_look(share)
    }
}

/// The look of a success rate's bar.
pub(crate) fn share_look(share: &Share) -> &'static str {
    match share.0 {
        Some(high) if high >= 0.9 => "fine",
        Some(middling) if middling >= 0.7 => "middling",
        _ => "poor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_says_in_words_what_its_colour_says() {
        assert_eq!(Trend::new(Some(0.3)).text, "↑ 30% slower");
        assert_eq!(Trend::new(Some(1.5)).text, "↑ 2.5× as long");
        assert_eq!(Trend::new(Some(-0.4)).look, "faster");
        assert_eq!(Trend::new(Some(0.03)).look, "steady");
        for unknown in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert_eq!(Trend::new(unknown).text, "–");
        }
    }
}
