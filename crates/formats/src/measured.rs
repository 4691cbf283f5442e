//! What reports other than those of tests give: rows of coverage, of builds and of sizes.
//!
//! Every such reader has the form of [`Reader`]: it takes bytes, gives rows to a [`MeasuredSink`] one at a time, and
//! ends with a [`Summary`]. The rows know nothing of the run they belong to; who takes them lays it beside.

use std::io::BufRead;
use std::ops::ControlFlow;

use manometer_model::records::{Artifact, Build, Coverage};
use manometer_model::{Limits, Problems, Record, Timestamp};

use crate::detect::Look;
use crate::{ReadError, builds, coverage, sizes};

/// A reader of reports that measure something.
pub type Reader = fn(&mut dyn BufRead, &Limits, &mut dyn MeasuredSink) -> Result<Summary, ReadError>;

/// Takes the rows of a file, one at a time.
pub trait MeasuredSink {
    /// One row. `Break` ends the reading.
    fn row(&mut self, row: &Measured<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Measured<'_>) -> ControlFlow<()>> MeasuredSink for F {
    fn row(&mut self, row: &Measured<'_>) -> ControlFlow<()> {
        self(row)
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured<'a> {
    /// A row of `coverage`.
    Coverage(CoverageRow<'a>),
    /// A row of `builds`.
    Build(BuildRow<'a>),
    /// A row of `artifacts`.
    Artifact(ArtifactRow<'a>),
}

/// How much of one scope was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoverageRow<'a> {
    /// What the counts are of.
    pub scope: Scope<'a>,
    /// The counts.
    pub counts: Counts,
}

/// What counts are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All that the report covers.
    Total,
    /// A package, module or assembly.
    Package(&'a str),
    /// A source file.
    File(&'a str),
}

impl<'a> Scope<'a> {
    /// The word in the column `scope`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Package(_) => "package",
            Self::File(_) => "file",
        }
    }

    /// The name of the package or file.
    pub const fn name(self) -> Option<&'a str> {
        match self {
            Self::Total => None,
            Self::Package(name) | Self::File(name) => Some(name),
        }
    }
}

/// Lines, branches and functions; what a report does not tell is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines, or the statements of a language whose tool counts these.
    pub lines: Option<Share>,
    /// Branches.
    pub branches: Option<Share>,
    /// Functions or methods.
    pub functions: Option<Share>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many were executed.
    pub covered: u64,
    /// How many could have been.
    pub valid: u64,
}

impl Share {
    /// Both counts, where both are known.
    pub(crate) fn of(covered: Option<u64>, valid: Option<u64>) -> Option<Self> {
        covered.zip(valid).map(|(covered, valid)| Self { covered, valid })
    }

    /// The share in percent; `None` of nothing.
    pub fn percent(self) -> Option<f64> {
        (self.valid > 0).then(|| self.covered as f64 * 100.0 / self.valid as f64)
    }
}

/// One build, or one step of it, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BuildRow<'a> {
    /// What was built.
    pub name: &'a str,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// Did it work? `None` where the report does not tell.
    pub success: Option<bool>,
    /// When, where the report tells.
    pub at: Option<Timestamp>,
}

/// The size of something that was produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArtifactRow<'a> {
    /// Name, without what changes from run to run.
    pub name: &'a str,
    /// `file`, `folder`, `image`, `layer`, `package`, `bundle`, `asset`, …
    pub kind: &'a str,
    /// Size as stored or shipped.
    pub size_bytes: u64,
    /// When, where the report tells.
    pub at: Option<Timestamp>,
}

/// What a file was made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Packages with a row of coverage.
    pub packages: u64,
    /// Source files with a row of coverage.
    pub files: u64,
    /// Lines of the total.
    pub lines: Option<Share>,
    /// Rows of builds.
    pub builds: u64,
    /// Rows of artifacts.
    pub artifacts: u64,
    /// What could not be used.
    pub problems: Problems,
    /// Did the file end too early, or go on past a limit? What was given to the sink is whole all the same.
    pub truncated: bool,
}

