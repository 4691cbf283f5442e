//! When, in the words people use: moments (`30d`, `yesterday`, `2026-11-01`) and periods (`last week`, `this month`).
//!
//! The one reader of such words: of flags, of addresses, of forms. Everything is UTC, weeks begin on Monday, and a
//! period holds its beginning but not its end.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate};

use crate::Timestamp;

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time: write 30d, 12h, today, yesterday, monday, this week, 2026-11-01 or 2026-11-01T08:00:00Z (UTC)"
)]
pub struct NotAMoment(String);

/// Why a text is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no period: write today, yesterday, this week, last week, this month, last month, last 30 days, 12h, \
     2026-11-01, 2026-11 or 2026-11-01..2026-11-08 (UTC)"
)]
pub struct NotAPeriod(String);

/// Some time: its beginning belongs to it, its end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Where it begins.
    pub since: Timestamp,
    /// Where it has ended.
    pub until: Timestamp,
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const LONGEST_DAYS: f64 = 100_000.0;
const SHOWN_LETTERS: usize = 64;

/// A moment: a time back from now (`45m`, `12h`, `30d`, `2w`, `1y`, `30 days ago`), a word that stands for the
/// beginning of a day, week or month (`today`, `yesterday`, `monday`: the last one, `this week`, `last month`), a date
/// (its beginning) or RFC 3339.
///
/// # Errors
/// When it is none of these.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, NotAMoment> {
    let wanted = plain(text);
    if wanted == "now" {
        return Ok(now);
    }
    if let Some(seconds) = span_seconds(wanted.strip_suffix(" ago").unwrap_or(&wanted)) {
        return Ok(now.plus_seconds(-seconds));
    }
    if let Some(named) = named(&wanted, now) {
        return Ok(named.since);
    }
    if let Some(back) = WEEKDAYS.iter().position(|names| names.contains(&wanted.as_str())) {
        let since_that_day = (i64::from(now.day()) + 3 - back as i64).rem_euclid(7);
        return Ok(midnight(i64::from(now.day()) - since_that_day));
    }
    Timestamp::parse_lenient(text).map_err(|_| NotAMoment(clipped(text)))
}

/// A period: a word (`yesterday`, `this week`), a time up to now (`12h`, `last 30 days`), a date, a month, or two
/// moments with `..` between them.
///
/// # Errors
/// When it is none of these, or ends before it begins.
pub fn period(text: &str, now: Timestamp) -> Result<Period, NotAPeriod> {
    let wanted = plain(text);
    let refused = || NotAPeriod(clipped(text));
    let found = if let Some((from, to)) = wanted.split_once("..") {
        let end = |text: &str, usual: Timestamp| match text.trim() {
            "" => Ok(usual),
            given => {
                moment(&given.to_uppercase(), now).or_else(|_| moment(given, now)).map_err(|_| refused())
            }
        };
        let since = end(from, Timestamp::from_micros(0))?;
        Some(Period { since, until: end(to, now)? })
    } else if let Some(seconds) = span_seconds(wanted.strip_prefix("last ").unwrap_or(&wanted)) {
        Some(Period { since: now.plus_seconds(-seconds), until: now })
    } else {
        named(&wanted, now).or_else(|| date(&wanted)).or_else(|| month(&wanted))
    };
    found.filter(|period| period.since < period.until).ok_or_else(refused)
}

/// The day of a moment.
pub fn day_of(moment: Timestamp) -> Period {
    days(i64::from(moment.day()), 1)
}

/// Names of the days of the week, Monday first.
const WEEKDAYS: [[&str; 2]; 7] = [
    ["monday", "mon"],
    ["tuesday", "tue"],
    ["wednesday", "wed"],
    ["thursday", "thu"],
    ["friday", "fri"],
    ["saturday", "sat"],
    ["sunday", "sun"],
];

