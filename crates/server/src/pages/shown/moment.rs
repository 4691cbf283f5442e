//! Points in time: relative for the eye, absolute in the tooltip, RFC 3339 for programs.

use std::fmt;

use manometer_model::Timestamp;

use super::UNKNOWN;

/// A point in time seen from the moment the page was made; or one that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When.
    pub(crate) at: Option<Timestamp>,
    /// When the page was made.
    pub(crate) now: Timestamp,
}

impl Moment {
    /// `at` seen from `now`.
    pub(crate) fn new(at: impl Into<Option<Timestamp>>, now: Timestamp) -> Self {
        Self { at: at.into(), now }
    }

    /// `2026-11-21 06:13:38 UTC`.
    pub(crate) fn absolute(&self) -> String {
        let iso = self.iso();
        let (Some(date), Some(time)) = (iso.get(..10), iso.get(11..19)) else {
            return iso;
        };
        format!("{date} {time} UTC")
    }

    /// RFC 3339 in UTC, empty when not known.
    pub(crate) fn iso(&self) -> String {
        self.at.map(|at| at.to_string()).unwrap_or_default()
    }

    /// Microseconds for sorting in the browser; what is not known sorts below everything.
    pub(crate) fn sort_key(&self) -> i64 {
        self.at.map_or(i64::MIN, Timestamp::as_micros)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.at else {
            return formatter.write_str(UNKNOWN);
        };
        let past_seconds = self.now.seconds_since(at);
        let size = past_seconds.abs() as u64;
        let amount = match size {
            0..45 => return formatter.write_str("just now"),
            45..3_570 => format!("{} min", (size + 30) / 60),
            3_570..84_600 => format!("{} h", (size + 1_800) / 3_600),
            84_600..129_600 => "1 day".to_owned(),
            129_600..5_184_000 => format!("{} days", (size + 43_200) / 86_400),
            _ => return formatter.write_str(self.absolute().get(..10).unwrap_or_default()),
        };
        if past_seconds < 0.0 { write!(formatter, "in {amount}") } else { write!(formatter, "{amount} ago") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_as_people_tell_it() {
        let now = Timestamp::from_seconds(1_700_000_000);
        for (ago_seconds, expected) in [
            (3.0, "just now"),
            (90.0, "2 min ago"),
            (3_600.0, "1 h ago"),
            (86_400.0, "1 day ago"),
            (10.0 * 86_400.0, "10 days ago"),
            (100.0 * 86_400.0, "2023-08-06"),
            (-7_200.0, "in 2 h"),
        ] {
            assert_eq!(Moment::new(now.plus_seconds(-ago_seconds), now).to_string(), expected);
        }
    }

    #[test]
    fn a_time_out_of_range_is_shown_and_does_not_panic() {
        let odd = Moment::new(Timestamp::from_micros(i64::MIN), Timestamp::from_seconds(0));
        assert!(!odd.to_string().is_empty() || !odd.absolute().is_empty());
        assert_eq!(Moment::new(None, Timestamp::from_seconds(0)).to_string(), "–");
    }

    #[test]
    fn the_absolute_form_names_its_zone() {
        let moment = Moment::new(Timestamp::from_seconds(1_700_000_000), Timestamp::from_seconds(0));
        assert_eq!(moment.absolute(), "2023-11-14 22:13:20 UTC");
    }
}