/// A count as a column holds it.
pub fn column_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl From<&Measured<'_>> for Record {
    /// The row as a record that belongs to no run yet.
    fn from(row: &Measured<'_>) -> Self {
        match row {
            Measured::Coverage(CoverageRow { scope, counts }) => {
                let covered = |share: Option<Share>| share.map(|share| column_count(share.covered));
                let valid = |share: Option<Share>| share.map(|share| column_count(share.valid));
                Self::Coverage(Coverage {
                    run_attempt: 1,
                    scope: scope.as_str().to_owned(),
                    name: scope.name().map(str::to_owned),
                    lines_covered: covered(counts.lines),
                    lines_valid: valid(counts.lines),
                    branches_covered: covered(counts.branches),
                    branches_valid: valid(counts.branches),
                    functions_covered: covered(counts.functions),
                    functions_valid: valid(counts.functions),
                    ..Coverage::default()
                })
            }
            Measured::Build(build) => Self::Build(Build {
                run_attempt: 1,
                name: build.name.to_owned(),
                duration_seconds: build.duration_seconds,
                success: build.success,
                at: build.at.unwrap_or_default(),
                ..Build::default()
            }),
            Measured::Artifact(artifact) => Self::Artifact(Artifact {
                run_attempt: 1,
                name: artifact.name.to_owned(),
                kind: Some(artifact.kind.to_owned()),
                size_bytes: column_count(artifact.size_bytes),
                at: artifact.at.unwrap_or_default(),
                ..Artifact::default()
            }),
        }
    }
}

/// Reads a report into records that belong to no run yet (`provider`, `project` and `run_id` are empty, and `at` is
/// the epoch where the report states no time).
///
/// # Errors
/// As the reader.
pub fn read_to_vec(
    reader: Reader,
    input: &mut dyn BufRead,
    limits: &Limits,
) -> Result<(Vec<Record>, Summary), ReadError> {
    let mut records = Vec::new();
    let mut sink = |row: &Measured<'_>| {
        records.push(Record::from(row));
        ControlFlow::Continue(())
    };
    let summary = reader(input, limits, &mut sink)?;
    Ok((records, summary))
}

/// One format of measured reports.
#[derive(Debug)]
pub struct Format {
    /// Its name in receipts: `cobertura`.
    pub name: &'static str,
    /// Its reader.
    pub read: Reader,
    /// How it knows its own.
    pub(crate) claims: fn(&Look<'_>) -> bool,
}

/// Every such format, the first to claim an input wins.
pub static FORMATS: &[Format] = &[
    Format { name: "clover", read: coverage::clover::read, claims: coverage::clover::claims },
    Format { name: "cobertura", read: coverage::cobertura::read, claims: coverage::cobertura::claims },
    Format { name: "jacoco", read: coverage::jacoco::read, claims: coverage::jacoco::claims },
    Format { name: "opencover", read: coverage::opencover::read, claims: coverage::opencover::claims },
    Format { name: "lcov", read: coverage::lcov::read, claims: coverage::lcov::claims },
    Format { name: "coverage.py", read: coverage::coverage_py::read, claims: coverage::coverage_py::claims },
    Format { name: "gcovr", read: coverage::gcovr::read, claims: coverage::gcovr::claims },
    Format { name: "llvm-cov", read: coverage::llvm_cov::read, claims: coverage::llvm_cov::claims },
    Format { name: "simplecov", read: coverage::simplecov::read, claims: coverage::simplecov::claims },
    Format { name: "go-cover", read: coverage::go_profile::read, claims: coverage::go_profile::claims },
    Format { name: "artifacts", read: sizes::listing::read, claims: sizes::listing::claims },
    Format { name: "ninja-log", read: builds::ninja_log::read, claims: builds::ninja_log::claims },
    Format { name: "make-times", read: builds::make_times::read, claims: builds::make_times::claims },
    Format {
        name: "cargo-timings",
        read: builds::cargo_timings::read,
        claims: builds::cargo_timings::claims,
    },
    Format {
        name: "gradle-profile",
        read: builds::gradle_profile::read,
        claims: builds::gradle_profile::claims,
    },
    Format {
        name: "webpack-stats",
        read: builds::webpack_stats::read,
        claims: builds::webpack_stats::claims,
    },
    Format { name: "rollup-visualizer", read: builds::visualizer::read, claims: builds::visualizer::claims },
];

/// The way out for readers of builds and sizes: rows are given to the sink and counted.
pub(crate) struct Outlet<'s> {
    sink: &'s mut dyn MeasuredSink,
    has_enough: bool,
    pub(crate) summary: Summary,
}

impl<'s> Outlet<'s> {
    pub(crate) fn new(sink: &'s mut dyn MeasuredSink) -> Self {
        Self { sink, has_enough: false, summary: Summary::default() }
    }

    pub(crate) fn build(&mut self, row: BuildRow<'_>) {
        if !self.has_enough {
            self.summary.builds += 1;
            self.has_enough = self.sink.row(&Measured::Build(row)).is_break();
        }
    }

    pub(crate) fn artifact(&mut self, row: ArtifactRow<'_>) {
        if !self.has_enough {
            self.summary.artifacts += 1;
            self.has_enough = self.sink.row(&Measured::Artifact(row)).is_break();
        }
    }

    /// Does the sink want no more?
    pub(crate) fn has_enough(&self) -> bool {
        self.has_enough
    }
}
