//! `manometer store …`: checking, copying and looking after a data folder.

mod listing;
mod retain;
mod stats;

use std::path::{Path, PathBuf};

use manometer_store::{ReadOnlyStore, Store, StoreOptions};

use crate::args::{DataArgs, StoreCommand};
use crate::config::Config;
use crate::exit::gate_failed;
use crate::output::{self, bytes, grouped};
use crate::progress;
use crate::remote::Remote;

/// Runs one of them.
pub(crate) fn run(command: &StoreCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        StoreCommand::Check { data } => check(&folder(data, config)),
        StoreCommand::Backup { data, destination } => backup(&folder(data, config), destination),
        StoreCommand::Restore { backup, data } => restore(backup, &folder(data, config)),
        StoreCommand::Stats { data, by, tables, format } => {
            stats::run(&folder(data, config), *by, tables, *format, &config.retention()?)
        }
        StoreCommand::Retain { data, remote, dry_run, format } => {
            let folder = folder(data, config);
            retain::run(&folder, Remote::from_args(remote)?.as_ref(), *dry_run, *format, config)
        }
        StoreCommand::Compact { data } => compact(&folder(data, config), config),
    }
}

/// The data folder: the flag or variable where given, else the settings.
pub(crate) fn folder(data: &DataArgs, config: &Config) -> PathBuf {
    data.data.clone().unwrap_or_else(|| config.data.clone())
}

fn check(data: &Path) -> anyhow::Result<()> {
    let bar = progress::spinner("checking");
    let report = manometer_store::check(data, &mut |step| bar.set_message(step.to_owned()))?;
    bar.finish_and_clear();
    for note in &report.notes {
        output::note(format!("note: {}: {}", note.file.display(), note.what));
    }
    for problem in &report.problems {
        output::error(format!("{}: {}", problem.file.display(), problem.what));
    }
    let rows: u64 = report.rows.values().sum();
    output::data(&format!(
        "{} rows in {} segments and {} journal batches, {} deliveries: {}\n",
        grouped(rows),
        grouped(report.segments),
        grouped(report.journal_batches),
        grouped(report.deliveries),
        if report.is_sound() { "sound" } else { "damaged" }
    ))?;
    if report.is_sound() {
        return Ok(());
    }
    Err(gate_failed(format!(
        "{} problem(s) in {}; `manometer store restore` makes a sound folder from a backup",
        report.problems.len(),
        data.display()
    )))
}

fn backup(data: &Path, destination: &Path) -> anyhow::Result<()> {
    let bar = progress::spinner("copying");
    let report = ReadOnlyStore::open(StoreOptions::new(data))?.backup(destination)?;
    bar.finish_and_clear();
    output::data(&format!(
        "{} files, {} in {}\n",
        grouped(report.files),
        bytes(report.size_bytes),
        report.destination.display()
    ))?;
    Ok(())
}

fn restore(source: &Path, data: &Path) -> anyhow::Result<()> {
    let bar = progress::spinner("verifying and copying");
    let report = manometer_store::restore(source, data)?;
    bar.finish_and_clear();
    output::data(&format!(
        "{} files, {} in {}\n",
        grouped(report.files),
        bytes(report.size_bytes),
        report.destination.display()
    ))?;
    Ok(())
}

fn compact(data: &Path, config: &Config) -> anyhow::Result<()> {
    let mut options = StoreOptions::new(data);
    options.limits = config.limits.clone();
    options.flush.background = false;
    let bar = progress::spinner("moving rows into segments and merging them");
    let store = Store::open(options)?;
    let flushed = store.flush()?;
    let report = store.compact()?;
    store.close();
    bar.finish_and_clear();
    output::data(&format!(
        "{} rows flushed; {} segments became {}, {} became {}\n",
        grouped(flushed.rows),
        grouped(report.segments_before),
        grouped(report.segments_after),
        bytes(report.bytes_before),
        bytes(report.bytes_after)
    ))?;
    Ok(())
}
