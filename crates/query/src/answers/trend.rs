//! A measure over time: any duration, rate or size, by hour, day or week, for everything or group by group.
//!
//! Of each bucket: how many values, their mean, p50, p95 and p99 (from sketches, at most 0.4 % from what
//! `percentile_cont` of SQL answers); of a rate its share, as the mean. A bucket without values has none: a gap is
//! never a zero.

use std::collections::BTreeMap;

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answers;
use super::asking::{
    AnswerError, Asked, Conditions, Dimension, Flat, FlatCell, Key, Measure, ParameterDoc, Question,
    RangeShown, Scope, Unit,
};
use super::cells::Row;
use crate::QueryError;

/// Which measure, of what, in buckets of which length.
#[derive(Debug, Clone)]
pub struct TrendRequest {
    measure: &'static Measure,
    scope: Scope,
    bucket: Option<Bucket>,
    group: Option<Dimension>,
    groups: u32,
}

/// Length of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day, from midnight UTC.
    #[default]
    Day,
    /// A week, from Monday.
    Week,
}

/// A measure over time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct TrendAnswer {
    /// The measure's word.
    pub measure: String,
    /// What it is.
    pub meaning: String,
    /// Unit of every value: `seconds`, `share` (0 to 1), `bytes`, or that of the free metric.
    #[schema(value_type = String)]
    pub unit: Unit,
    /// Is it a rate, whose share stands in `mean` and which has no quantiles?
    pub is_share: bool,
    /// The time looked at.
    pub range: RangeShown,
    /// Length of each bucket.
    pub bucket: Bucket,
    /// By what values are grouped.
    pub group: Option<String>,
    /// One for everything, or one for each group, the one with most values first.
    pub series: Vec<Series>,
    /// Groups that are not among them.
    pub groups_left_out: u64,
}

/// One line of a trend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// What it is called: `payments`; `all` where nothing is grouped.
    pub label: String,
    /// What tells the group apart, by column.
    pub key: BTreeMap<String, Option<String>>,
    /// Over the whole time.
    pub total: Figures,
    /// Every bucket of the time, oldest first.
    pub points: Vec<TrendPoint>,
}

/// One bucket.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct TrendPoint {
    /// Where it begins.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// What is in it.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Values, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// How many.
    pub count: u64,
    /// Their mean; of a rate the share.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

impl Figures {
    pub(super) fn of(row: Row<'_>, measure: &Measure) -> Result<Self, QueryError> {
        let quantile = |name: &str| if measure.is_share { Ok(None) } else { row.optional_float(name) };
        Ok(Self {
            count: row.count("count")?,
            mean: row.optional_float("mean")?,
            p50: quantile("p50")?,
            p95: quantile("p95")?,
            p99: quantile("p99")?,
        })
    }
}

const USUAL_DAYS: f64 = 30.0;
const USUAL_GROUPS: u32 = 8;
const MOST_GROUPS: u32 = 50;
/// Most buckets of one line; past it a longer bucket is asked for.
const MOST_BUCKETS: i64 = 5_000;
const HOUR_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

impl Bucket {
    /// The word of SQL's `date_trunc`.
    const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    const fn micros(self) -> i64 {
        match self {
            Self::Hour => HOUR_MICROS,
            Self::Day => DAY_MICROS,
            Self::Week => 7 * DAY_MICROS,
        }
    }

    /// The bucket a moment lies in. 1970-01-01 was a Thursday: its week began three days before.
    fn beginning(self, at: Timestamp) -> Timestamp {
        let shift = if self == Self::Week { 3 * DAY_MICROS } else { 0 };
        let micros = at.as_micros().saturating_add(shift);
        Timestamp::from_micros(micros.div_euclid(self.micros()) * self.micros() - shift)
    }

    /// Hours up to three days, days up to four months, else weeks.
    fn fitting(seconds: f64) -> Self {
        match seconds / 86_400.0 {
            days if days <= 3.0 => Self::Hour,
            days if days <= 124.0 => Self::Day,
            _ => Self::Week,
        }
    }
}

impl Question for TrendRequest {
    const WORD: &'static str = "trend";
    const DOC: &'static str = "A duration, rate or size over time, by hour, day or week";
    const EXAMPLES: &'static str = "\
Examples:
  manometer ask trend --service payments --branch main               duration of its runs, by day, last 30 days
  manometer ask trend --measure test-duration --group service --since 7d
  manometer ask trend --measure queue-time --group pool --range \"last week\"
  manometer ask trend --measure coverage --service recommendations --since 90d --bucket week
  manometer ask trend --measure sample --name ram.peak_mb --last 50";
    type Answer = TrendAnswer;

