//! What takes longest: tests, jobs, steps, builds, services or pipelines, by their p95, by the time they take in all,
//! or by how much slower they became.
//!
//! Growth is the median of this time over the median of as much time before it, less one; it ranks only what has
//! enough executions in both. Percentiles are from sketches, at most 0.4 % from the exact ones. Executions and times are those of the measure behind the list: `test-duration` for tests.

use std::collections::BTreeMap;

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answers;
use super::asking::{
    AnswerError, Asked, Conditions, Dimension, Flat, FlatCell, Key, Measure, ParameterDoc, Question,
    RangeShown, Scope,
};

/// What is ranked, and by what.
#[derive(Debug, Clone)]
pub struct SlowestRequest {
    of: Things,
    scope: Scope,
    by: Order,
    at_least: u32,
    limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Things {
    Tests,
    Jobs,
    Steps,
    Builds,
    Services,
    Pipelines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    P95,
    Total,
    Growth,
}

/// The slowest things.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct SlowestAnswer {
    /// What is ranked: `tests`, `jobs`, `steps`, `builds`, `services` or `pipelines`.
    pub of: String,
    /// By what: `p95`, `total` or `growth`.
    pub by: String,
    /// The measure behind it.
    pub measure: String,
    /// The time looked at; growth is against as much time before it.
    pub range: RangeShown,
    /// The things, the first of the order first.
    pub lines: Vec<SlowLine>,
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct SlowLine {
    /// What it is called.
    pub label: String,
    /// What tells it apart, by column: `project`, `service`, `test_id`, …
    pub key: BTreeMap<String, Option<String>>,
    /// How often it was executed.
    pub count: u64,
    /// Median time.
    pub p50_seconds: Option<f64>,
    /// 95th percentile.
    pub p95_seconds: Option<f64>,
    /// All its times together.
    pub total_seconds: Option<f64>,
    /// How often it was executed in as much time before.
    pub before_count: u64,
    /// Median time before.
    pub before_p50_seconds: Option<f64>,
    /// Median / median before − 1; null where it was executed too seldom in one of the times.
    pub growth: Option<f64>,
}

const USUAL_DAYS: f64 = 7.0;
/// Most things of which growth is compared.
const MOST_COMPARED: usize = 200_000;

impl Things {
    const WORDS: [(&'static str, Self); 6] = [
        ("tests", Self::Tests),
        ("jobs", Self::Jobs),
        ("steps", Self::Steps),
        ("builds", Self::Builds),
        ("services", Self::Services),
        ("pipelines", Self::Pipelines),
    ];

    fn measure(self) -> Result<&'static Measure, AnswerError> {
        Measure::named(match self {
            Self::Tests => "test-duration",
            Self::Jobs => "job-duration",
            Self::Steps => "step-duration",
            Self::Builds => "build-duration",
            Self::Services | Self::Pipelines => "run-duration",
        })
    }

    fn dimension(self) -> Dimension {
        let of = |word, columns: &[&'static str]| Dimension::of_things(word, columns.to_vec());
        match self {
            Self::Tests => of("test", &["project", "service", "test_id"]),
            Self::Jobs => of("job", &["project", "service", "pipeline", "name"]),
            Self::Steps => of("step", &["project", "service", "job_name", "name"]),
            Self::Builds => of("build", &["project", "service", "name"]),
            Self::Services => of("service", &["project", "service"]),
            Self::Pipelines => of("pipeline", &["project", "service", "pipeline"]),
        }
    }
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], wanted: &T) -> String {
    words
        .iter()
        .find(|(_, meaning)| meaning == wanted)
        .map(|(word, _)| (*word).to_owned())
        .unwrap_or_default()
}

const ORDERS: [(&str, Order); 3] = [("p95", Order::P95), ("total", Order::Total), ("growth", Order::Growth)];

impl Question for SlowestRequest {
    const WORD: &'static str = "slowest";
    const DOC: &'static str =
        "Tests, jobs, steps, builds, services or pipelines by p95, total time or growth";
    const EXAMPLES: &'static str = "\
Examples:
  manometer ask slowest --service payments                           its tests by p95, last 7 days
  manometer ask slowest --of steps --by total --since 30d            where the time goes
  manometer ask slowest --of services --by growth --branch main      what became slower since the week before";
    type Answer = SlowestAnswer;

    fn parameters() -> Vec<ParameterDoc> {
        let own = [
            ParameterDoc {
                name: "of",
                value: "THINGS",
                doc: "tests, jobs, steps, builds, services or pipelines [default: tests]",
            },
            ParameterDoc {
                name: "by",
                value: "ORDER",
                doc: "p95, total (all times together) or growth (median against as much time before) [default: p95]",
            },
            ParameterDoc {
                name: "min",
                value: "COUNT",
                doc: "Only what was executed so often; for growth in both times [default: 5]",
            },
            ParameterDoc { name: "limit", value: "COUNT", doc: "At most so many, 1 to 1000 [default: 20]" },
        ];
        own.into_iter().chain(Scope::parameters().filter(|parameter| parameter.name != "test")).collect()
    }

    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError> {
        let scope = Scope::asked(asked, now, USUAL_DAYS)?;
        let by = asked.choice("by", Order::P95, &ORDERS)?;
        if by == Order::Growth && scope.range.last_runs.is_some() {
            return Err(AnswerError::asked("last: growth compares times; give since, until or range"));
        }
        Ok(Self {
            of: asked.choice("of", Things::Tests, &Things::WORDS)?,
            scope,
            by,
            at_least: asked.whole("min", 5, 1..=1_000_000)?,
            limit: asked.whole("limit", 20, 1..=1_000)?,
        })
    }

