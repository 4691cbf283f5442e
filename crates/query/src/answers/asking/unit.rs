//! Units of measured values, and how people write them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The unit of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Unit {
    /// Seconds.
    #[default]
    Seconds,
    /// A part of a whole, 0 to 1.
    Share,
    /// Bytes.
    Bytes,
    /// Another one, by its name, which may be empty.
    Other(String),
}

impl From<String> for Unit {
    fn from(word: String) -> Self {
        match word.as_str() {
            "seconds" => Self::Seconds,
            "share" => Self::Share,
            "bytes" => Self::Bytes,
            _ => Self::Other(word),
        }
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Seconds => "seconds".to_owned(),
            Unit::Share => "share".to_owned(),
            Unit::Bytes => "bytes".to_owned(),
            Unit::Other(word) => word,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from(self.clone()))
    }
}

/// What stands for a value that is not known.
const UNKNOWN: &str = "–";

impl Unit {
    /// A value for people: `2m 34s`, `97.3%`, `1.40 GB`; a dash where it is not known.
    pub fn show(&self, value: Option<f64>) -> String {
        let Some(value) = value.filter(|value| value.is_finite()) else { return UNKNOWN.to_owned() };
        match self {
            Self::Seconds => seconds(value),
            Self::Share => share(value),
            Self::Bytes => bytes(value),
            Self::Other(word) if word.is_empty() => number(value),
            Self::Other(word) => format!("{} {word}", number(value)),
        }
    }

    /// A change of a value, with its sign; of a share in points, so that it is not taken for a part of it.
    pub fn show_change(&self, change: Option<f64>) -> String {
        let Some(change) = change.filter(|change| change.is_finite()) else { return UNKNOWN.to_owned() };
        let sign = if change > 0.0 { "+" } else { "" };
        match self {
            Self::Share => format!("{sign}{:.1} points", change * 100.0),
            _ => format!("{sign}{}", self.show(Some(change))),
        }
    }
}

/// A duration: `340 ms`, `3.2 s`, `2m 34s`, `3h 05m`, `2d 4h`.
fn seconds(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 && size >= 0.000_05 { "−" } else { "" };
    let whole = size.round() as u64;
    match size {
        nothing if nothing < 0.000_05 => "0 s".to_owned(),
        tiny if tiny < 0.009_95 => format!("{sign}{:.1} ms", size * 1e3),
        small if small < 0.999_5 => format!("{sign}{:.0} ms", size * 1e3),
        few if few < 9.95 => format!("{sign}{size:.1} s"),
        _ => match whole {
            0..60 => format!("{sign}{whole} s"),
            60..3_600 => format!("{sign}{}m {:02}s", whole / 60, whole % 60),
            3_600..86_400 => format!("{sign}{}h {:02}m", whole / 3_600, whole % 3_600 / 60),
            _ => format!("{sign}{}d {}h", whole / 86_400, whole % 86_400 / 3_600),
        },
    }
}

/// A share in percent. Only what is exactly all shows as 100%, only what is exactly nothing as 0%: one failure in ten
/// thousand must not round away.
fn share(value: f64) -> String {
    if value == 0.0 || value == 1.0 {
        return format!("{:.0}%", value * 100.0);
    }
    if (0.0..1.0).contains(&value) {
        return format!("{:.1}%", (value * 100.0).clamp(0.1, 99.9));
    }
    format!("{:.1}%", value * 100.0)
}

/// A size in decimal units: `41.0 kB`, `1.40 GB`.
fn bytes(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    let mut size = value.abs();
    if size < 999.5 {
        return format!("{sign}{size:.0} B");
    }
    let mut shown_unit = "B";
    for unit in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        if size < 999.5 {
            break;
        }
        size /= 1_000.0;
        shown_unit = unit;
    }
    let decimals = if size < 9.995 { 2 } else { usize::from(size < 99.95) };
    format!("{sign}{size:.decimals$} {shown_unit}")
}

/// A number with three digits that matter, or all before the point.
fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        whole if whole.fract() == 0.0 && whole < 1e15 => 0,
        tiny if tiny < 0.01 => return format!("{value:.2e}"),
        small if small < 1.0 => 3,
        few if few < 10.0 => 2,
        some if some < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A count with its digits in groups of three: `2,034,112`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_people_write_them() {
        let other = |word: &str| Unit::Other(word.to_owned());
        for (unit, value, expected) in [
            (Unit::Seconds, 0.34, "340 ms"),
            (Unit::Seconds, 154.0, "2m 34s"),
            (Unit::Seconds, -2.0, "−2.0 s"),
            (Unit::Seconds, 187_200.0, "2d 4h"),
            (Unit::Share, 0.999_999, "99.9%"),
            (Unit::Share, 1.0, "100%"),
            (Unit::Share, -0.03, "-3.0%"),
            (Unit::Bytes, 1_400_000_000.0, "1.40 GB"),
            (Unit::Bytes, 12.0, "12 B"),
            (other("MB"), 12.345, "12.3 MB"),
            (other(""), 7.0, "7"),
            (Unit::Seconds, f64::NAN, "–"),
        ] {
            assert_eq!(unit.show(Some(value)), expected);
        }
        assert_eq!(Unit::Bytes.show(None), "–");
        assert_eq!(Unit::Share.show_change(Some(0.4)), "+40.0 points");
        assert_eq!(Unit::Seconds.show_change(Some(-2.0)), "−2.0 s");
    }

    #[test]
    fn a_unit_goes_through_json_and_back() {
        for unit in [Unit::Seconds, Unit::Share, Unit::Bytes, Unit::Other("MB".to_owned())] {
            let text = serde_json::to_string(&unit).unwrap();
            assert_eq!(serde_json::from_str::<Unit>(&text).unwrap(), unit, "{text}");
        }
    }
}
