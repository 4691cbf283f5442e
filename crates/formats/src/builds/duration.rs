//! Durations as people read them: `7.223s`, `1m2.34s`, `2h 1m 0s`, `75.3s (1m 15.3s)`.

/// Seconds; `None` for what is no duration.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.split('(').next().unwrap_or_default().trim();
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let end = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        sum += number * seconds_of(unit)?;
        rest = next.trim_start();
    }
    (!text.is_empty() && sum.is_finite()).then_some(sum)
}

fn seconds_of(unit: &str) -> Option<f64> {
    match unit {
        "d" | "days" => Some(86_400.0),
        "h" | "hrs" => Some(3_600.0),
        "m" | "mins" => Some(60.0),
        "s" | "secs" => Some(1.0),
        "ms" => Some(0.001),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_read() {
        for (text, expected) in [
            ("7.223s", 7.223),
            ("0s", 0.0),
            ("1m2.5s", 62.5),
            ("2h 1m 0s", 7260.0),
            ("1 mins 2.5 secs", 62.5),
            ("75.3s (1m 15.3s)", 75.3),
            ("250ms", 0.25),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "fast", "1", "1x", "-1s", "NaNs", "1.2.3s", "s"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
