//! `manometer store retain`: removes what is older than its table keeps it, or tells what would go.

use std::path::Path;

use manometer_model::{Clock as _, SystemClock};
use manometer_store::{OpenError, ReadOnlyStore, RetainReport, Store, StoreOptions, TablePlan};

use super::listing::{self, Heads, Line};
use crate::args::StoreFormat;
use crate::config::Config;
use crate::exit::server;
use crate::output::{self, bytes, grouped};
use crate::progress;
use crate::remote::Remote;

const PLAN: Heads = Heads {
    shown: &[
        "table",
        ">rows that go",
        ">about",
        ">segments removed",
        ">written anew",
        ">rows that wait",
        ">unflushed",
    ],
    plain: &[
        "table",
        "rows",
        "bytes",
        "segments_removed",
        "segments_rewritten",
        "waiting_rows",
        "unflushed_rows",
    ],
};

const REMOVED: Heads =
    Heads { shown: &["table", ">rows removed", ">given back"], plain: &["table", "rows", "bytes"] };

/// Removes or tells, in a folder or on a server.
pub(super) fn run(
    data: &Path,
    remote: Option<&Remote>,
    dry_run: bool,
    format: StoreFormat,
    config: &Config,
) -> anyhow::Result<()> {
    if dry_run {
        let plans = match remote {
            Some(remote) => ask(remote, true)?,
            None => {
                let store = ReadOnlyStore::open(StoreOptions::new(data))?;
                store.snapshot().retention_plan(&config.retention()?, SystemClock.now())?
            }
        };
        if plans.is_empty() {
            output::note("nothing is older than its term");
        }
        return listing::print(format, &PLAN, &plans.iter().map(planned).collect::<Vec<_>>(), &plans);
    }
    let report = match remote {
        Some(remote) => ask(remote, false)?,
        None => apply(data, config)?,
    };
    if report.tables.is_empty() {
        output::note("nothing was older than its term");
    }
    let lines: Vec<Line> = report
        .tables
        .iter()
        .map(|(table, removed)| Line {
            shown: vec![table.clone(), grouped(removed.rows), bytes(removed.bytes)],
            plain: vec![table.clone(), removed.rows.to_string(), removed.bytes.to_string()],
            weight: removed.bytes,
        })
        .collect();
    listing::print(format, &REMOVED, &lines, &report)
}

fn planned(plan: &TablePlan) -> Line {
    let numbers = [plan.segments_removed, plan.segments_rewritten, plan.waiting_rows, plan.unflushed_rows];
    let mut shown = vec![plan.table.clone(), grouped(plan.rows), bytes(plan.bytes)];
    shown.extend(numbers.map(grouped));
    let mut plain = vec![plan.table.clone(), plan.rows.to_string(), plan.bytes.to_string()];
    plain.extend(numbers.map(|number| number.to_string()));
    Line { shown, plain, weight: plan.bytes }
}

fn apply(data: &Path, config: &Config) -> anyhow::Result<RetainReport> {
    let mut options = StoreOptions::new(data);
    options.limits = config.limits.clone();
    options.retention = config.retention()?;
    options.flush.background = false;
    let bar = progress::spinner("removing what is older than its table keeps it");
    let store = Store::open(options).map_err(|error| match error {
        OpenError::InUse { .. } => anyhow::anyhow!(
            "{error}; a server removes by itself what is over: ask it with --server, or look with --dry-run"
        ),
        other => other.into(),
    })?;
    let report = store.retain()?;
    store.close();
    bar.finish_and_clear();
    Ok(report)
}

fn ask<T: serde::de::DeserializeOwned>(remote: &Remote, dry_run: bool) -> anyhow::Result<T> {
    let path = if dry_run { "/api/v1/store/retention?dry_run=true" } else { "/api/v1/store/retention" };
    let answer = remote.send(remote.post(path))?;
    let text = answer.text().map_err(|error| server(format!("the server's answer broke off: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| server(format!("the server's answer was not understood: {error}")))
}
