//! Runs per day as bars. A day of which nothing was heard is hatched over its full height; a day without runs
//! is a thin line at the foot. The two never look alike.

use std::fmt::Write as _;

/// One day of a sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    /// Runs of the day; `None` where nothing was heard, so that nobody knows.
    pub(crate) runs: Option<u64>,
    /// Those of them that failed.
    pub(crate) failed: u64,
}

/// The paths of a sparkline, one for each kind of mark, so that a page of hundreds stays small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sparkline {
    /// Width of the drawing, in its own units.
    pub(crate) width: usize,
    /// Height of the drawing, in its own units.
    pub(crate) height: usize,
    /// Bars of runs that did not fail.
    pub(crate) passed: String,
    /// Bars of runs that failed, on top of the others.
    pub(crate) failed: String,
    /// Feet of days without runs.
    pub(crate) idle: String,
    /// Days of which nothing was heard.
    pub(crate) gaps: String,
    /// All of it in words.
    pub(crate) label: String,
}

const HEIGHT: usize = 24;
const LEAST_MARK: f64 = 1.5;

impl Sparkline {
    /// Draws `days`, oldest first. `width_wanted` is shared among them.
    pub(crate) fn new(days: &[Day], width_wanted: usize) -> Self {
        let pitch = width_wanted as f64 / days.len().max(1) as f64;
        let bar = (pitch - if pitch > 3.0 { 1.0 } else { pitch * 0.25 }).max(0.5);
        let most = days.iter().filter_map(|day| day.runs).max().unwrap_or(0).max(1) as f64;
        let mut line = Self {
            width: width_wanted,
            height: HEIGHT,
            passed: String::new(),
            failed: String::new(),
            idle: String::new(),
            gaps: String::new(),
            label: label(days),
        };
        for (position, day) in days.iter().enumerate() {
            let left = position as f64 * pitch;
            match day.runs {
                None => rectangle(&mut line.gaps, left, 0.0, bar, HEIGHT as f64),
                Some(0) => rectangle(&mut line.idle, left, HEIGHT as f64 - 1.0, bar, 1.0),
                Some(runs) => {
                    let full = (runs as f64 / most * HEIGHT as f64).max(LEAST_MARK);
                    let share = day.failed.min(runs) as f64 / runs as f64;
                    let red = if day.failed == 0 { 0.0 } else { (full * share).max(LEAST_MARK).min(full) };
                    let top = HEIGHT as f64 - full;
                    if red > 0.0 {
                        rectangle(&mut line.failed, left, top, bar, red);
                    }
                    if full > red {
                        rectangle(&mut line.passed, left, top + red, bar, full - red);
                    }
                }
            }
        }
        line
    }
}

fn rectangle(path: &mut String, left: f64, top: f64, width: f64, height: f64) {
    let [left, top, width, height] = [left, top, width, height].map(short);
    // Writing to a String cannot fail.
    write!(path, "M{left} {top}h{width}v{height}h-{width}z").unwrap_or_default();
}

/// One decimal at most: `12`, `12.5`.
fn short(number: f64) -> String {
    let mut text = format!("{number:.1}");
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text
}

fn label(days: &[Day]) -> String {
    let heard: Vec<u64> = days.iter().filter_map(|day| day.runs).collect();
    let total: u64 = heard.iter().sum();
    let failed: u64 = days.iter().map(|day| day.failed).sum();
    let silent = days.len() - heard.len();
    let most = heard.iter().max().copied().unwrap_or(0);
    let mut text = format!("{total} runs in {} days, at most {most} a day, {failed} failed", days.len());
    if silent > 0 {
        let noun = if silent == 1 { "day" } else { "days" };
        write!(text, "; nothing was heard on {silent} {noun}").unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_never_drawn_as_zero() {
        let zero = Sparkline::new(&[Day { runs: Some(0), failed: 0 }], 10);
        let gap = Sparkline::new(&[Day { runs: None, failed: 0 }], 10);
        assert!(zero.gaps.is_empty() && !zero.idle.is_empty());
        assert!(gap.idle.is_empty() && gap.passed.is_empty() && !gap.gaps.is_empty());
        assert!(gap.label.contains("nothing was heard on 1 day"), "{}", gap.label);
    }

    #[test]
    fn one_failure_among_many_runs_is_still_visible() {
        let line = Sparkline::new(&[Day { runs: Some(10_000), failed: 1 }], 10);
        assert_eq!(line.failed, "M0 0h9v1.5h-9z");
    }

    #[test]
    fn no_days_and_odd_numbers_draw_nothing_wrong() {
        assert_eq!(Sparkline::new(&[], 90).passed, "");
        let more_failed_than_run = Sparkline::new(&[Day { runs: Some(1), failed: 9 }], 10);
        assert!(more_failed_than_run.passed.is_empty());
        assert!(!more_failed_than_run.failed.contains("NaN"));
    }
}
