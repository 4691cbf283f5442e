//! A common time axis for the jobs and steps of one run.

use manometer_model::Timestamp;

use crate::pages::shown::Seconds;

/// From when until when the lanes of one run reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    start: Timestamp,
    seconds: f64,
}

/// Where a stretch of time lies on an axis, as percentages of its width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// Left end: `12.50%`.
    pub(crate) left: String,
    /// Width: `3.00%`.
    pub(crate) width: String,
}

/// One mark of an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Place: `25.00%`.
    pub(crate) left: String,
    /// Time since the start of the axis, for people.
    pub(crate) label: String,
}

/// Widths below this share of the axis are drawn this wide, so that nothing vanishes.
const LEAST_SHARE: f64 = 0.002;
/// Round distances between ticks, in seconds.
const STEPS: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0,
    21_600.0, 43_200.0,
];
const MOST_TICKS: f64 = 8.0;

impl Axis {
    /// The axis that holds all of `times`; `None` without any.
    pub(crate) fn around(times: impl Iterator<Item = Timestamp> + Clone) -> Option<Self> {
        let start = times.clone().min()?;
        let seconds = times.max()?.seconds_since(start).max(1.0);
        Some(Self { start, seconds })
    }

    /// The stretch between two times; `None` when its ends are not known or stand in the wrong order.
    pub(crate) fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Option<Span> {
        let (begin, end) = (self.share(from?), self.share(until?));
        if end < begin {
            return None;
        }
        let width = (end - begin).max(LEAST_SHARE);
        let left = begin.min(1.0 - LEAST_SHARE);
        Some(Span { left: percent(left), width: percent(width.min(1.0 - left)) })
    }

    /// Ticks at round distances, beginning at zero.
    pub(crate) fn ticks(&self) -> Vec<Tick> {
        let days = (self.seconds / MOST_TICKS / 86_400.0).ceil() * 86_400.0;
        let step = STEPS.iter().copied().find(|step| self.seconds / step <= MOST_TICKS).unwrap_or(days);
        let mut ticks = Vec::new();
        let mut second = 0.0;
        while second <= self.seconds * 0.97 && ticks.len() <= MOST_TICKS as usize {
            ticks.push(Tick { left: percent(second / self.seconds), label: tick_label(second) });
            second += step;
        }
        ticks
    }

    fn share(&self, at: Timestamp) -> f64 {
        (at.seconds_since(self.start) / self.seconds).clamp(0.0, 1.0)
    }
}

fn tick_label(second: f64) -> String {
    let whole = second as u64;
    if whole == 0 {
        "0".to_owned()
    } else if whole.is_multiple_of(86_400) {
        format!("{}d", whole / 86_400)
    } else if whole.is_multiple_of(3_600) {
        format!("{}h", whole / 3_600)
    } else if whole.is_multiple_of(60) && whole < 3_600 {
        format!("{}m", whole / 60)
    } else {
        Seconds::from(second).to_string()
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn spans_lie_where_their_times_are() {
        let axis = Axis::around([at(0), at(100)].into_iter()).unwrap();
        let span = axis.span(Some(at(25)), Some(at(75))).unwrap();
        assert_eq!((span.left.as_str(), span.width.as_str()), ("25.00%", "50.00%"));
        assert_eq!(axis.span(Some(at(100)), Some(at(100))).unwrap().width, "0.20%");
        assert_eq!(axis.span(Some(at(75)), Some(at(25))), None);
        assert_eq!(axis.span(None, Some(at(25))), None);
    }

    #[test]
    fn ticks_are_round_and_few_for_a_second_and_for_a_year() {
        for seconds in [0, 1, 59, 3_600, 86_400, 31_536_000] {
            let ticks = Axis::around([at(0), at(seconds)].into_iter()).unwrap().ticks();
            assert!((1..=9).contains(&ticks.len()), "{seconds}: {}", ticks.len());
        }
        let hour = Axis::around([at(0), at(3_600)].into_iter()).unwrap().ticks();
        assert_eq!(hour[1].label, "10m");
        assert_eq!(Axis::around(std::iter::empty()), None);
    }
}
