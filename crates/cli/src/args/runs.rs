//! Commands about measured runs: those stored on this machine, or on a server.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use manometer_agent::metric::Worse;

use super::RemoteArgs;
use crate::env;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List measured runs, newest first
    Ls(LsArgs),
    /// Show everything about one measured run
    Show(ShowArgs),
    /// Write measured runs as JSON, CSV or Parquet
    Export(ExportArgs),
    /// Lay two measured runs side by side
    Compare(CompareArgs),
    /// Is the newest run worse than those before it? Exit code 1 where it is
    RegressionCheck(RegressionArgs),
    /// Remove old days from the local store
    Prune(PruneArgs),
}

/// Where measured runs are read from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the runs are")]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// On a server, runs of this project; `*` for all [default: that of the git checkout around this folder]
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Read the store of this machine, also where a server is set in the environment
    #[arg(long)]
    pub(crate) local: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Where the local store is.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder of the local store [default: .manometer in the git checkout, or in this folder]
    #[arg(long = "path", value_name = "FOLDER", env = env::PATH, hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub(crate) path: Option<PathBuf>,
}

/// Which runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which runs")]
pub(crate) struct SelectionArgs {
    /// Of this type: build, tests, …
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Of this operation
    #[arg(long)]
    pub(crate) operation: Option<String>,
    /// From then on: 30d, 12h, yesterday, 2026-11-01, 2026-11-01T08:00:00Z
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Before then, in the same words
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
}

/// `manometer ls`
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
    /// Form of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// One line a run, for people
    Table,
    /// The records, as `export` writes them
    Json,
    /// One line a metric, as `export` writes them
    Csv,
}

const RUN_HELP: &str = "The beginning of its id, as long as it is the only such run; `latest`, `latest~1`, …";

/// `manometer show`
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub(crate) format: ShowFormat,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Forms of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For people
    Text,
    /// The record
    Json,
}

/// Forms of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// An array of the records as they are stored
    Json,
    /// One line a metric, with a header
    Csv,
    /// One row a metric, as an Apache Parquet file; not in the small build
    Parquet,
}

/// `manometer export`
#[derive(Debug, Args)]
#[command(after_help = "\
JSON is one array of the records as they are stored. CSV and Parquet have one line a metric: run_id, type, timestamp,
git_commit, operation, duration, success, metric, value, unit, tags; a run without metrics has one line without them.")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// Of this day (UTC): 2025-05-30
    #[arg(long, value_name = "DATE", conflicts_with_all = ["since", "until"])]
    pub(crate) date: Option<String>,
    /// At most so many, the newest [default: all]
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// Form of the file
    #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
    pub(crate) format: ExportFormat,
    /// Write to this file instead of standard output; it appears when it is complete
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// `manometer compare`
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[arg(value_name = "BEFORE", help = RUN_HELP)]
    pub(crate) before: String,
    #[arg(value_name = "AFTER", help = "The run to compare with it", default_value = "latest")]
    pub(crate) after: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub(crate) format: ReportFormat,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Aligned columns for people
    Table,
    /// For a pull request
    Markdown,
    /// For programs
    Json,
}

/// `manometer regression-check`
#[derive(Debug, Args)]
#[command(after_help = "\
A metric is worse when it moved the bad way by more than the threshold, measured from the median of earlier comparable
runs (same type, operation and tags, not failed), and further than these runs differ among themselves. Several runs of
the same thing, named one after the other, are judged together and show smaller changes.

Exit codes: 0 nothing is worse (or there is nothing to compare with yet), 1 something is, 2 wrong call, 3 server away.")]
pub(crate) struct RegressionArgs {
    #[arg(value_name = "RUN", help = "The runs in question [default: the newest]; as for `show`")]
    pub(crate) runs: Vec<String>,
    /// Change that matters: 20% or 0.2
    #[arg(long, default_value = "20%", value_parser = crate::runs::words::share)]
    pub(crate) threshold: f64,
    /// Compare with so many earlier runs
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) last: usize,
    /// Check the newest run of this type
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "runs")]
    pub(crate) kind: Option<String>,
    /// Check the newest run of this operation
    #[arg(long, conflicts_with = "runs")]
    pub(crate) operation: Option<String>,
    /// Only this metric; may be repeated, `*` stands for anything: 'artifact.*'
    #[arg(long = "metric", value_name = "NAME")]
    pub(crate) metrics: Vec<String>,
    /// Which way a metric is worse, where its name does not tell: NAME=higher|lower|either|never; may be repeated
    #[arg(long = "worse", value_name = "NAME=WAY", value_parser = crate::runs::words::direction)]
    pub(crate) directions: Vec<(String, Worse)>,
    /// Compare only with runs of this branch
    #[arg(long, value_name = "BRANCH")]
    pub(crate) baseline_branch: Option<String>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub(crate) format: ReportFormat,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// `manometer prune`
#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Remove the days before then: 90d, 2026-01-01
    #[arg(long, value_name = "WHEN")]
    pub(crate) older_than: String,
    /// Only say what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
