//! What people write for times, shares and directions.

use manometer_agent::metric::Worse;
use manometer_model::Timestamp;

use crate::exit::usage;

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write 30d, 12h, today, yesterday, 2026-11-01 or 2026-11-01T08:00:00Z")]
pub(crate) struct NotATime(String);

impl NotATime {
    /// As a wrong call, naming the flag.
    pub(crate) fn of_flag(&self, flag: &str) -> anyhow::Error {
        usage(format!("{flag}: {self}"))
    }
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const LONGEST_DAYS: f64 = 100_000.0;

/// A moment: a time back from now (`45m`, `12h`, `30d`, `2w`, `1y`), a word, a date (its beginning, UTC) or RFC 3339.
///
/// # Errors
/// When it is none of these.
pub(crate) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, NotATime> {
    let trimmed = text.trim();
    match trimmed {
        "now" => return Ok(now),
        "today" => return Ok(begin_of_day(now)),
        "yesterday" => return Ok(begin_of_day(now).plus_seconds(-DAY)),
        _ => {}
    }
    if let Some(seconds) = span_seconds(trimmed) {
        return Ok(now.plus_seconds(-seconds));
    }
    Timestamp::parse_lenient(trimmed).map_err(|_| NotATime(trimmed.chars().take(64).collect()))
}

/// The day that begins here and the moment it ends, of a date or one of the words above.
///
/// # Errors
/// When it is no date.
pub(crate) fn day(text: &str, now: Timestamp) -> Result<(Timestamp, Timestamp), NotATime> {
    let begin = begin_of_day(moment(text, now)?);
    Ok((begin, begin.plus_seconds(DAY)))
}

fn begin_of_day(time: Timestamp) -> Timestamp {
    Timestamp::from_seconds(i64::from(time.day()) * 86_400)
}

fn span_seconds(text: &str) -> Option<f64> {
    let unit = text.chars().next_back()?;
    let unit_seconds = match unit {
        's' => 1.0,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7.0 * DAY,
        'y' => 365.0 * DAY,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| is_number)? * unit_seconds;
    (seconds <= LONGEST_DAYS * DAY).then_some(seconds)
}

/// A share: `20%` or `0.2`.
///
/// # Errors
/// When it is no number from 0 up.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let trimmed = text.trim();
    let number = match trimmed.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => trimmed.parse::<f64>(),
    };
    match number {
        Ok(share) if share.is_finite() && share >= 0.0 => {
            // `20` was meant as 20 %, not as the twentyfold.
            if trimmed.ends_with('%') || share < 5.0 {
                Ok(share)
            } else {
                Err(format!("write `{trimmed}%` or a share such as 0.2"))
            }
        }
        _ => Err("expected 20% or 0.2".to_owned()),
    }
}

/// `NAME=higher|lower|either|never`.
///
/// # Errors
/// When it is not.
pub(crate) fn direction(text: &str) -> Result<(String, Worse), String> {
    let (name, way) = text.split_once('=').ok_or("expected NAME=higher, lower, either or never")?;
    way.parse().map(|way| (name.to_owned(), way)).map_err(|error| format!("{error}"))
}

/// Does a name fit a pattern in which `*` stands for anything?
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match rest.split_once(middle) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_795_219_200 + 43_200);

    #[test]
    fn times_are_read_in_the_words_people_use() {
        let shown = |text| moment(text, NOON).map(|time| time.to_string());
        for (text, time) in [
            ("now", "2026-11-21T12:00:00.000000Z"),
            ("30d", "2026-10-22T12:00:00.000000Z"),
            ("1.5h", "2026-11-21T10:30:00.000000Z"),
            ("2w", "2026-11-07T12:00:00.000000Z"),
            ("yesterday", "2026-11-20T00:00:00.000000Z"),
            ("2026-11-01", "2026-11-01T00:00:00.000000Z"),
            ("2026-11-01T08:00:00+02:00", "2026-11-01T06:00:00.000000Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(time), "{text}");
        }
        for text in ["", "d", "-3d", "soon", "3 d", "1e9d", "99999999999y", "ü"] {
            assert!(moment(text, NOON).is_err(), "{text}");
        }
        let (begin, end) = day("2025-05-30", NOON).unwrap();
        assert_eq!(end.seconds_since(begin), DAY);
    }

    #[test]
    fn shares_are_percent_or_fractions_and_what_could_be_either_is_asked_back() {
        assert_eq!(share("20%"), Ok(0.2));
        assert_eq!(share("0.2"), Ok(0.2));
        assert_eq!(share("700 %"), Ok(7.0));
        for text in ["20", "much", "-1%", "NaN", ""] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, is_fitting) in [
            ("artifact.*", "artifact.wheel_mb", true),
            ("*_seconds", "container.build_seconds", true),
            ("*.build_*", "container.build_seconds", true),
            ("a*a", "a", false),
            ("ram", "ram.peak_mb", false),
            ("ram.peak_mb", "ram.peak_mb", true),
            ("*", "", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(fits(pattern, name), is_fitting, "{pattern} {name}");
        }
    }
}
