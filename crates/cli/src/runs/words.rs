//! What people write for times, shares and directions.

use manometer_agent::metric::Worse;
use manometer_model::Timestamp;
use manometer_model::when;

use crate::exit::usage;

/// The moment a flag names.
///
/// # Errors
/// When it names none; the message says what would be one.
pub(crate) fn moment(flag: &str, text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    when::moment(text, now).map_err(|error| usage(format!("{flag}: {error}")))
}

/// The day a flag names: where it begins and where it has ended.
///
/// # Errors
/// As [`moment`].
pub(crate) fn day(flag: &str, text: &str, now: Timestamp) -> anyhow::Result<(Timestamp, Timestamp)> {
    let day = when::day_of(moment(flag, text, now)?);
    Ok((day.since, day.until))
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
