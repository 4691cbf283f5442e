//! `store check`: everything a data folder holds is read and compared with what the catalog says of it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use manometer_model::records::TABLES;
use manometer_model::{EntityKey, Table};
use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::CompactBatch;
use crate::catalog::segments::SegmentEntry;
use crate::catalog::{Doing, entities, journal, ledger, segments};
use crate::cleanup::files_below;
use crate::companions::Totals;
use crate::entity::row_of;
use crate::error::StoreError;
use crate::filesystem::LocalFilesystem;
use crate::folders::Folders;
use crate::manifest::fingerprint;
use crate::options::StoreOptions;
use crate::pin::Pin;
use crate::read_only::begin_reading;
use crate::report::{CheckProblem, CheckReport};
use crate::segment::Segment;
use crate::segments::{as_table, open_reader};

/// Verifies everything a data folder holds: checksums, the catalog against the files, keys, counts.
/// Works while a process serves it. `progress` is told what is being looked at.
///
/// # Errors
/// When the folder could not be opened at all; what is wrong inside is in the report.
pub fn check(data: &Path, progress: &mut dyn FnMut(&str)) -> Result<CheckReport, StoreError> {
    let options = StoreOptions::new(data);
    let folders = Folders::new(data);
    let pin = Pin::place(data, &options.clock, "check")?;
    let connection = begin_reading(data)?;
    let mut report = CheckReport::default();
    progress("meta.db");
    check_catalog(&connection, &mut report)?;
    check_ledger(&connection, &mut report)?;
    progress("journal");
    check_journal(&connection, &mut report)?;
    progress("entities");
    check_entities(&connection, &mut report)?;
    let listed = segments::all(&connection).doing("read the list of segments")?;
    // Companions right after the segment they describe.
    let mut in_order: Vec<&SegmentEntry> = listed.iter().collect();
    in_order.sort_by_key(|entry| (entry.rolls_up.unwrap_or(entry.id), entry.rolls_up.is_some()));
    let mut last = None;
    for entry in in_order {
        progress(&entry.file);
        check_segment(&folders, entry, &mut last, &mut report);
    }
    note_unlisted(&connection, &folders, &listed, &mut report)?;
    drop(pin);
    Ok(report)
}

impl CheckReport {
    fn blame(&mut self, file: impl Into<PathBuf>, what: impl Into<String>) {
        self.problems.push(CheckProblem { file: file.into(), what: what.into() });
    }

    fn count(&mut self, table: &str, rows: u64) {
        *self.rows.entry(table.to_owned()).or_default() += rows;
    }
}

fn check_catalog(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    const DOING: &str = "check meta.db";
    let mut statement = connection.prepare("PRAGMA integrity_check(100)").doing(DOING)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0)).doing(DOING)?;
    for line in found {
        let line = line.doing(DOING)?;
        if line != "ok" {
            report.blame("meta.db", line);
        }
    }
    Ok(())
}

fn check_ledger(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut receipts = HashSet::new();
    let read = ledger::for_each::<rusqlite::Error>(connection, |row| {
        report.deliveries += 1;
        if serde_json::from_str::<BTreeMap<String, u64>>(&row.row_counts).is_err() {
            report.blame("meta.db", format!("delivery {}: its row counts are damaged", row.receipt));
        }
        if let Some(twice) = receipts.replace(row.receipt) {
            report.blame("meta.db", format!("receipt {twice} was given twice"));
        }
        Ok(())
    });
    read.doing("read the ledger")
}

fn check_journal(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let read = journal::for_each::<rusqlite::Error>(connection, |entry, payload| {
        report.journal_batches += 1;
        let what = format!("journal batch {}", entry.seq);
        if xxh3_64(payload) != entry.checksum {
            report.blame("meta.db", format!("{what} does not match its checksum"));
            return Ok(());
        }
        let Some(table) = Table::named(&entry.table_name) else {
            report.blame("meta.db", format!("{what} is of an unknown table {}", entry.table_name));
            return Ok(());
        };
        match CompactBatch::decode(table, payload, &what) {
            Err(error) => report.blame("meta.db", error.to_string()),
            Ok(batch) => {
                report.count(table.name, batch.rows as u64);
                let range = (batch.min_at.as_micros(), batch.max_at.as_micros());
                if batch.rows as u64 != entry.rows || range != (entry.min_at, entry.max_at) {
                    report.blame("meta.db", format!("{what}: count or times are not what the catalog says"));
                }
            }
        }
        Ok(())
    });
    read.doing("read the journal")
}

