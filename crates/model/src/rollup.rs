//! Roll-ups: what is kept of many facts of one hour or day that agree in some columns.
//!
//! ```text
//! tests, one row an execution ──► tests_hourly ──► tests_daily
//!   │                                   └──► tests_by_service_hourly ──► tests_by_service_daily ──► …
//!   │    the rows of one hour (day) that agree in every dimension become one row:
//!   │    how many they are, first and last `at`; of the measure how many, sum, smallest, largest, sketch
//!   └──► tests_by_run_hourly: which run and job told what, without a sketch
//! ```
//!
//! Each roll-up is defined once, in `DEFINITIONS`: from which fact table, over which columns, of which measure. That
//! one line makes its table (columns, order, documentation), its files beside the segments of the store, and its use
//! by queries. Statuses are dimensions, so counts by status are the row counts of the rows of a status.
//!
//! **Invariants** (tested below)
//! - A roll-up row stands for rows that agree in all its dimensions, and `at` lies in one bucket of its size. Rows of a
//!   roll-up need not be unique: two rows that agree are added, as any others are.
//! - `project` is a dimension of every roll-up: access is decided by it.
//! - A roll-up that can be made from one before it in the list, is: see [`Rollup::base`].

use std::sync::LazyLock;

use crate::records::{BUILDS, SAMPLES, STEPS, TABLES, TESTS};
use crate::table::{Column, ColumnKind, Table, TableKind};

/// Changes with the definitions: segments that were rolled up by others are rolled up anew. A roll-up made before stays
/// valid while its own definition is as old, see [`Rollup::since`].
pub const ROLLUP_VERSION: i64 = 3;

/// The span of time one row of a roll-up covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// An hour of UTC.
    Hour,
    /// A day of UTC.
    Day,
}

impl Bucket {
    /// Its length in microseconds.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Hour => 3_600_000_000,
            Self::Day => 86_400_000_000,
        }
    }

    /// The beginning of the bucket a moment lies in, both in microseconds since 1970.
    pub const fn start_of(self, micros: i64) -> i64 {
        micros.saturating_sub(micros.rem_euclid(self.micros()))
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// How a roll-up is defined.
struct Definition {
    name: &'static str,
    facts: &'static Table,
    bucket: Bucket,
    dimensions: &'static [&'static str],
    measure: &'static str,
    kind: Kind,
    since: i64,
}

/// How the rows that agree lie among the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Near each other, as those of a service in an hour do: thousands become one.
    Gathered,
    /// Anywhere, as those of a run do, which are of many tests. Few become one: too few for a sketch.
    Scattered,
}

const TEST_CONTEXT: &[&str] = &[
    "project",
    "service",
    "pipeline",
    "branch",
    "is_default_branch",
    "job_name",
    "status",
    "is_final",
    "provider",
];
const TEST_RUN: &[&str] = &[
    "project",
    "service",
    "pipeline",
    "branch",
    "is_default_branch",
    "job_name",
    "status",
    "is_final",
    "provider",
    "run_id",
    "run_attempt",
    "job_id",
];
const TEST_SERVICE: &[&str] = &["project", "service", "is_default_branch", "status", "is_final", "provider"];
const TEST_PROJECT: &[&str] = &["project", "is_default_branch", "status", "is_final", "provider"];
const STEP_CONTEXT: &[&str] =
    &["project", "service", "pipeline", "branch", "job_name", "name", "conclusion", "provider"];
const BUILD_CONTEXT: &[&str] = &["project", "service", "name", "pipeline", "branch", "success", "provider"];
const SAMPLE_CONTEXT: &[&str] = &["project", "service", "name", "pipeline", "branch", "unit", "provider"];

