//! A measure on two sides: before and after a commit, a merge or a date, or on two branches.
//!
//! Of each side the percentiles (interpolated between values) or the share, each with its 95 % interval; between the
//! sides the difference and the ratio with theirs. Intervals are those of [`manometer_stats::difference`]: by order
//! statistics, for values that come in runs, whatever their distribution. The effect size is Cliff's delta: the share
//! of pairs in which the later value is the larger one, less the share in which it is the smaller one.

mod anchor;
mod sides;
mod verdict;

use manometer_model::Timestamp;
use manometer_stats::difference::{Estimate, difference, quantile_estimate, share_estimate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::anchor::Anchor;
use self::anchor::Line;
use self::sides::{PERCENTILES, Sides, Values};
use super::Answers;
use super::asking::{
    AnswerError, Asked, Flat, FlatCell, MEASURE_PARAMETER, Measure, ParameterDoc, Question, RangeShown,
    Scope, Unit,
};

/// Which measure, of what, on which two sides.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    measure: &'static Measure,
    scope: Scope,
    line: Line,
    window_days: f64,
    /// Was a beginning or an end asked for, which then is that of the outer edge?
    edges: (bool, bool),
    number: usize,
    now: Timestamp,
}

/// A measure on two sides.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct CompareAnswer {
    /// What was found, in a sentence.
    pub verdict: String,
    /// `worse`, `better`, `different` where neither is, `steady` where the interval holds 0, `unclear` where there
    /// are too few values for an interval.
    pub direction: String,
    /// The measure's word.
    pub measure: String,
    /// What it is.
    pub meaning: String,
    /// Unit of the values: `seconds`, `share` (0 to 1), `bytes`, or that of the free metric.
    #[schema(value_type = String)]
    pub unit: Unit,
    /// Where the line is drawn.
    pub anchor: Anchor,
    /// The time looked at, both sides together.
    pub range: RangeShown,
    /// The side before, or of `branch`.
    pub before: Side,
    /// The side after, or of `against`.
    pub after: Side,
    /// p50, p95 and p99, or the share; the one the verdict is about has `is_headline`.
    pub numbers: Vec<Compared>,
    /// Cliff's delta, −1 to 1: above 0 where later values are larger; of a rate the difference of the shares.
    pub effect: Option<f64>,
    /// `negligible`, `small`, `medium` or `large`.
    pub effect_word: Option<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Side {
    /// Which runs are on it.
    pub words: String,
    /// Values.
    pub rows: u64,
    /// Runs they come from.
    pub runs: u64,
    /// Different commits of those runs.
    pub commits: u64,
    /// When the first of the runs began.
    #[schema(value_type = Option<String>)]
    pub first_at: Option<Timestamp>,
    /// When the last of the runs began.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<Timestamp>,
    /// Mean of the values.
    pub mean: Option<f64>,
}

/// One number on both sides. Ends named `low` and `high` are those of 95 % intervals; null where there are too few
/// values or runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// `p50`, `p95`, `p99` or `share`.
    pub number: String,
    /// Is it the one the verdict is about?
    pub is_headline: bool,
    /// Its value before.
    pub before: Option<f64>,
    /// Interval of it.
    pub before_low: Option<f64>,
    /// Interval of it.
    pub before_high: Option<f64>,
    /// Its value after.
    pub after: Option<f64>,
    /// Interval of it.
    pub after_low: Option<f64>,
    /// Interval of it.
    pub after_high: Option<f64>,
    /// After − before.
    pub change: Option<f64>,
    /// Interval of it.
    pub change_low: Option<f64>,
    /// Interval of it.
    pub change_high: Option<f64>,
    /// After / before.
    pub ratio: Option<f64>,
    /// Interval of it.
    pub ratio_low: Option<f64>,
    /// Interval of it.
    pub ratio_high: Option<f64>,
}

const USUAL_DAYS: f64 = 30.0;
const USUAL_WINDOW: u32 = 14;
const LONGEST_WINDOW: u32 = 3_660;

impl Question for CompareRequest {
    const WORD: &'static str = "compare";
    const DOC: &'static str =
        "A duration, rate or size before and after a commit, merge or date, or on two branches";
    const EXAMPLES: &'static str = "\
Examples:
  manometer ask compare --service payments --measure test-duration --quantile p99 --commit \"validation library\"
  manometer ask compare --project github.com/acme/shop --pipeline ci --merge 4711
  manometer ask compare --measure queue-time --date 2026-11-01 --window 7
  manometer ask compare --service payments --branch main --against release/12";
    type Answer = CompareAnswer;

