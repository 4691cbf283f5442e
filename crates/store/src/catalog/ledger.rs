//! The ledger: which deliveries were committed, by key.

use std::collections::BTreeMap;

use manometer_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::aged::Aged;
use crate::delivery::Delivery;
use crate::receipt::{DeliveryKey, Receipt};

/// Entries, as they are forgotten: by the index `ledger_by_age`, since deliveries come later than they were received.
pub(crate) const AGED: Aged =
    Aged { table: "ledger", id: "id", at: "received_at", only: "permanent = 0", order: "received_at" };

/// A ledger entry as far as a repetition needs it.
#[derive(Debug)]
pub(crate) struct KnownEntry {
    pub(crate) receipt: Receipt,
    pub(crate) body_hash: u128,
}

/// A ledger entry as the table `deliveries` shows it.
#[derive(Debug)]
pub(crate) struct LedgerRow {
    pub(crate) receipt: String,
    pub(crate) received_at: i64,
    pub(crate) source: String,
    pub(crate) kind: String,
    pub(crate) project: Option<String>,
    pub(crate) scope: String,
    pub(crate) key: String,
    pub(crate) body_hash: String,
    pub(crate) size_bytes: i64,
    pub(crate) row_counts: String,
    pub(crate) problem_count: i64,
    pub(crate) problems: String,
    pub(crate) treatment: String,
}

/// Enters a delivery; `None` when its key is already there, else the number of the entry.
pub(crate) fn insert(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<Option<i64>> {
    let Delivery { info, receipt, treatment, .. } = delivery;
    let row_counts = json(&receipt.rows)?;
    let problems = json(&info.problems.first)?;
    let changed = connection
        .prepare_cached(
            "INSERT INTO ledger(receipt, scope, key, body_hash, source, kind, project, received_at, size_bytes,
                                row_counts, problem_count, problems, permanent, treatment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            receipt.id,
            info.key.scope,
            info.key.key,
            info.body_hash.to_be_bytes().as_slice(),
            info.source,
            info.kind,
            info.project,
            info.received_at.as_micros(),
            i64::try_from(info.size_bytes).unwrap_or(i64::MAX),
            row_counts,
            i64::try_from(receipt.problems).unwrap_or(i64::MAX),
            problems,
            info.permanent,
            treatment.as_str(),
        ])?;
    Ok((changed == 1).then(|| connection.last_insert_rowid()))
}

/// Corrects the rows of an entry.
pub(crate) fn set_rows(connection: &Connection, entry: i64, receipt: &Receipt) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE ledger SET row_counts = ?2 WHERE id = ?1")?
        .execute(params![entry, json(&receipt.rows)?])?;
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Finds the entry of a key.
pub(crate) fn find(connection: &Connection, key: &DeliveryKey) -> rusqlite::Result<Option<KnownEntry>> {
    connection
        .prepare_cached(
            "SELECT receipt, body_hash, received_at, row_counts, problem_count FROM ledger
             WHERE scope = ?1 AND key = ?2",
        )?
        .query_row(params![key.scope, key.key], known_entry)
        .optional()
}

fn known_entry(row: &Row<'_>) -> rusqlite::Result<KnownEntry> {
    let hash: [u8; 16] = row.get(1)?;
    let row_counts: String = row.get(3)?;
    let rows: BTreeMap<String, u64> = serde_json::from_str(&row_counts).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(error))
    })?;
    let problems: i64 = row.get(4)?;
    Ok(KnownEntry {
        receipt: Receipt {
            id: row.get(0)?,
            received_at: Timestamp::from_micros(row.get(2)?),
            rows,
            problems: u64::try_from(problems).unwrap_or(0),
        },
        body_hash: u128::from_be_bytes(hash),
    })
}

const COLUMNS: &str =
    "receipt, received_at, source, kind, project, scope, key, lower(hex(body_hash)), size_bytes,
    row_counts, problem_count, problems, treatment";

fn ledger_row(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    Ok(LedgerRow {
        receipt: row.get(0)?,
        received_at: row.get(1)?,
        source: row.get(2)?,
        kind: row.get(3)?,
        project: row.get(4)?,
        scope: row.get(5)?,
        key: row.get(6)?,
        body_hash: row.get(7)?,
        size_bytes: row.get(8)?,
        row_counts: row.get(9)?,
        problem_count: row.get(10)?,
        problems: row.get(11)?,
        treatment: row.get(12)?,
    })
}

/// The newest entries, newest first.
pub(crate) fn newest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<LedgerRow>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM ledger ORDER BY id DESC LIMIT ?1"))?
        .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], ledger_row)?
        .collect()
}

/// Hands every entry to `each`, oldest first.
pub(crate) fn for_each<E: From<rusqlite::Error>>(
    connection: &Connection,
    mut each: impl FnMut(LedgerRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM ledger ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(ledger_row(row)?)?;
    }
    Ok(())
}