    fn parameters() -> Vec<ParameterDoc> {
        let own = [
            super::asking::MEASURE_PARAMETER,
            ParameterDoc {
                name: "bucket",
                value: "LENGTH",
                doc: "hour, day, week, or auto: hours up to 3 days, days up to 4 months, else weeks [default: auto]",
            },
            super::asking::GROUP_PARAMETER,
            ParameterDoc {
                name: "groups",
                value: "COUNT",
                doc: "At most so many groups, those with most values, 1 to 50 [default: 8]",
            },
        ];
        own.into_iter().chain(Scope::parameters()).collect()
    }

    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError> {
        let measure = Measure::asked(asked)?;
        let buckets = [
            ("auto", None),
            ("hour", Some(Bucket::Hour)),
            ("day", Some(Bucket::Day)),
            ("week", Some(Bucket::Week)),
        ];
        Ok(Self {
            measure,
            scope: Scope::asked(asked, now, USUAL_DAYS)?,
            bucket: asked.choice("bucket", None, &buckets)?,
            group: Dimension::asked(asked, measure.origin)?,
            groups: asked.whole("groups", USUAL_GROUPS, 1..=MOST_GROUPS)?,
        })
    }

    async fn answer(&self, answers: &Answers) -> Result<TrendAnswer, AnswerError> {
        let measure = self.measure;
        let mut scope = self.scope.clone();
        let (from, conditions) = answers.narrowed(measure, &mut scope).await?;
        let range = scope.range;
        let bucket = self.bucket.unwrap_or_else(|| Bucket::fitting(range.seconds()));
        let mut answer = TrendAnswer {
            measure: measure.word.to_owned(),
            meaning: measure.doc.to_owned(),
            unit: measure.unit(None),
            is_share: measure.is_share,
            range: range.shown(),
            bucket,
            group: self.group.as_ref().map(|group| group.word.to_owned()),
            ..TrendAnswer::default()
        };
        let (groups, unit) = self.totals(answers, &from, &conditions).await?;
        if groups.is_empty() {
            answers.check_names(&self.scope).await?;
            return Ok(answer);
        }
        answer.unit = measure.unit(unit.as_deref());
        answer.groups_left_out = groups.len().saturating_sub(self.groups as usize) as u64;
        answer.series = groups.into_iter().take(self.groups as usize).collect();
        self.fill(answers, &from, conditions, bucket, &mut answer).await?;
        Ok(answer)
    }
}

impl TrendRequest {
    /// Every group over the whole time, the one with most values first; and the unit its rows name.
    async fn totals(
        &self,
        answers: &Answers,
        from: &str,
        conditions: &Conditions,
    ) -> Result<(Vec<Series>, Option<String>), AnswerError> {
        let figures = self.measure.figures();
        let filter = conditions.all();
        let sql = match &self.group {
            None => format!("SELECT {figures} FROM {from} WHERE {filter}"),
            Some(group) => format!(
                "SELECT {}, {figures} FROM {from} WHERE {filter} GROUP BY {} ORDER BY count DESC, {} LIMIT {MOST_LISTED}",
                group.select(),
                group.group_by(),
                group.group_by()
            ),
        };
        let mut unit = None;
        let rows = answers.rows(&sql, conditions.parameters()).await?;
        let mut series = rows.map(|row| {
            unit = row.optional_text("unit")?.or(unit.take());
            let (label, key) = match &self.group {
                None => ("all".to_owned(), Key::new()),
                Some(group) => (group.label(row)?, group.key(row)?),
            };
            Ok(Series { label, key, total: Figures::of(row, self.measure)?, points: Vec::new() })
        })?;
        series.retain(|one| one.total.count > 0);
        Ok((series, unit))
    }