    fn parameters() -> Vec<ParameterDoc> {
        let own = [
            ParameterDoc {
                name: "quantile",
                value: "QUANTILE",
                doc: "Which number the verdict is about: p50, p95 or p99 [default: p50]",
            },
            ParameterDoc {
                name: "window",
                value: "DAYS",
                doc: "Days on each side of a commit, merge or date; since and until set the edges themselves [default: 14]",
            },
        ];
        let narrowing = Scope::parameters().filter(|parameter| !matches!(parameter.name, "last" | "range"));
        [MEASURE_PARAMETER].into_iter().chain(anchor::PARAMETERS).chain(own).chain(narrowing).collect()
    }

    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError> {
        let scope = Scope::asked(asked, now, USUAL_DAYS)?;
        Ok(Self {
            measure: Measure::asked(asked)?,
            line: Line::asked(asked, &scope, now)?,
            scope,
            window_days: f64::from(asked.whole("window", USUAL_WINDOW, 1..=LONGEST_WINDOW)?),
            edges: (asked.text("since").is_some(), asked.text("until").is_some()),
            number: asked.choice("quantile", 0, &[("p50", 0), ("p95", 1), ("p99", 2)])?,
            now,
        })
    }

    async fn answer(&self, answers: &Answers) -> Result<CompareAnswer, AnswerError> {
        let measure = self.measure;
        let anchor = answers.anchor(&self.line, &self.scope).await?;
        let scope = self.around(&anchor)?;
        let sides = answers.sides(measure, &scope, &anchor).await?;
        let empty_sides = sides.values.iter().filter(|side| side.rows == 0).count();
        match &anchor.against {
            Some(against) if empty_sides > 0 => answers.branches_known(&self.scope, against).await?,
            None if empty_sides == 2 => answers.check_names(&self.scope).await?,
            _ => {}
        }
        Ok(self.summed_up(anchor, &scope, &sides))
    }
}

impl CompareRequest {
    /// The scope with the time that is compared: so many days around the line, but nothing of the future.
    fn around(&self, anchor: &Anchor) -> Result<Scope, AnswerError> {
        let mut scope = self.scope.clone();
        let Some(at) = anchor.at else { return Ok(scope) };
        let reach = self.window_days * 86_400.0;
        let asked = self.scope.range;
        scope.range.since = if self.edges.0 { asked.since } else { at.plus_seconds(-reach) };
        scope.range.until = if self.edges.1 { asked.until } else { at.plus_seconds(reach).min(self.now) };
        if scope.range.since >= at || at >= scope.range.until {
            return Err(AnswerError::asked(format!(
                "{}: {at} does not lie between since, {}, and until, {}",
                anchor.kind, scope.range.since, scope.range.until
            )));
        }
        Ok(scope)
    }

    fn summed_up(&self, anchor: Anchor, scope: &Scope, sides: &Sides) -> CompareAnswer {
        let measure = self.measure;
        let [before, after] = &sides.values;
        let (first_words, second_words) = words(&anchor);
        let (first, second) = (side(before, first_words, measure), side(after, second_words, measure));
        let numbers = self.numbers(before, after);
        let effect = self.effect(before, after);
        let unit = measure.unit(sides.unit.as_deref());
        let headline = numbers.iter().find(|number| number.is_headline).cloned().unwrap_or_default();
        CompareAnswer {
            verdict: verdict::verdict(measure, &unit, (&first, &second), &headline, effect),
            direction: verdict::direction(measure, &headline).to_owned(),
            measure: measure.word.to_owned(),
            meaning: measure.doc.to_owned(),
            notes: self.notes(&anchor, sides, &numbers),
            unit,
            anchor,
            range: scope.range.shown(),
            before: first,
            after: second,
            numbers,
            effect,
            effect_word: effect.map(|delta| verdict::effect_word(delta).to_owned()),
        }
    }

    fn numbers(&self, before: &Values, after: &Values) -> Vec<Compared> {
        if self.measure.is_share {
            let of = |side: &Values| side.groups.first().and_then(share_estimate);
            return vec![compared("share", true, of(before), of(after))];
        }
        let of = |side: &Values, number: usize, probability: f64| {
            let (distribution, groups) = (side.distribution.as_ref()?, side.groups.get(number)?);
            Some(quantile_estimate(distribution, probability, groups))
        };
        PERCENTILES
            .iter()
            .enumerate()
            .map(|(number, (word, probability))| {
                let is_headline = number == self.number;
                compared(word, is_headline, of(before, number, *probability), of(after, number, *probability))
            })
            .collect()
    }

