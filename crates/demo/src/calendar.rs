//! When people work: weekdays, hours, holidays, and how the company grows.

use manometer_model::Timestamp;

use crate::planted;

const DAY_SECONDS: i64 = 86_400;

/// How busy each hour (UTC) of a working day is; the busiest is 1.
const HOURS: [f64; 24] = [
    0.05, 0.04, 0.03, 0.03, 0.05, 0.10, 0.28, 0.58, 0.86, 1.00, 1.00, 0.90, 0.66, 0.80, 0.95, 1.00, 0.92,
    0.68, 0.42, 0.27, 0.20, 0.14, 0.10, 0.07,
];

/// How busy each weekday is, Monday first.
const WEEKDAYS: [f64; 7] = [0.92, 1.0, 1.0, 0.98, 0.80, 0.09, 0.07];

/// The weekday, Monday = 0. The first day of the Unix epoch was a Thursday.
pub(crate) fn weekday(at: Timestamp) -> usize {
    (at.day() + 3).rem_euclid(7) as usize
}

/// The hour of the day, UTC.
pub(crate) fn hour(at: Timestamp) -> usize {
    (at.as_micros().div_euclid(3_600_000_000)).rem_euclid(24) as usize
}

/// A moment on the given day since 1970.
pub(crate) fn on_day(day: i32, hour: f64) -> Timestamp {
    Timestamp::from_seconds(i64::from(day) * DAY_SECONDS).plus_seconds(hour * 3_600.0)
}

/// The calendar of one organisation.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    start: Timestamp,
    end: Timestamp,
}

impl Calendar {
    /// The calendar of the time between two moments.
    pub(crate) fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Is nobody expected at work on that day?
    pub(crate) fn is_free(&self, day: i32) -> bool {
        weekday(on_day(day, 0.0)) >= 5 || self.is_holiday(day)
    }

    fn is_holiday(&self, day: i32) -> bool {
        planted::HOLIDAY_DAYS_BEFORE_END.contains(&(self.end.day() - day))
    }

    /// The last working day that is at least that many days before the end, at that hour.
    pub(crate) fn working_moment(&self, days_before_end: i32, at_hour: f64) -> Timestamp {
        let mut day = self.end.day() - days_before_end;
        while self.is_free(day) {
            day -= 1;
        }
        on_day(day, at_hour)
    }

    /// How busy people are, from 0 to 1.
    pub(crate) fn workload(&self, at: Timestamp) -> f64 {
        let day_weight = if self.is_holiday(at.day()) { 0.08 } else { WEEKDAYS[weekday(at)] };
        day_weight * HOURS[hour(at)]
    }

    /// How far through history a moment is, from 0 to 1.
    pub(crate) fn progress(&self, at: Timestamp) -> f64 {
        (at.seconds_since(self.start) / self.end.seconds_since(self.start)).clamp(0.0, 1.0)
    }

    /// How large the company is, 1 at the end: it grows by a third over the history.
    pub(crate) fn growth(&self, at: Timestamp) -> f64 {
        0.75 + 0.25 * self.progress(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_first_of_november_2026_is_a_saturday() {
        let at = Timestamp::parse_rfc3339("2026-11-21T06:30:00Z").unwrap();
        assert_eq!((weekday(at), hour(at)), (5, 6));
    }

    #[test]
    fn working_moments_avoid_weekends_and_holidays() {
        let end = Timestamp::parse_rfc3339("2026-11-21T06:30:00Z").unwrap();
        let calendar = Calendar::new(end.plus_seconds(-90.0 * 86_400.0), end);
        for days_before_end in 0..90 {
            let moment = calendar.working_moment(days_before_end, 10.5);
            assert!(!calendar.is_free(moment.day()) && hour(moment) == 10, "{moment}");
        }
    }
}
