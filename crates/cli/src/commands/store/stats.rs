//! `manometer store stats`: what lies in a folder, by table and time, and when it goes.

use std::path::Path;

use manometer_model::near_names::near_names;
use manometer_model::records::TABLES;
use manometer_model::{Retention, Table, Timestamp};
use manometer_store::{Detail, Holding, ReadOnlyStore, StoreOptions};

use super::listing::{self, Heads, Line};
use crate::args::{StatsDetail, StoreFormat};
use crate::exit::usage;
use crate::output::{bytes, grouped};

const HEADS: Heads = Heads {
    shown: &[
        "table",
        "period",
        ">rows",
        ">unflushed",
        ">segments",
        ">on disk",
        ">bytes/row",
        "oldest",
        "newest",
        "first go",
        "last go",
        "kept",
    ],
    plain: &[
        "table",
        "period",
        "rows",
        "rows_in_memory",
        "segments",
        "bytes",
        "bytes_per_row",
        "oldest",
        "newest",
        "first_removal",
        "last_removal",
        "kept",
    ],
};

/// Prints the numbers of a folder, which a server may have open.
pub(super) fn run(
    data: &Path,
    by: StatsDetail,
    tables: &[String],
    format: StoreFormat,
    retention: &Retention,
) -> anyhow::Result<()> {
    for name in tables {
        if Table::named(name).is_none() {
            let names: Vec<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
            let near = near_names(name, &names).join(", ");
            return Err(usage(format!("there is no table `{name}`; near it: {near}")));
        }
    }
    let store = ReadOnlyStore::open(StoreOptions::new(data))?;
    let detail = match by {
        StatsDetail::Table => Detail::Table,
        StatsDetail::Month => Detail::Month,
        StatsDetail::Day => Detail::Day,
    };
    let mut holdings = store.snapshot().holdings(detail, retention);
    holdings.retain(|holding| tables.is_empty() || tables.contains(&holding.table));
    let lines: Vec<Line> = holdings.iter().map(line).collect();
    listing::print(format, &HEADS, &lines, &holdings)
}

fn line(holding: &Holding) -> Line {
    let date =
        |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string().chars().take(10).collect());
    let or_nothing = |number: u64, text: String| if number == 0 { String::new() } else { text };
    let per_row = holding.bytes_per_row();
    Line {
        shown: vec![
            holding.table.clone(),
            holding.period.clone(),
            grouped(holding.rows),
            or_nothing(holding.rows_in_memory, grouped(holding.rows_in_memory)),
            or_nothing(holding.segments, grouped(holding.segments)),
            or_nothing(holding.bytes, bytes(holding.bytes)),
            per_row.map_or_else(String::new, |bytes| format!("{bytes:.1}")),
            date(holding.oldest),
            date(holding.newest),
            holding.first_removal.clone().unwrap_or_default(),
            holding.last_removal.clone().unwrap_or_default(),
            holding.kept.clone(),
        ],
        plain: vec![
            holding.table.clone(),
            holding.period.clone(),
            holding.rows.to_string(),
            holding.rows_in_memory.to_string(),
            holding.segments.to_string(),
            holding.bytes.to_string(),
            per_row.map_or_else(String::new, |bytes| format!("{bytes:.3}")),
            holding.oldest.map_or_else(String::new, |at| at.to_string()),
            holding.newest.map_or_else(String::new, |at| at.to_string()),
            holding.first_removal.clone().unwrap_or_default(),
            holding.last_removal.clone().unwrap_or_default(),
            holding.kept.clone(),
        ],
        weight: holding.bytes,
    }
}