/// In small letters, with one space between words, and without those around it. `last_week` and `last-week` are
/// `last week`, as addresses and shells like them.
fn plain(text: &str) -> String {
    let small = text.to_lowercase();
    let has_words = small.starts_with("last") || small.starts_with("this");
    let spaced = if has_words { small.replace(['_', '-'], " ") } else { small };
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn clipped(text: &str) -> String {
    text.trim().chars().take(SHOWN_LETTERS).collect()
}

fn midnight(day: i64) -> Timestamp {
    Timestamp::from_seconds(day.saturating_mul(86_400))
}

fn days(first: i64, count: i64) -> Period {
    Period { since: midnight(first), until: midnight(first + count) }
}

/// A day, week or month by its word; one that goes on ends now.
fn named(wanted: &str, now: Timestamp) -> Option<Period> {
    let today = i64::from(now.day());
    let monday = today - (today + 3).rem_euclid(7);
    let since = |since: Timestamp| Period { since, until: now };
    Some(match wanted {
        "today" => since(midnight(today)),
        "yesterday" => days(today - 1, 1),
        "this week" => since(midnight(monday)),
        "last week" => days(monday - 7, 7),
        "this month" => since(month_around(now)?.since),
        "last month" => month_around(month_around(now)?.since.plus_seconds(-1.0))?,
        _ => return None,
    })
}

fn month_around(moment: Timestamp) -> Option<Period> {
    month_of(DateTime::from_timestamp_micros(moment.as_micros())?.date_naive())
}

fn month_of(date: NaiveDate) -> Option<Period> {
    let first = date.with_day(1)?;
    Some(Period { since: beginning(first)?, until: beginning(first.checked_add_months(Months::new(1))?)? })
}

fn beginning(date: NaiveDate) -> Option<Timestamp> {
    Some(Timestamp::from_micros(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros()))
}

fn date(wanted: &str) -> Option<Period> {
    let first = NaiveDate::parse_from_str(wanted, "%Y-%m-%d").ok()?;
    Some(Period { since: beginning(first)?, until: beginning(first.checked_add_days(Days::new(1))?)? })
}

fn month(wanted: &str) -> Option<Period> {
    month_of(NaiveDate::parse_from_str(&format!("{wanted}-01"), "%Y-%m-%d").ok()?)
}

/// `30d`, `1.5h`, `30 days`, `12 hours`.
fn span_seconds(text: &str) -> Option<f64> {
    let letters = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (digits, unit) = text.split_at_checked(letters)?;
    let unit_seconds = match unit {
        "s" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => MINUTE,
        "h" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7.0 * DAY,
        "y" | "year" | "years" => 365.0 * DAY,
        _ => return None,
    };
    // `30d` and `30 days`, but not `3 d`, which is as likely a slip.
    let number = if unit.len() > 1 { digits.trim_end() } else { digits };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| is_number)? * unit_seconds;
    (seconds <= LONGEST_DAYS * DAY).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Saturday noon.
    const NOON: Timestamp = Timestamp::from_seconds(1_795_219_200 + 43_200);

    fn shown(found: Result<Period, NotAPeriod>) -> String {
        match found {
            Ok(Period { since, until }) => format!("{} {}", clip(since), clip(until)),
            Err(error) => error.to_string(),
        }
    }

    fn clip(moment: Timestamp) -> String {
        moment.to_string().replace(":00.000000Z", "")
    }

    #[test]
    fn moments_are_read_in_the_words_people_use() {
        for (text, expected) in [
            ("now", "2026-11-21T12:00"),
            ("30d", "2026-10-22T12:00"),
            ("30 days ago", "2026-10-22T12:00"),
            ("1.5h", "2026-11-21T10:30"),
            ("2w", "2026-11-07T12:00"),
            ("Yesterday", "2026-11-20T00:00"),
            ("monday", "2026-11-16T00:00"),
            ("sat", "2026-11-21T00:00"),
            ("sunday", "2026-11-15T00:00"),
            ("this week", "2026-11-16T00:00"),
            ("last_month", "2026-10-01T00:00"),
            ("2026-11-01", "2026-11-01T00:00"),
            ("2026-11-01T08:00:00+02:00", "2026-11-01T06:00"),
        ] {
            assert_eq!(moment(text, NOON).map(clip).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "d", "-3d", "soon", "3 d", "1e9d", "99999999999y", "ü", "last", "2026-13-01"] {
            assert!(moment(text, NOON).is_err(), "{text}");
        }
    }

    #[test]
    fn periods_hold_their_beginning_and_not_their_end() {
        for (text, expected) in [
            ("today", "2026-11-21T00:00 2026-11-21T12:00"),
            ("yesterday", "2026-11-20T00:00 2026-11-21T00:00"),
            ("this week", "2026-11-16T00:00 2026-11-21T12:00"),
            (" Last  Week ", "2026-11-09T00:00 2026-11-16T00:00"),
            ("last-month", "2026-10-01T00:00 2026-11-01T00:00"),
            ("this month", "2026-11-01T00:00 2026-11-21T12:00"),
            ("last 30 days", "2026-10-22T12:00 2026-11-21T12:00"),
            ("12h", "2026-11-21T00:00 2026-11-21T12:00"),
            ("2026-02-28", "2026-02-28T00:00 2026-03-01T00:00"),
            ("2026-02", "2026-02-01T00:00 2026-03-01T00:00"),
            ("2026-11-01..2026-11-08", "2026-11-01T00:00 2026-11-08T00:00"),
            ("2026-11-01T08:00:00Z..", "2026-11-01T08:00 2026-11-21T12:00"),
            ("30d..yesterday", "2026-10-22T12:00 2026-11-20T00:00"),
        ] {
            assert_eq!(shown(period(text, NOON)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_period_is_answered_with_what_is_one() {
        for text in ["", "soon", "2026-11-08..2026-11-01", "a..b", "0d", "last", "2026-02-30", "last 50 runs"]
        {
            let message = period(text, NOON).unwrap_err().to_string();
            assert!(message.contains("last 30 days") && message.contains("UTC"), "{text}: {message}");
        }
    }

    #[test]
    fn a_month_before_january_is_december() {
        let new_year = Timestamp::parse_rfc3339("2027-01-03T05:00:00Z").unwrap();
        assert_eq!(shown(period("last month", new_year)), "2026-12-01T00:00 2027-01-01T00:00");
        assert_eq!(moment("last week", new_year).map(clip).as_deref(), Ok("2026-12-21T00:00"));
    }
}
