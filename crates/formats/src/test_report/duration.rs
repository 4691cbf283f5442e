//! Durations as report writers write them.

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("empty")]
    Empty,
    #[error("not a number of seconds")]
    NotANumber,
    #[error("not a finite number")]
    NotFinite,
    #[error("negative")]
    Negative,
}

/// Reads the durations of one file, learning from them which mark is the decimal one.
///
/// A comma alone may be decimal (`0,005`, written under a German or French locale) or separate thousands
/// (`1,234`, which Surefire writes for 1234 s exactly). Where the digits leave it open (one to three digits
/// not beginning with zero, the mark, exactly three digits), the values read earlier from the file decide;
/// where there are none, the mark is decimal, because tests of a thousand seconds are rarer than tests
/// timed to the millisecond.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Durations {
    decimal: Option<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Point,
    Comma,
}

impl Durations {
    /// Seconds, finite and not negative.
    pub(crate) fn read(&mut self, text: &str) -> Result<f64, DurationError> {
        if self.decimal == Some(Mark::Point)
            && let Some(seconds) = read_plain(text)
        {
            return Ok(seconds);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(DurationError::Empty);
        }
        let has_comma = text.bytes().any(|byte| byte == b',');
        if has_comma || self.decimal != Some(Mark::Point) {
            return self.read_either(text);
        }
        check(text.parse())
    }

    fn read_either(&mut self, text: &str) -> Result<f64, DurationError> {
        let points = text.matches('.').count();
        let commas = text.matches(',').count();
        let (decimal, is_certain) = match (points, commas) {
            (0, 0) => return check(text.parse()),
            (1, 0) => self.lone_mark(text, Mark::Point),
            (0, 1) => self.lone_mark(text, Mark::Comma),
            (_, 0) => (Mark::Comma, true),
            (0, _) => (Mark::Point, true),
            (1, _) if text.rfind('.') > text.rfind(',') => (Mark::Point, true),
            (_, 1) if text.rfind(',') > text.rfind('.') => (Mark::Comma, true),
            _ => return Err(DurationError::NotANumber),
        };
        let seconds = parse_with(text, decimal)?;
        if is_certain && self.decimal.is_none() {
            self.decimal = Some(decimal);
        }
        Ok(seconds)
    }

    /// What the only mark of a number makes the decimal mark, and whether that is beyond doubt.
    fn lone_mark(&self, text: &str, mark: Mark) -> (Mark, bool) {
        let (before, after) = text.split_once(mark.character()).unwrap_or((text, ""));
        let could_be_thousands =
            matches!(before.len(), 1..=3) && !before.starts_with('0') && after.len() == 3;
        match self.decimal {
            Some(learned) if could_be_thousands => (learned, false),
            _ => (mark, !could_be_thousands),
        }
    }
}

impl Mark {
    const fn character(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

/// Reads digits with at most one point among them, few enough to be exact: what nearly every value is.
fn read_plain(text: &str) -> Option<f64> {
    const MOST_DIGITS: usize = 15;
    const POWERS: [f64; MOST_DIGITS + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    if text.is_empty() || text.len() > MOST_DIGITS {
        return None;
    }
    let mut digits = 0_u64;
    let mut decimals = None;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if decimals.is_none() => decimals = Some(text.len() - position - 1),
            _ => return None,
        }
    }
    // Both are exact in a 64-bit float, so their quotient is the nearest number to what is written.
    POWERS.get(decimals.unwrap_or(0)).filter(|_| text != ".").map(|power| digits as f64 / power)
}

/// Reads a number whose decimal mark is known; the other mark may separate thousands, in threes.
fn parse_with(text: &str, decimal: Mark) -> Result<f64, DurationError> {
    let thousands = match decimal {
        Mark::Point => ',',
        Mark::Comma => '.',
    };
    let (whole, fraction) = text.split_once(decimal.character()).unwrap_or((text, ""));
    let mut groups = whole.split(thousands);
    let first = groups.next().unwrap_or_default();
    let mut plain = String::with_capacity(text.len() + 1);
    plain.push_str(first);
    for group in groups {
        if group.len() != 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) || first.is_empty() {
            return Err(DurationError::NotANumber);
        }
        plain.push_str(group);
    }
    plain.push('.');
    plain.push_str(fraction);
    check(plain.parse())
}

