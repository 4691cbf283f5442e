//! What a provider's answer says about its limits: `Retry-After`, `X-RateLimit-*`, `RateLimit-*`.

use std::time::UNIX_EPOCH;

use manometer_model::Timestamp;
use reqwest::header::HeaderMap;

/// Of every limit a provider states, this share is left to others who use the same account.
const LEFT_TO_OTHERS: f64 = 0.1;

/// No answer may put the reconciler off for longer, in seconds: a day.
const LONGEST_WAIT_SECONDS: f64 = 86_400.0;

/// The time `Retry-After` names, in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    let at = match text.parse::<u32>() {
        Ok(seconds) => now.plus_seconds(f64::from(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
            Timestamp::from_seconds(i64::try_from(date.as_secs()).ok()?)
        }
    };
    Some(bounded(at, now))
}

/// The time from which the provider's own limit gives room again, where it is used up but for the share of others.
pub(super) fn used_up_until(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let number = |names: [&str; 2]| -> Option<f64> {
        names.iter().find_map(|name| headers.get(*name)?.to_str().ok()?.trim().parse().ok())
    };
    let remaining = number(["x-ratelimit-remaining", "ratelimit-remaining"])?;
    let limit = number(["x-ratelimit-limit", "ratelimit-limit"]).unwrap_or(0.0);
    if remaining > limit * LEFT_TO_OTHERS {
        return None;
    }
    let reset = number(["x-ratelimit-reset", "ratelimit-reset"])?;
    let at = Timestamp::from_seconds(reset as i64);
    (at > now).then(|| bounded(at, now))
}

fn bounded(at: Timestamp, now: Timestamp) -> Timestamp {
    at.clamp(now, now.plus_seconds(LONGEST_WAIT_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_772_600_400);

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let read = |value| retry_after(&headers(&[("retry-after", value)]), NOW);
        assert_eq!(read("60"), Some(NOW.plus_seconds(60.0)));
        assert_eq!(read("Wed, 04 Mar 2026 05:01:00 GMT"), Some(NOW.plus_seconds(60.0)));
        assert_eq!(read("Wed, 04 Mar 2020 05:01:00 GMT"), Some(NOW));
        assert_eq!(read("4000000000"), Some(NOW.plus_seconds(LONGEST_WAIT_SECONDS)));
        for garbage in ["soon", "", "-5", "1e9"] {
            assert_eq!(read(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_tenth_of_the_limit_is_left_to_others() {
        let reset = (1_772_600_400 + 300).to_string();
        let read = |remaining: &str| {
            used_up_until(
                &headers(&[
                    ("x-ratelimit-limit", "5000"),
                    ("x-ratelimit-remaining", remaining),
                    ("x-ratelimit-reset", &reset),
                ]),
                NOW,
            )
        };
        assert_eq!(read("4000"), None);
        assert_eq!(read("500"), Some(NOW.plus_seconds(300.0)));
        assert_eq!(read("0"), Some(NOW.plus_seconds(300.0)));
        assert_eq!(
            used_up_until(&headers(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "1")]), NOW),
            None
        );
        assert_eq!(used_up_until(&headers(&[("x-ratelimit-remaining", "many")]), NOW), None);
    }
}
