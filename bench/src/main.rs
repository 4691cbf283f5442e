//! The measured comparisons: what Manometer promises about speed and size, beside what people use today, measured
//! in one run on one machine.
//!
//! ```text
//! cargo run --release -p manometer-bench -- junit ingest requests storage start exec
//! cargo run --release -p manometer-bench -- all --hundred-million
//! ```
//!
//! The table goes to standard output, what is going on to standard error. `README.md` says what each line means.
//! Nothing here asserts a time: a figure that misses its goal says so in its line.

mod comparisons;
mod filled;
mod flask;
mod folder_size;
mod http_load;
mod postgres;
mod postgres_tests;
mod processes;
mod program;
mod python;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::report::Report;

/// Measure Manometer beside what people use today.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// What to measure
    #[arg(required = true, value_enum)]
    names: Vec<Name>,
    /// Rounds of each measurement; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Folder for data of both sides: the disk that is measured [default: the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Measure this binary instead of building one: to compare two versions
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Also start a store of 100 million test results (takes minutes and some 2 GB to fill)
    #[arg(long)]
    hundred_million: bool,
    /// Test results that `percentiles` asks about; they are kept below --folder for the next time
    #[arg(long, default_value_t = 100_000_000, value_parser = clap::value_parser!(u64).range(1_000_000..))]
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Everything below
    All,
    /// Reading JUnit: ours, quick-xml alone, Python's lxml with pydantic
    Junit,
    /// Durable test results over HTTP, beside PostgreSQL
    Ingest,
    /// Small durable requests, beside PostgreSQL
    Requests,
    /// GitHub's webhooks, signed and durable, beside Flask, SQLAlchemy and PostgreSQL
    Webhooks,
    /// Bytes a test result, starting and recovering
    Storage,
    /// Starting the command, and an idle server's memory
    Start,
    /// Percentiles of test results, beside DuckDB on the same files
    Percentiles,
    /// Dashboards answered from roll-ups, and what they leave of ingest
    Dashboards,
    /// Our side of `percentiles`, started by it: answers the SQL on standard input from the data in --folder
    #[value(hide = true)]
    Answer,
    /// What `exec` costs beside the bare command
    Exec,
}

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == comparisons::exec::TELL_TIME) {
        report::tell(&comparisons::exec::monotonic_seconds().to_string());
        return ExitCode::SUCCESS;
    }
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    let folder = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    if options.names == [Name::Answer] {
        return comparisons::percentiles::answer(&folder, options.rounds);
    }
    let scene = comparisons::Scene {
        rows: options.rows,
        rounds: options.rounds,
        folder,
        binary: options.binary.clone(),
        hundred_million: options.hundred_million,
    };
    let wants = |name| options.names.contains(&name) || options.names.contains(&Name::All);
    let mut report = Report::default();
    if wants(Name::Start) {
        comparisons::start::measure(&scene, &mut report)?;
    }
    if wants(Name::Exec) {
        comparisons::exec::measure(&scene, &mut report)?;
    }
    if wants(Name::Junit) {
        comparisons::junit::measure(&scene, &mut report)?;
    }
    if wants(Name::Requests) {
        comparisons::requests::measure(&scene, &mut report)?;
    }
    if wants(Name::Webhooks) {
        comparisons::webhooks::measure(&scene, &mut report)?;
    }
    if wants(Name::Ingest) {
        comparisons::ingest::measure(&scene, &mut report)?;
    }
    if wants(Name::Storage) {
        comparisons::storage::measure(&scene, &mut report)?;
    }
    if wants(Name::Percentiles) {
        comparisons::percentiles::measure(&scene, &mut report)?;
    }
    if wants(Name::Dashboards) {
        comparisons::dashboards::measure(&scene, &mut report)?;
    }
    report.print();
    Ok(())
}