/// Every roll-up; of one fact table the finest first.
const DEFINITIONS: &[Definition] = &[
    of("tests_hourly", &TESTS, Bucket::Hour, TEST_CONTEXT, "duration_seconds"),
    of("tests_daily", &TESTS, Bucket::Day, TEST_CONTEXT, "duration_seconds"),
    since(3, of("tests_by_service_hourly", &TESTS, Bucket::Hour, TEST_SERVICE, "duration_seconds")),
    of("tests_by_service_daily", &TESTS, Bucket::Day, TEST_SERVICE, "duration_seconds"),
    of("tests_by_project_daily", &TESTS, Bucket::Day, TEST_PROJECT, "duration_seconds"),
    since(2, scattered("tests_by_run_hourly", &TESTS, Bucket::Hour, TEST_RUN, "duration_seconds")),
    of("steps_hourly", &STEPS, Bucket::Hour, STEP_CONTEXT, "duration_seconds"),
    of("steps_daily", &STEPS, Bucket::Day, STEP_CONTEXT, "duration_seconds"),
    of("builds_hourly", &BUILDS, Bucket::Hour, BUILD_CONTEXT, "duration_seconds"),
    of("builds_daily", &BUILDS, Bucket::Day, BUILD_CONTEXT, "duration_seconds"),
    of("samples_hourly", &SAMPLES, Bucket::Hour, SAMPLE_CONTEXT, "value"),
    of("samples_daily", &SAMPLES, Bucket::Day, SAMPLE_CONTEXT, "value"),
];

const fn of(
    name: &'static str,
    facts: &'static Table,
    bucket: Bucket,
    dimensions: &'static [&'static str],
    measure: &'static str,
) -> Definition {
    Definition { name, facts, bucket, dimensions, measure, kind: Kind::Gathered, since: 1 }
}

const fn scattered(
    name: &'static str,
    facts: &'static Table,
    bucket: Bucket,
    dimensions: &'static [&'static str],
    measure: &'static str,
) -> Definition {
    Definition { kind: Kind::Scattered, ..of(name, facts, bucket, dimensions, measure) }
}

const fn since(version: i64, definition: Definition) -> Definition {
    Definition { since: version, ..definition }
}

/// How many rows of the facts a row stands for.
pub const ROW_COUNT: &str = "row_count";
/// The smallest `at` of those rows.
pub const FIRST_AT: &str = "first_at";
/// The greatest `at` of those rows.
pub const LAST_AT: &str = "last_at";

/// A roll-up. Its table has the columns `at` (the beginning of the bucket), the dimensions, [`ROW_COUNT`],
/// [`FIRST_AT`], [`LAST_AT`], and of the measure those named by [`Measure`], in this order.
#[derive(Debug)]
pub struct Rollup {
    /// The facts it is made of.
    pub facts: &'static Table,
    /// Its own table.
    pub table: &'static Table,
    /// The span of time of a row.
    pub bucket: Bucket,
    /// The columns of the facts in which the rows behind a row agree.
    pub dimensions: &'static [&'static str],
    /// The column of the facts that is summed up.
    pub measure: Measure,
    /// Where the roll-up it is made of stands in [`rollups`]; `None` when it is made of the facts themselves.
    pub base: Option<usize>,
    /// Do the rows behind a row lie anywhere among the facts? Then it is put together in the order in which rows arrive,
    /// and of roll-ups where segments are merged; and it has no sketch.
    pub is_scattered: bool,
    /// The [`ROLLUP_VERSION`] its definition came with.
    pub since: i64,
}

/// The names of the columns that sum up a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The column of the facts.
    pub column: &'static str,
    /// How many rows have a value.
    pub count: &'static str,
    /// The sum of the values; null without any.
    pub sum: &'static str,
    /// The smallest value.
    pub min: &'static str,
    /// The greatest value.
    pub max: &'static str,
    /// The encoded sketch of the values; null without any. Some roll-ups have none.
    pub sketch: Option<&'static str>,
}