    async fn answer(&self, answers: &Answers) -> Result<SlowestAnswer, AnswerError> {
        let measure = self.of.measure()?;
        let mut scope = self.scope.clone();
        let (from, conditions) = answers.narrowed(measure, &mut scope).await?;
        let range = scope.range;
        let is_growth = self.by == Order::Growth;
        let order = match self.by {
            Order::P95 => format!("p95 DESC, count DESC LIMIT {}", self.limit),
            Order::Total => format!("total DESC, count DESC LIMIT {}", self.limit),
            Order::Growth => format!("count DESC LIMIT {MOST_COMPARED}"),
        };
        let mut lines = self.lines(answers, measure, &from, &conditions, &order).await?;
        if lines.is_empty() {
            answers.check_names(&self.scope).await?;
        }
        if range.last_runs.is_none() {
            let mut before = self.scope.clone();
            before.range.since = range.since.plus_seconds(-range.seconds());
            before.range.until = range.since;
            let keys: Vec<Key> = lines.iter().map(|line| line.key.clone()).collect();
            let (from, mut conditions) = answers.narrowed(measure, &mut before).await?;
            if !is_growth {
                self.of.dimension().only(&keys, &mut conditions);
            }
            let order = format!("count DESC LIMIT {MOST_COMPARED}");
            let earlier = self.lines(answers, measure, &from, &conditions, &order).await?;
            self.compare(&mut lines, earlier);
        }
        if is_growth {
            lines.retain(|line| line.growth.is_some());
            lines.sort_by(|one, other| {
                let growth = |line: &SlowLine| line.growth.unwrap_or(f64::NEG_INFINITY);
                growth(other).total_cmp(&growth(one)).then(one.label.cmp(&other.label))
            });
            lines.truncate(self.limit as usize);
        }
        Ok(SlowestAnswer {
            of: word_of(&Things::WORDS, &self.of),
            by: word_of(&ORDERS, &self.by),
            measure: measure.word.to_owned(),
            range: range.shown(),
            lines,
        })
    }
}

impl SlowestRequest {
    async fn lines(
        &self,
        answers: &Answers,
        measure: &Measure,
        from: &str,
        conditions: &Conditions,
        order: &str,
    ) -> Result<Vec<SlowLine>, AnswerError> {
        let things = self.of.dimension();
        let sql = format!(
            "SELECT {}, count({value}) AS count, sum({value}) AS total, p50({value}) AS p50, p95({value}) AS p95
            FROM {from} WHERE {} GROUP BY {} HAVING count({value}) >= {} ORDER BY {order}",
            things.select(),
            conditions.all(),
            things.group_by(),
            self.at_least,
            value = measure.value,
        );
        let lines = answers.rows(&sql, conditions.parameters()).await?.map(|row| {
            Ok(SlowLine {
                label: things.label(row)?,
                key: things.key(row)?,
                count: row.count("count")?,
                p50_seconds: row.optional_float("p50")?,
                p95_seconds: row.optional_float("p95")?,
                total_seconds: row.optional_float("total")?,
                ..SlowLine::default()
            })
        })?;
        Ok(lines)
    }

    /// Lays what was before beside what is.
    fn compare(&self, lines: &mut [SlowLine], earlier: Vec<SlowLine>) {
        let mut by_key: BTreeMap<Key, SlowLine> =
            earlier.into_iter().map(|line| (line.key.clone(), line)).collect();
        for line in lines {
            let Some(before) = by_key.remove(&line.key) else { continue };
            line.before_count = before.count;
            line.before_p50_seconds = before.p50_seconds;
            line.growth = match (before.p50_seconds, line.p50_seconds) {
                (Some(then), Some(now)) if then > 0.0 => Some(now / then - 1.0),
                _ => None,
            };
        }
    }
}

impl Flat for SlowestAnswer {
    const COLUMNS: &'static [&'static str] = &[
        "label",
        "project",
        "service",
        "test_id",
        "count",
        "p50_seconds",
        "p95_seconds",
        "total_seconds",
        "before_count",
        "before_p50_seconds",
        "growth",
    ];

    fn rows(&self) -> Vec<Vec<FlatCell>> {
        let of_key =
            |line: &SlowLine, column: &str| FlatCell::from(line.key.get(column).cloned().flatten().as_ref());
        self.lines
            .iter()
            .map(|line| {
                vec![
                    (&line.label).into(),
                    of_key(line, "project"),
                    of_key(line, "service"),
                    of_key(line, "test_id"),
                    line.count.into(),
                    line.p50_seconds.into(),
                    line.p95_seconds.into(),
                    line.total_seconds.into(),
                    line.before_count.into(),
                    line.before_p50_seconds.into(),
                    line.growth.into(),
                ]
            })
            .collect()
    }
}
