//! Spans of time as people write them: `36h`, `90d`, `12w`.

use manometer_model::Timestamp;

const HOUR: f64 = 3_600.0;

/// The seconds of a span.
///
/// # Errors
/// What is wrong with it and how to write one.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let refusal = || format!("`{text}` is no span of time: write hours, days or weeks, as 36h, 90d or 12w");
    let (number, unit) =
        text.trim().split_at_checked(text.trim().len().saturating_sub(1)).ok_or_else(refusal)?;
    let hours = match unit {
        "h" => 1.0,
        "d" => 24.0,
        "w" => 7.0 * 24.0,
        _ => return Err(refusal()),
    };
    let number: u32 = number.parse().map_err(|_| refusal())?;
    Ok(f64::from(number) * hours * HOUR)
}

/// The moment that a span before now, a day or a time names.
///
/// # Errors
/// What is wrong with it and how to write one.
pub(crate) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(seconds) = seconds(text) {
        return Ok(now.plus_seconds(-seconds));
    }
    Timestamp::parse_rfc3339(text)
        .or_else(|_| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .ok()
        .filter(|at| *at < now)
        .ok_or_else(|| {
            format!("`{text}` is no moment of the past: write a span as 90d, a day as 2026-01-31 or a time as 2026-01-31T12:00:00Z")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_moments_are_read_and_nonsense_is_refused_with_an_example() {
        assert_eq!(seconds("36h"), Ok(129_600.0));
        assert_eq!(seconds("90d"), Ok(7_776_000.0));
        assert_eq!(seconds("1w"), Ok(604_800.0));
        for nonsense in ["", "d", "90", "-1d", "1.5d", "90 days", "99999999999d", "é", "1m"] {
            assert!(seconds(nonsense).unwrap_err().contains("90d"), "{nonsense}");
        }
        let now = Timestamp::from_seconds(1_772_600_400);
        assert_eq!(moment("1d", now), Ok(now.plus_seconds(-86_400.0)));
        assert_eq!(moment("2026-03-04", now).unwrap().to_string(), "2026-03-04T00:00:00.000000Z");
        assert_eq!(moment("2026-03-04T04:59:59Z", now), Ok(now.plus_seconds(-1.0)));
        for nonsense in ["", "tomorrow", "2027-01-01", "2026-13-01"] {
            assert!(moment(nonsense, now).is_err(), "{nonsense}");
        }
    }
}
