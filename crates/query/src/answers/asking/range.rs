//! Which time a question is about: between two moments, in a period, or during the last so many runs.

use manometer_model::{Timestamp, when};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AnswerError, Asked, ParameterDoc};

/// A time, and whether only the last runs of it count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// From then on.
    pub since: Timestamp,
    /// Before then.
    pub until: Timestamp,
    /// Only the newest so many runs before `until`.
    pub last_runs: Option<u32>,
}

/// The time an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct RangeShown {
    /// From then on, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub since: Timestamp,
    /// Before then.
    #[schema(value_type = String)]
    pub until: Timestamp,
    /// Only the newest so many runs of it.
    pub last_runs: Option<u32>,
}

/// The parameters.
pub(super) const PARAMETERS: [ParameterDoc; 4] = [
    ParameterDoc {
        name: "since",
        value: "WHEN",
        doc: "From then on: 30d, 12h, yesterday, monday, this week, 2026-11-01, 2026-11-01T08:00:00Z (UTC)",
    },
    ParameterDoc { name: "until", value: "WHEN", doc: "Before then, in the same words [default: now]" },
    ParameterDoc {
        name: "range",
        value: "PERIOD",
        doc: "Instead of both: yesterday, this week, last month, last 30 days, 2026-11, 2026-11-01..2026-11-08, last 50 runs",
    },
    ParameterDoc { name: "last", value: "RUNS", doc: "Only the newest so many runs: 50, 50 runs" },
];

const MOST_RUNS: u32 = 10_000;

impl Range {
    /// From what was asked; without any of it, so many days up to `now`.
    ///
    /// # Errors
    /// When a value is no time, or the time ends before it begins.
    pub fn asked(asked: &Asked, now: Timestamp, usual_days: f64) -> Result<Self, AnswerError> {
        let moment = |name: &str| {
            let given = asked.text(name);
            let read = given.map(|text| when::moment(text, now));
            read.transpose().map_err(|error| AnswerError::asked(format!("{name}: {error}")))
        };
        let (since, until) = (moment("since")?, moment("until")?);
        let mut last_runs =
            asked.text("last").map(|text| runs(text).ok_or_else(|| not_runs(text))).transpose()?;
        if let Some(text) = asked.text("range") {
            if since.is_some() || until.is_some() || last_runs.is_some() {
                return Err(AnswerError::asked(
                    "range: stands for since, until and last; give it or them, not both",
                ));
            }
            last_runs = runs(text).filter(|_| text.contains("run"));
            if last_runs.is_none() {
                let period = when::period(text, now)
                    .map_err(|error| AnswerError::asked(format!("range: {error}; or `last 50 runs`")))?;
                return Ok(Self { since: period.since, until: period.until, last_runs });
            }
        }
        let until = until.unwrap_or(now);
        let since = since.unwrap_or_else(|| match last_runs {
            // The runs decide, however long ago they were.
            Some(_) => Timestamp::from_micros(0),
            None => until.plus_seconds(-86_400.0 * usual_days),
        });
        if since >= until {
            return Err(AnswerError::asked(format!("since: {since} is not before until, {until}")));
        }
        Ok(Self { since, until, last_runs })
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.until.seconds_since(self.since)
    }

    /// It, as answers show it.
    pub fn shown(&self) -> RangeShown {
        RangeShown { since: self.since, until: self.until, last_runs: self.last_runs }
    }
}

/// `50`, `50 runs`, `last 50 runs`.
fn runs(text: &str) -> Option<u32> {
    let small = text.trim().to_lowercase();
    let rest = small.strip_prefix("last").unwrap_or(&small).trim_matches([' ', '_', '-']);
    let digits = rest.strip_suffix("runs").or_else(|| rest.strip_suffix("run")).unwrap_or(rest);
    let number = digits.trim_matches([' ', '_', '-']).parse().ok()?;
    (1..=MOST_RUNS).contains(&number).then_some(number)
}

fn not_runs(text: &str) -> AnswerError {
    Asked::refused(
        "last",
        text,
        &format!("a number of runs from 1 to {MOST_RUNS}; a time goes to since: since=30d"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Saturday noon.
    const NOON: Timestamp = Timestamp::from_seconds(1_795_219_200 + 43_200);

    fn range(pairs: &[(&str, &str)]) -> Result<Range, String> {
        let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let asked = Asked::of(owned, &PARAMETERS).map_err(|error| error.to_string())?;
        Range::asked(&asked, NOON, 30.0).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_it_is_the_usual_time_up_to_now() {
        let found = range(&[]).unwrap();
        assert_eq!((found.until, found.seconds() / 86_400.0, found.last_runs), (NOON, 30.0, None));
        let before = range(&[("until", "yesterday")]).unwrap();
        assert_eq!((before.until.day(), before.seconds() / 86_400.0), (NOON.day() - 1, 30.0));
    }

    #[test]
    fn runs_are_counted_in_the_words_people_use() {
        for text in ["50", "50 runs", "last 50 runs", "Last_50-runs"] {
            assert_eq!(range(&[("last", text)]).map(|found| found.last_runs), Ok(Some(50)), "{text}");
        }
        assert_eq!(range(&[("range", "last 50 runs")]).map(|found| found.last_runs), Ok(Some(50)));
        assert_eq!(range(&[("range", "last 50 days")]).map(|found| found.seconds() / 86_400.0), Ok(50.0));
        for text in ["0", "30d", "ten", "10001"] {
            assert!(range(&[("last", text)]).unwrap_err().contains("1 to 10000"), "{text}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(range(&[("range", "yesterday"), ("since", "30d")]).unwrap_err().contains("not both"));
        assert!(range(&[("since", "1h"), ("until", "2h")]).unwrap_err().contains("not before until"));
        assert!(range(&[("range", "sometime")]).unwrap_err().contains("last 50 runs"));
        assert!(range(&[("since", "sometime")]).unwrap_err().starts_with("since: `sometime`"));
    }
}
