//! How long rows are kept, in the words people write: `90 days`, `1 year`, `forever`.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A term, in whole days of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// So many days after the row's own day; at least one.
    Days(u32),
    /// Without end. Longer than any number of days.
    Forever,
}

/// The longest term in days, a thousand years; who wants more means for ever.
const MOST_DAYS: u32 = 365_000;

/// Words for whole days, the longest unit first, each with its days. A month counts 30 days, a year 365.
const UNITS: [(&str, &str, u32); 4] =
    [("year", "years", 365), ("month", "months", 30), ("week", "weeks", 7), ("day", "days", 1)];

/// Why a text is no term.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a time to keep rows for: write `90 days`, `12 weeks`, `6 months`, `1 year` or `forever`"
)]
pub struct ParseKeepError {
    text: String,
}

impl Keep {
    /// The first day, counted from 1970-01-01, on which a row of `day` is not needed any more; `None` for ever.
    pub const fn ends_on(self, day: i32) -> Option<i32> {
        match self {
            Self::Days(days) => Some(day.saturating_add(days.cast_signed()).saturating_add(1)),
            Self::Forever => None,
        }
    }

    /// For how many days a row that is over may wait inside a file of rows that are not, before the file is written
    /// anew for its sake: an eighth of the term, a month at most.
    pub const fn slack_days(self) -> i32 {
        match self {
            Self::Days(days) => {
                let eighth = days / 8;
                (if eighth > 31 { 31 } else { eighth }).cast_signed()
            }
            Self::Forever => 0,
        }
    }
}

impl FromStr for Keep {
    type Err = ParseKeepError;

    /// A whole number and a unit (days, weeks, months of 30 days, years of 365), or `forever`.
    fn from_str(text: &str) -> Result<Self, ParseKeepError> {
        let refused = || ParseKeepError { text: text.chars().take(64).collect() };
        let words = text.trim().to_lowercase();
        if matches!(words.as_str(), "forever" | "for ever") {
            return Ok(Self::Forever);
        }
        let letters = words.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(refused)?;
        let (number, unit) = words.split_at(letters);
        let number: u32 = number.parse().map_err(|_| refused())?;
        let unit = unit.trim();
        let (.., days) =
            UNITS.iter().find(|(one, many, _)| unit == *one || unit == *many).ok_or_else(refused)?;
        match number.checked_mul(*days) {
            Some(days) if (1..=MOST_DAYS).contains(&days) => Ok(Self::Days(days)),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Keep {
    /// In the longest unit that divides it: 365 days are `1 year`, 90 days stay `90 days`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Days(days) = self else { return formatter.write_str("forever") };
        let written = UNITS.iter().filter(|(one, ..)| *one == "year" || *one == "day");
        for (one, many, unit_days) in written {
            if days.is_multiple_of(*unit_days) {
                let count = days / unit_days;
                return write!(formatter, "{count} {}", if count == 1 { one } else { many });
            }
        }
        write!(formatter, "{days} days")
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_people_write_them_and_written_back() {
        for (text, keep, shown) in [
            ("90 days", Keep::Days(90), "90 days"),
            ("1 day", Keep::Days(1), "1 day"),
            (" 2 Weeks ", Keep::Days(14), "14 days"),
            ("6months", Keep::Days(180), "180 days"),
            ("2 years", Keep::Days(730), "2 years"),
            ("730 days", Keep::Days(730), "2 years"),
            ("forever", Keep::Forever, "forever"),
            ("for ever", Keep::Forever, "forever"),
        ] {
            assert_eq!(text.parse::<Keep>().unwrap(), keep, "{text}");
            assert_eq!(keep.to_string(), shown);
            assert_eq!(shown.parse::<Keep>().unwrap(), keep);
        }
    }

    #[test]
    fn what_is_no_term_is_refused_with_examples() {
        for text in
            ["", "0 days", "90", "days", "-1 days", "1.5 days", "12 hours", "4000000000 years", "never"]
        {
            let refused = text.parse::<Keep>().unwrap_err().to_string();
            assert!(refused.contains("90 days") && refused.contains(text), "{refused}");
        }
    }

    #[test]
    fn a_day_is_kept_whole() {
        assert_eq!(Keep::Days(1).ends_on(100), Some(102), "all of the day after is kept too");
        assert_eq!(Keep::Forever.ends_on(100), None);
        assert_eq!(Keep::Days(90).slack_days(), 11);
        assert_eq!(Keep::Days(3_650).slack_days(), 31);
    }
}