    /// The buckets of each series.
    async fn fill(
        &self,
        answers: &Answers,
        from: &str,
        mut conditions: Conditions,
        bucket: Bucket,
        answer: &mut TrendAnswer,
    ) -> Result<(), AnswerError> {
        let at = self.measure.origin.at;
        let figures = self.measure.figures();
        let keys: Vec<Key> = answer.series.iter().map(|series| series.key.clone()).collect();
        let (select, group_by) = match &self.group {
            None => (String::new(), String::new()),
            Some(group) => {
                if answer.groups_left_out > 0 {
                    group.only(&keys, &mut conditions);
                }
                (format!(", {}", group.select_keys()), format!(", {}", group.group_by()))
            }
        };
        let word = bucket.word();
        let sql = format!(
            "SELECT date_trunc('{word}', {at}) AS bucket{select}, {figures} FROM {from} WHERE {}
            GROUP BY date_trunc('{word}', {at}){group_by}",
            conditions.all()
        );
        let found = answers.rows(&sql, conditions.parameters()).await?.map(|row| {
            let key = self.group.as_ref().map_or_else(|| Ok(Key::new()), |group| group.key(row))?;
            let figures = Figures::of(row, self.measure)?;
            Ok((key, TrendPoint { at: row.optional_time("bucket")?.unwrap_or_default(), figures }))
        })?;
        let mut by_group: BTreeMap<Key, BTreeMap<Timestamp, TrendPoint>> = BTreeMap::new();
        let mut first = None;
        for (key, point) in found {
            first = first.map_or(Some(point.at), |earlier: Timestamp| Some(earlier.min(point.at)));
            by_group.entry(key).or_default().insert(point.at, point);
        }
        let every = self.buckets(bucket, answer.range, first)?;
        for series in &mut answer.series {
            let known = by_group.remove(&series.key).unwrap_or_default();
            let point = |at: &Timestamp| {
                known.get(at).copied().unwrap_or(TrendPoint { at: *at, figures: Figures::default() })
            };
            series.points = every.iter().map(point).collect();
        }
        Ok(())
    }

    /// The beginnings of all buckets of the time; where that has no beginning, from the first bucket with values.
    fn buckets(
        &self,
        bucket: Bucket,
        range: RangeShown,
        first: Option<Timestamp>,
    ) -> Result<Vec<Timestamp>, AnswerError> {
        let wanted = bucket.beginning(range.since);
        let begin = if range.since.as_micros() <= 0 { first.unwrap_or(wanted) } else { wanted };
        let begin = first.map_or(begin, |first| first.min(begin));
        let last = bucket.beginning(Timestamp::from_micros(range.until.as_micros().saturating_sub(1)));
        let count = (last.as_micros() - begin.as_micros()) / bucket.micros() + 1;
        if count > MOST_BUCKETS {
            return Err(AnswerError::asked(format!(
                "bucket: {count} buckets of a {} are more than the {MOST_BUCKETS} an answer may have: take a longer \
                 one or a shorter time",
                bucket.word()
            )));
        }
        Ok((0..count)
            .map(|step| Timestamp::from_micros(begin.as_micros() + step * bucket.micros()))
            .collect())
    }
}

/// Most groups that are counted.
const MOST_LISTED: usize = 100_000;

impl Flat for TrendAnswer {
    const COLUMNS: &'static [&'static str] =
        &["series", "at", "count", "mean", "p50", "p95", "p99", "measure", "unit"];

    fn rows(&self) -> Vec<Vec<FlatCell>> {
        let unit = self.unit.to_string();
        let row = |series: &Series, point: &TrendPoint| {
            let figures = &point.figures;
            vec![
                (&series.label).into(),
                point.at.into(),
                figures.count.into(),
                figures.mean.into(),
                figures.p50.into(),
                figures.p95.into(),
                figures.p99.into(),
                (&self.measure).into(),
                (&unit).into(),
            ]
        };
        self.series
            .iter()
            .flat_map(|series| series.points.iter().map(move |point| row(series, point)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_and_a_day_at_midnight() {
        // A Saturday noon.
        let noon = Timestamp::from_seconds(1_795_219_200 + 43_200);
        let monday = Bucket::Week.beginning(noon);
        assert_eq!(monday.to_string(), "2026-11-16T00:00:00.000000Z");
        assert_eq!(Bucket::Week.beginning(monday), monday);
        assert_eq!(Bucket::Week.beginning(monday.plus_seconds(-1.0)).day(), monday.day() - 7);
        assert_eq!(Bucket::Day.beginning(noon).to_string(), "2026-11-21T00:00:00.000000Z");
        assert_eq!(
            Bucket::Hour.beginning(Timestamp::from_seconds(-1)).to_string(),
            "1969-12-31T23:00:00.000000Z"
        );
    }

    #[test]
    fn the_length_of_a_bucket_fits_the_time() {
        for (days, expected) in [(2.0, Bucket::Hour), (30.0, Bucket::Day), (365.0, Bucket::Week)] {
            assert_eq!(Bucket::fitting(days * 86_400.0), expected);
        }
    }
}