fn check_entities(connection: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    for table in TABLES.iter().filter(|table| table.is_entity()) {
        let read = entities::for_each::<rusqlite::Error>(connection, table.name, |key, doc| {
            report.entities += 1;
            report.count(table.name, 1);
            let shown = key.replace('\u{1f}', ", ");
            match row_of(table, doc) {
                Err(why) => report.blame("meta.db", format!("entity {}({shown}): {why}", table.name)),
                Ok(row) => {
                    if EntityKey::of_values(table, &row).is_none_or(|own| own.text != key) {
                        report.blame("meta.db", format!("entity {}({shown}) holds another key", table.name));
                    }
                }
            }
            Ok(())
        });
        read.doing("read the entities")?;
    }
    Ok(())
}

/// Reads a segment, and compares a companion with its segment, where that was the last one read.
fn check_segment(
    folders: &Folders,
    entry: &SegmentEntry,
    last: &mut Option<(i64, Totals)>,
    report: &mut CheckReport,
) {
    report.segments += 1;
    let seen = match read_segment(folders, entry) {
        Ok(seen) => seen,
        Err(what) => return report.blame(&entry.file, what),
    };
    report.count(&entry.table_name, seen.rows);
    let Some(segment) = entry.rolls_up else {
        *last = Some((entry.id, seen.totals));
        return;
    };
    if last.as_ref().is_some_and(|(id, totals)| *id == segment && !totals.agree(&seen.totals)) {
        report.blame(
            &entry.file,
            format!("does not add up to the rows of segment {segment}, which it describes"),
        );
    }
}

fn read_segment(folders: &Folders, entry: &SegmentEntry) -> Result<Seen, String> {
    let path = folders.file(&entry.file);
    let open = || std::fs::File::open(&path).map_err(|error| format!("cannot be read: {error}"));
    let (size_bytes, checksum) = fingerprint(open()?).map_err(|error| format!("cannot be read: {error}"))?;
    if size_bytes != entry.size_bytes {
        return Err(format!("has {size_bytes} bytes instead of {}", entry.size_bytes));
    }
    if checksum != entry.checksum {
        return Err("does not match its checksum".to_owned());
    }
    let table = Table::named(&entry.table_name).ok_or("is of an unknown table")?;
    let segment = Segment::new(entry.clone(), table, folders, None);
    let reader = open_reader(&segment, open()?).map_err(|error| error.to_string())?;
    let mut seen = Seen::default();
    for batch in reader {
        seen.add(table, &batch.map_err(|error| error.to_string())?)?;
    }
    if seen.rows != entry.rows {
        return Err(format!("has {} rows instead of {}", seen.rows, entry.rows));
    }
    if seen.rows > 0 && (seen.min_at, seen.max_at) != (Some(entry.min_at), Some(entry.max_at)) {
        return Err("has times other than the catalog says".to_owned());
    }
    Ok(seen)
}

/// What was read of a segment so far.
#[derive(Default)]
struct Seen {
    rows: u64,
    min_at: Option<i64>,
    max_at: Option<i64>,
    totals: Totals,
}

impl Seen {
    fn add(&mut self, table: &'static Table, batch: &RecordBatch) -> Result<(), String> {
        let rows = as_table(batch, table)?;
        self.rows += rows.num_rows() as u64;
        let at = rows.column_by_name("at").ok_or("has no column at")?;
        let times = at.as_primitive::<TimestampMicrosecondType>();
        if times.null_count() > 0 {
            return Err("has rows without a time".to_owned());
        }
        self.min_at = self.min_at.into_iter().chain(arrow::compute::min(times)).min();
        self.max_at = self.max_at.into_iter().chain(arrow::compute::max(times)).max();
        self.totals.add(table, &rows)
    }
}

/// Files the catalog does not know: a serving process may be about to list them, or a crash left them.
fn note_unlisted(
    connection: &Connection,
    folders: &Folders,
    listed: &[SegmentEntry],
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let garbage = segments::garbage(connection).doing("read the catalog")?;
    let known: HashSet<&str> =
        listed.iter().map(|entry| entry.file.as_str()).chain(garbage.iter().map(String::as_str)).collect();
    for path in files_below(&LocalFilesystem, &folders.segments())? {
        let Ok(relative) = path.strip_prefix(&folders.data) else { continue };
        if !known.contains(relative.to_string_lossy().as_ref()) {
            let what = "is not listed: it is being written now, or the next start removes it".to_owned();
            report.notes.push(CheckProblem { file: relative.to_owned(), what });
        }
    }
    Ok(())
}
