//! `manometer deliveries`: what arrived and what became of it; webhooks can be read again.

use std::path::Path;

use manometer_ingest::webhooks::prepare_again;
use manometer_model::{Clock as _, SystemClock};
use manometer_store::{Store, StoreOptions};
use serde_json::Value;

use crate::args::{DeliveriesCommand, Format, QueryArgs};
use crate::commands::query;
use crate::commands::store::folder;
use crate::config::Config;
use crate::exit::{gate_failed, server};
use crate::output;
use crate::remote::Remote;

/// Runs one of them.
pub(crate) fn run(command: &DeliveriesCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        DeliveriesCommand::List { data, remote, treatment, source, limit, format } => {
            let asked = QueryArgs {
                sql: listing(treatment.map(|word| word.as_str()), source.as_deref(), *limit, *format),
                data: data.clone(),
                remote: remote.clone(),
                format: *format,
                output: None,
                timeout: None,
                rows: None,
            };
            query::run(&asked, config)
        }
        DeliveriesCommand::Replay { data, remote, receipts } => {
            let failed = match Remote::from_args(remote)? {
                Some(remote) => replay_there(&remote, receipts)?,
                None => replay_here(&folder(data, config), config, receipts)?,
            };
            if failed == 0 {
                return Ok(());
            }
            Err(gate_failed(format!("{failed} of {} deliveries could not be read again", receipts.len())))
        }
    }
}

/// The columns people look for; programs get them all.
fn listing(treatment: Option<&str>, source: Option<&str>, limit: u32, format: Format) -> String {
    let columns = match format {
        Format::Table => {
            "receipt_id, received_at, source, kind, treatment, project, row_count AS rows, problem_count AS problems"
        }
        _ => "*",
    };
    let mut conditions = Vec::new();
    for (column, word) in [("treatment", treatment), ("source", source)] {
        if let Some(word) = word {
            conditions.push(format!("{column} = '{}'", word.replace('\'', "''")));
        }
    }
    let filter = match conditions.as_slice() {
        [] => String::new(),
        some => format!(" WHERE {}", some.join(" AND ")),
    };
    format!("SELECT {columns} FROM deliveries{filter} ORDER BY received_at DESC LIMIT {limit}")
}

/// Answers how many could not be read.
fn replay_here(data: &Path, config: &Config, receipts: &[String]) -> anyhow::Result<usize> {
    let mut options = StoreOptions::new(data);
    options.limits = config.limits.clone();
    let store = Store::open(options)?;
    let rules = config.service_rules()?;
    let mut failed = 0;
    for receipt in receipts {
        let replayed = prepare_again(&store, receipt, &rules, &config.limits, SystemClock.now())
            .and_then(|prepared| prepared.commit_durable(&store));
        match replayed {
            Ok(ingested) => {
                let receipt_of_replay = ingested.outcome.receipt();
                failed +=
                    usize::from(!ingested.problems.first.is_empty() && receipt_of_replay.rows.is_empty());
                tell(receipt, &receipt_of_replay.id, ingested.problems.total)?;
            }
            Err(error) => {
                failed += 1;
                output::error(error.to_string());
            }
        }
    }
    store.close();
    Ok(failed)
}

fn replay_there(remote: &Remote, receipts: &[String]) -> anyhow::Result<usize> {
    let mut failed = 0;
    for receipt in receipts {
        match remote.send(remote.post(&format!("/api/v1/deliveries/{receipt}/replay"))) {
            Ok(response) => {
                let text = response
                    .text()
                    .map_err(|error| server(format!("the server's answer broke off: {error}")))?;
                let answer: Value = serde_json::from_str(&text).unwrap_or_default();
                let word =
                    |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                failed += usize::from(word("status") == "failed");
                let problems = answer.get("problem_count").and_then(Value::as_u64).unwrap_or_default();
                tell(receipt, &word("id"), problems)?;
            }
            Err(error) => {
                failed += 1;
                output::error(error.to_string());
            }
        }
    }
    Ok(failed)
}

fn tell(receipt: &str, replay: &str, problems: u64) -> anyhow::Result<()> {
    let remark = match problems {
        0 => String::new(),
        count => format!(", {count} problems"),
    };
    output::data(&format!("{receipt} read again as {replay}{remark}\n"))?;
    Ok(())
}
