//! Points in time as CI systems write them.

use manometer_model::Timestamp;

/// Above this, a number counts milliseconds: as seconds it would be after the year 5000.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// Reads RFC 3339 and what `Timestamp::parse_lenient` knows, TeamCity's `20260304T050042+0000`, Go's
/// `2026-03-04 05:00:42.3617 +0000 UTC`, and seconds or milliseconds since the epoch as text.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let trimmed = text.trim();
    if let Ok(time) = Timestamp::parse_lenient(trimmed) {
        return Some(time);
    }
    if let Some(go) = trimmed.strip_suffix(" UTC") {
        return Timestamp::parse_lenient(go).ok();
    }
    if let Some(spelled) = spelled_out(trimmed) {
        return Timestamp::parse_lenient(&spelled).ok();
    }
    trimmed.parse().ok().and_then(from_epoch)
}

/// Seconds or milliseconds since the epoch, told apart by size; nothing for zero and for what is no time.
pub(crate) fn from_epoch(number: i64) -> Option<Timestamp> {
    let micros = if number.unsigned_abs() >= MILLISECONDS_FROM {
        number.checked_mul(1_000)
    } else {
        number.checked_mul(1_000_000)
    }?;
    (micros > 0).then(|| Timestamp::from_micros(micros))
}

/// `20260304T050042+0000` with its separators put in.
fn spelled_out(compact: &str) -> Option<String> {
    let (date, rest) = compact.split_once('T')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || rest.len() < 6 || !digits(date) || !digits(rest.get(..6)?) {
        return None;
    }
    let zone = rest.get(6..).filter(|zone| !zone.is_empty()).unwrap_or("Z");
    let part = |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    Some(format!(
        "{}-{}-{}T{}:{}:{}{zone}",
        part(date, 0, 4),
        part(date, 4, 6),
        part(date, 6, 8),
        part(rest, 0, 2),
        part(rest, 2, 4),
        part(rest, 4, 6),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_one_moment_is_read() {
        let expected = Some(Timestamp::from_seconds(1_772_600_442));
        for text in [
            "2026-03-04T05:00:42Z",
            "20260304T050042+0000",
            "20260304T060042+0100",
            "2026-03-04 05:00:42 UTC",
            "2026-03-04 05:00:42.000000000 +0000 UTC",
            "2026-03-04T16:00:42+1100",
            "1772600442",
            "1772600442000",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(from_epoch(1_772_600_442), expected);
        assert_eq!(from_epoch(1_772_600_442_000), expected);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "soon", "20260304T", "2026", "20269999T999999+0000", "ÄÄÄÄÄÄÄÄTÄÄÄÄÄÄ", "-5", "0"]
        {
            assert!(!matches!(parse(text), Some(time) if time.as_micros() <= 0), "{text}");
        }
        assert_eq!(parse("soon"), None);
        assert_eq!(parse("20269999T999999+0000"), None);
        assert_eq!(from_epoch(0), None);
        assert_eq!(from_epoch(i64::MAX), None);
        assert_eq!(from_epoch(i64::MIN), None);
    }
}