/// Every roll-up, of one fact table the finest first.
pub fn rollups() -> &'static [Rollup] {
    static ROLLUPS: LazyLock<Vec<Rollup>> = LazyLock::new(|| {
        let mut made: Vec<Rollup> = Vec::with_capacity(DEFINITIONS.len());
        for definition in DEFINITIONS {
            let base = made.iter().rposition(|candidate| is_base(candidate, definition));
            made.push(make(definition, base));
        }
        made
    });
    &ROLLUPS
}

/// The roll-ups of a fact table.
pub fn rollups_of(facts: &Table) -> impl Iterator<Item = &'static Rollup> {
    let name = facts.name;
    rollups().iter().filter(move |rollup| rollup.facts.name == name)
}

/// The roll-up whose table this is.
pub fn rollup_named(table: &str) -> Option<&'static Rollup> {
    rollups().iter().find(|rollup| rollup.table.name == table)
}

/// Every table the store keeps: those of the records in the order of [`TABLES`], then those of the roll-ups.
pub fn stored_tables() -> &'static [&'static Table] {
    static STORED: LazyLock<Vec<&'static Table>> =
        LazyLock::new(|| TABLES.iter().copied().chain(rollups().iter().map(|rollup| rollup.table)).collect());
    &STORED
}

/// Can rows of `candidate` be put together to rows of `wanted`?
fn is_base(candidate: &Rollup, wanted: &Definition) -> bool {
    wanted.kind == Kind::Gathered
        && candidate.measure.sketch.is_some()
        && candidate.facts.name == wanted.facts.name
        && candidate.measure.column == wanted.measure
        && wanted.bucket.micros() % candidate.bucket.micros() == 0
        && wanted.dimensions.iter().all(|name| candidate.dimensions.contains(name))
}

fn make(definition: &Definition, base: Option<usize>) -> Rollup {
    let named = |suffix: &str| leaked(format!("{}_{suffix}", definition.measure));
    let measure = Measure {
        column: definition.measure,
        count: named("count"),
        sum: named("sum"),
        min: named("min"),
        max: named("max"),
        sketch: (definition.kind == Kind::Gathered).then(|| named("sketch")),
    };
    let mut columns = vec![column(
        "at",
        ColumnKind::Time,
        false,
        format!("Beginning of the {} (UTC).", definition.bucket.word()),
    )];
    for name in definition.dimensions {
        columns.extend(definition.facts.position(name).and_then(|place| definition.facts.columns.get(place)));
    }
    let rows = definition.facts.name;
    let of_measure = definition.measure;
    columns.extend([
        column(ROW_COUNT, ColumnKind::Int, false, format!("How many rows of `{rows}` this row stands for.")),
        column(FIRST_AT, ColumnKind::Time, false, "The earliest `at` of those rows.".to_owned()),
        column(LAST_AT, ColumnKind::Time, false, "The latest `at` of those rows.".to_owned()),
        column(measure.count, ColumnKind::Int, false, format!("How many of them have a `{of_measure}`.")),
        column(measure.sum, ColumnKind::Float, true, format!("Sum of `{of_measure}`.")),
        column(measure.min, ColumnKind::Float, true, format!("Smallest `{of_measure}`.")),
        column(measure.max, ColumnKind::Float, true, format!("Greatest `{of_measure}`.")),
    ]);
    columns.extend(measure.sketch.map(|name| {
        let doc =
            format!("Sketch of `{of_measure}`: its quantiles, at most 1/256 (0.4 %) off. Sketches merge.");
        column(name, ColumnKind::Sketch, true, doc)
    }));
    let table = Table {
        name: definition.name,
        record: "",
        doc: leaked(format!(
            "The rows of `{rows}` of one {}, put together. Made by the store; queries over `{rows}` use it by themselves.",
            definition.bucket.word()
        )),
        kind: TableKind::Fact { order: leading(definition) },
        columns: Box::leak(columns.into_boxed_slice()),
    };
    Rollup {
        facts: definition.facts,
        table: Box::leak(Box::new(table)),
        bucket: definition.bucket,
        dimensions: definition.dimensions,
        measure,
        base,
        is_scattered: definition.kind == Kind::Scattered,
        since: definition.since,
    }
}