    fn effect(&self, before: &Values, after: &Values) -> Option<f64> {
        if self.measure.is_share {
            let share = |side: &Values| side.groups.first().and_then(share_estimate).map(|found| found.value);
            // Of values that are only true or false, Cliff's delta is the difference of the shares.
            return Some(share(after)? - share(before)?);
        }
        Some(after.distribution.as_ref()?.cliffs_delta(before.distribution.as_ref()?))
    }

    fn notes(&self, anchor: &Anchor, sides: &Sides, numbers: &[Compared]) -> Vec<String> {
        let mut notes = Vec::new();
        if sides.is_coarse {
            notes.push(
                "There are so many different values that they were counted in classes: numbers are exact to 0.2 %."
                    .to_owned(),
            );
        }
        let unsure: Vec<&str> = numbers
            .iter()
            .filter(|number| number.before.is_some() && number.after.is_some() && number.change_low.is_none())
            .map(|number| number.number.as_str())
            .collect();
        if !unsure.is_empty() {
            notes.push(format!(
                "Too few values for an interval of {}: it takes some 6 independent ones for p50, 72 for p95 and 368 \
                 for p99, from at least 2 runs on each side.",
                unsure.join(", ")
            ));
        }
        if anchor.kind == "commit"
            && self.scope.branch.is_none()
            && let Some(branch) = &anchor.branch
        {
            notes.push(format!("Only runs of {branch} are compared, the commit's branch."));
        }
        notes
    }
}

fn words(anchor: &Anchor) -> (String, String) {
    let branch = anchor.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    match (&anchor.against, anchor.at) {
        (Some(against), _) => (format!("runs{branch}"), format!("runs on {against}")),
        (None, Some(at)) => {
            let shown = at.to_string();
            let minute = shown.get(..16).unwrap_or(&shown).replace('T', " ");
            (
                format!("runs{branch} that began before {minute} UTC"),
                format!("runs{branch} that began from {minute} UTC on"),
            )
        }
        (None, None) => (format!("runs{branch}"), format!("runs{branch}")),
    }
}

fn side(values: &Values, words: String, measure: &Measure) -> Side {
    let mean = if measure.is_share {
        values.groups.first().and_then(share_estimate).map(|share| share.value)
    } else {
        values.distribution.as_ref().map(manometer_stats::Distribution::mean)
    };
    Side {
        words,
        rows: values.rows,
        runs: values.runs,
        commits: values.commits,
        first_at: values.first_at,
        last_at: values.last_at,
        mean,
    }
}

fn compared(number: &str, is_headline: bool, before: Option<Estimate>, after: Option<Estimate>) -> Compared {
    let found = before.as_ref().zip(after.as_ref()).map(|(first, second)| difference(first, second));
    let ratio = found.and_then(|found| found.ratio);
    let low = |estimate: Option<Estimate>| estimate.and_then(|it| it.interval).map(|it| it.low);
    let high = |estimate: Option<Estimate>| estimate.and_then(|it| it.interval).map(|it| it.high);
    let change = found.map(|found| found.change);
    Compared {
        number: number.to_owned(),
        is_headline,
        before: before.map(|it| it.value),
        before_low: low(before),
        before_high: high(before),
        after: after.map(|it| it.value),
        after_low: low(after),
        after_high: high(after),
        change: change.map(|it| it.value),
        change_low: low(change),
        change_high: high(change),
        ratio: ratio.map(|it| it.value),
        ratio_low: low(ratio),
        ratio_high: high(ratio),
    }
}

impl Flat for CompareAnswer {
    const COLUMNS: &'static [&'static str] = &[
        "number",
        "before",
        "before_low",
        "before_high",
        "after",
        "after_low",
        "after_high",
        "change",
        "change_low",
        "change_high",
        "ratio",
        "ratio_low",
        "ratio_high",
        "before_rows",
        "after_rows",
        "before_runs",
        "after_runs",
        "effect",
        "measure",
        "unit",
    ];

    fn rows(&self) -> Vec<Vec<FlatCell>> {
        let unit = self.unit.to_string();
        self.numbers
            .iter()
            .map(|number| {
                let mut row: Vec<FlatCell> = vec![(&number.number).into()];
                row.extend(
                    [
                        number.before,
                        number.before_low,
                        number.before_high,
                        number.after,
                        number.after_low,
                        number.after_high,
                        number.change,
                        number.change_low,
                        number.change_high,
                        number.ratio,
                        number.ratio_low,
                        number.ratio_high,
                    ]
                    .map(FlatCell::from),
                );
                row.extend(
                    [self.before.rows, self.after.rows, self.before.runs, self.after.runs]
                        .map(FlatCell::from),
                );
                row.extend([self.effect.into(), (&self.measure).into(), (&unit).into()]);
                row
            })
            .collect()
    }
}
