//! Numbers as coverage reports write them.

use manometer_model::Problem;

/// Why a text is no count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NumberError {
    #[error("empty, left out")]
    Empty,
    #[error("not a number, left out")]
    NotANumber,
    #[error("negative, left out")]
    Negative,
    #[error("a share, not a count, left out")]
    Percent,
    #[error("too large, left out")]
    TooLarge,
}

/// How often something was executed, of which only matters whether it was. Counters overflow: a number of any
/// length is taken, and a real one (`3.0`) too.
pub(super) fn was_executed(text: &str) -> Result<bool, NumberError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.bytes().any(|byte| byte != b'0'));
    }
    if text.ends_with('%') {
        return Err(NumberError::Percent);
    }
    match text.parse::<f64>() {
        Ok(count) if count.is_finite() && count < 0.0 => Err(NumberError::Negative),
        Ok(count) if count.is_finite() => Ok(count > 0.0),
        _ => Err(NumberError::NotANumber),
    }
}

/// A count of lines and the like.
pub(super) fn count(text: &str) -> Result<u64, NumberError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| NumberError::TooLarge);
    }
    if text.ends_with('%') {
        return Err(NumberError::Percent);
    }
    match text.parse::<f64>() {
        Ok(count) if count.is_finite() && count < 0.0 => Err(NumberError::Negative),
        // Exact below 2⁵³, and nothing real comes near.
        Ok(count) if count.is_finite() && count < 9e15 && count.fract() == 0.0 => Ok(count as u64),
        Ok(count) if count.is_finite() && count < 9e15 => Err(NumberError::Percent),
        Ok(count) if count.is_finite() => Err(NumberError::TooLarge),
        _ => Err(NumberError::NotANumber),
    }
}

/// The number of a line.
pub(super) fn line_number(text: &str) -> Result<u32, NumberError> {
    u32::try_from(count(text)?).map_err(|_| NumberError::TooLarge)
}

/// Says what is wrong with a text that is no such number.
pub(super) fn problem(text: &str, error: NumberError) -> Problem {
    let shown = text.get(..text.floor_char_boundary(64)).unwrap_or_default();
    Problem::new(format!("`{shown}` is {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_any_size_say_whether_something_was_executed() {
        for (text, executed) in [
            ("0", false),
            ("1", true),
            ("000", false),
            (" 7 ", true),
            ("99999999999999999999999", true),
            ("3.0", true),
            ("1e3", true),
            ("0.0", false),
            ("-0", false),
        ] {
            assert_eq!(was_executed(text), Ok(executed), "{text}");
        }
        assert_eq!(was_executed("-3"), Err(NumberError::Negative));
        assert_eq!(was_executed("50%"), Err(NumberError::Percent));
        for text in ["NaN", "inf", "many", "0x1"] {
            assert_eq!(was_executed(text), Err(NumberError::NotANumber), "{text}");
        }
    }

    #[test]
    fn counts_are_whole_and_fit() {
        assert_eq!(count("12"), Ok(12));
        assert_eq!(count("12.0"), Ok(12));
        assert_eq!(count("0.75"), Err(NumberError::Percent));
        assert_eq!(count("99999999999999999999"), Err(NumberError::TooLarge));
        assert_eq!(count("NaN"), Err(NumberError::NotANumber));
        assert_eq!(count("-1"), Err(NumberError::Negative));
        assert_eq!(count(""), Err(NumberError::Empty));
        assert_eq!(line_number("4294967296"), Err(NumberError::TooLarge));
    }
}