fn check(parsed: Result<f64, std::num::ParseFloatError>) -> Result<f64, DurationError> {
    match parsed {
        Err(_) => Err(DurationError::NotANumber),
        Ok(seconds) if !seconds.is_finite() => Err(DurationError::NotFinite),
        Ok(seconds) if seconds < 0.0 => Err(DurationError::Negative),
        // `-0` becomes 0.
        Ok(seconds) => Ok(seconds + 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(text: &str) -> Result<f64, DurationError> {
        Durations::default().read(text)
    }

    #[test]
    fn every_locale_is_read() {
        for (text, seconds) in [
            ("0", 0.0),
            ("-0", 0.0),
            (" 1.5 ", 1.5),
            ("1.5e-05", 1.5e-5),
            ("0,005", 0.005),
            (",5", 0.5),
            (".5", 0.5),
            ("12,5", 12.5),
            ("1234,567", 1234.567),
            ("1,234.56", 1234.56),
            ("1.234,56", 1234.56),
            ("1,234,567", 1_234_567.0),
            ("1.234.567", 1_234_567.0),
            ("1,234,567.891", 1_234_567.891),
            ("1.234.567,891", 1_234_567.891),
        ] {
            assert_eq!(alone(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        assert_eq!(alone(""), Err(DurationError::Empty));
        assert_eq!(alone("  "), Err(DurationError::Empty));
        assert_eq!(alone("-1"), Err(DurationError::Negative));
        assert_eq!(alone("-0,5"), Err(DurationError::Negative));
        for text in ["NaN", "inf", "-Infinity", "1e999"] {
            assert_eq!(alone(text), Err(DurationError::NotFinite), "{text}");
        }
        for text in ["soon", "1.5s", "1,23.4", "1,2,3", "1.2.3,4,5", ",123.4", "1,234x.5", "0x10"] {
            assert_eq!(alone(text), Err(DurationError::NotANumber), "{text}");
        }
    }

    #[test]
    fn an_ambiguous_comma_is_decimal_unless_the_file_says_otherwise() {
        assert_eq!(alone("1,234"), Ok(1.234));
        let mut surefire = Durations::default();
        assert_eq!(surefire.read("0.005"), Ok(0.005));
        assert_eq!(surefire.read("1,234"), Ok(1234.0));
        let mut german = Durations::default();
        assert_eq!(german.read("0,005"), Ok(0.005));
        assert_eq!(german.read("1,234"), Ok(1.234));
        assert_eq!(german.read("1.234"), Ok(1234.0));
        let mut header_first = Durations::default();
        assert_eq!(header_first.read("1,234.5"), Ok(1234.5));
        assert_eq!(header_first.read("2,000"), Ok(2000.0));
    }

    #[test]
    fn the_quick_way_gives_the_same_number() {
        let mut taught = Durations { decimal: Some(Mark::Point) };
        for text in
            ["0", "0.001", "1.005", "123456.789012", ".5", "5.", "0.1", "99999999999.999", "3.0000000000001"]
        {
            assert_eq!(taught.read(text).ok(), text.parse().ok(), "{text}");
        }
        assert_eq!(taught.read("."), Err(DurationError::NotANumber));
        assert_eq!(taught.read(""), Err(DurationError::Empty));
        assert_eq!(taught.read("1.2.3"), Err(DurationError::NotANumber));
    }

    #[test]
    fn an_ambiguous_value_teaches_nothing() {
        let mut durations = Durations::default();
        assert_eq!(durations.read("1.234"), Ok(1.234));
        assert_eq!(durations.read("1,234"), Ok(1.234));
    }
}