/// The dimensions that lead both the roll-up and the order of the facts: rows that come in the order of the facts make
/// roll-up rows in the order of these.
fn leading(definition: &Definition) -> &'static [&'static str] {
    let TableKind::Fact { order } = definition.facts.kind else { return &[] };
    let shared = definition.dimensions.iter().zip(order).take_while(|(own, facts)| own == facts).count();
    definition.dimensions.get(..shared).unwrap_or_default()
}

fn column(name: &'static str, kind: ColumnKind, nullable: bool, doc: String) -> Column {
    Column { name, kind, nullable, doc: leaked(doc) }
}

/// Tables are static; those of the roll-ups are made once, at the first use.
fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_name_columns_that_exist_and_the_project_is_always_among_them() {
        for rollup in rollups() {
            let name = rollup.table.name;
            for dimension in rollup.dimensions {
                let column = &rollup.facts.columns[rollup.facts.position(dimension).unwrap()];
                let can_be_compared =
                    matches!(column.kind, ColumnKind::Text | ColumnKind::Bool | ColumnKind::Int);
                assert!(can_be_compared, "{name}: {dimension}");
            }
            let measure = rollup.facts.position(rollup.measure.column).unwrap();
            assert_eq!(rollup.facts.columns[measure].kind, ColumnKind::Float, "{name}");
            assert_eq!(rollup.dimensions.first(), Some(&"project"), "{name}");
            let of_measure = 4 + usize::from(rollup.measure.sketch.is_some());
            assert_eq!(rollup.table.columns.len(), 4 + rollup.dimensions.len() + of_measure, "{name}");
            assert_eq!(rollup.is_scattered, rollup.measure.sketch.is_none(), "{name}");
            assert!((1..=ROLLUP_VERSION).contains(&rollup.since), "{name}");
            assert!(Table::named(name).is_some_and(|table| std::ptr::eq(table, rollup.table)));
        }
    }

    #[test]
    fn names_end_in_what_a_row_covers_and_are_unique() {
        let mut names: Vec<&str> = stored_tables().iter().map(|table| table.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for rollup in rollups() {
            let suffix = match rollup.bucket {
                Bucket::Hour => "_hourly",
                Bucket::Day => "_daily",
            };
            assert!(rollup.table.name.starts_with(rollup.facts.name), "{}", rollup.table.name);
            assert!(rollup.table.name.ends_with(suffix), "{}", rollup.table.name);
        }
    }

    #[test]
    fn coarser_rollups_are_made_of_finer_ones() {
        let base = |name: &str| Some(rollups()[rollup_named(name)?.base?].table.name);
        assert_eq!(base("tests_hourly"), None);
        assert_eq!(base("tests_daily"), Some("tests_hourly"));
        assert_eq!(base("tests_by_service_hourly"), Some("tests_hourly"));
        assert_eq!(base("tests_by_service_daily"), Some("tests_by_service_hourly"));
        assert_eq!(base("tests_by_project_daily"), Some("tests_by_service_daily"));
        assert_eq!(base("tests_by_run_hourly"), None);
        assert_eq!(base("samples_hourly"), None);
        assert_eq!(base("samples_daily"), Some("samples_hourly"));
    }

    #[test]
    fn buckets_begin_at_their_start_before_and_after_1970() {
        let hour = Bucket::Hour.micros();
        for (moment, start) in [(0, 0), (1, 0), (hour - 1, 0), (hour, hour), (-1, -hour), (-hour, -hour)] {
            assert_eq!(Bucket::Hour.start_of(moment), start, "{moment}");
        }
        assert_eq!(Bucket::Day.start_of(i64::MAX) % Bucket::Day.micros(), 0);
    }
}
