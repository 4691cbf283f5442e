//! Entities that ended long ago are forgotten; a run goes together with its jobs.
//!
//! | entity                              | its term begins on the day of                                |
//! |-------------------------------------|--------------------------------------------------------------|
//! | has ended                           | its end, else the latest time known of it                    |
//! | has a status or an end, and has not | the latest time known of it, and lasts a year at least       |
//! | a job whose run is known            | — it goes with its run                                       |
//! | without any time                    | — it stays                                                   |

use std::sync::Arc;

use manometer_model::key::KEY_SEPARATOR;
use manometer_model::records::{JOBS, RUNS, TABLES};
use manometer_model::{EntityKey, Keep, Status, Table, Timestamp, Value};
use rusqlite::Connection;

use super::GoesOn;
use crate::catalog::entities;
use crate::entity::row_of;
use crate::error::StoreError;
use crate::inner::Inner;
use crate::memory::Change;
use crate::report::RetainReport;
use crate::schema::table_index;

/// Entities deleted in one transaction, give or take the jobs of one run.
const FORGOTTEN_AT_ONCE: usize = 5_000;

/// What has not ended is kept for so long after its last sign of life, however short its term.
const UNENDED: Keep = Keep::Days(365);

/// An entity whose term is over, as it was when it was looked at.
struct Over {
    key: String,
    doc: Arc<[u8]>,
}

/// Looks at every entity and forgets those whose term is over; false when `goes_on` said no.
pub(super) fn forget(
    inner: &Inner,
    today: i32,
    report: &mut RetainReport,
    goes_on: GoesOn<'_>,
) -> Result<bool, StoreError> {
    for (index, table) in TABLES.iter().enumerate().filter(|(_, table)| table.is_entity()) {
        let keep = inner.options.retention.of(table).keep;
        if keep == Keep::Forever {
            continue;
        }
        let chunks = inner.memory.read().tables.get(index).map(|table| table.entities.chunks());
        for chunk in chunks.unwrap_or_default() {
            if !goes_on()? {
                return Ok(false);
            }
            let mut over = Vec::new();
            for doc in chunk.documents() {
                over.extend(over_of(inner, table, keep, doc, today)?);
            }
            let mut rest = over.as_slice();
            while !rest.is_empty() {
                let done = forget_some(inner, index, table, rest, report)?;
                rest = rest.get(done..).unwrap_or_default();
            }
        }
    }
    Ok(true)
}

fn over_of(
    inner: &Inner,
    table: &'static Table,
    keep: Keep,
    doc: &Arc<[u8]>,
    today: i32,
) -> Result<Option<Over>, StoreError> {
    let row = row_of(table, doc)
        .map_err(|why| StoreError::Corrupt { what: format!("an entity of table {}: {why}", table.name) })?;
    if !is_over(table, &row, keep, today) {
        return Ok(None);
    }
    let Some(key) = EntityKey::of_values(table, &row) else { return Ok(None) };
    if std::ptr::eq(table, &JOBS) && has_run(inner, &key.text) {
        return Ok(None);
    }
    Ok(Some(Over { key: key.text, doc: Arc::clone(doc) }))
}

/// Is the term of an entity, given as its cells, over?
pub(super) fn is_over(table: &Table, row: &[Value<'_>], keep: Keep, today: i32) -> bool {
    let cell = |name: &str| table.position(name).and_then(|position| row.get(position)).copied();
    let end = [cell("finished_at"), cell("resolved_at")].into_iter().flatten().find_map(time);
    let has_ended = match (cell("status"), table.position("resolved_at")) {
        (Some(status), _) => status == Value::Text(Status::Completed.as_str()),
        (None, Some(_)) => end.is_some(),
        (None, None) => true,
    };
    let latest = row.iter().copied().filter_map(time).max();
    let Some(from) = end.filter(|_| has_ended).or(latest) else { return false };
    let term = if has_ended { keep } else { keep.max(UNENDED) };
    term.ends_on(from.day()).is_some_and(|end| today >= end)
}

const fn time(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Time(time) => Some(time),
        _ => None,
    }
}

/// Is the run of a job known? The key of a job begins with that of its run.
fn has_run(inner: &Inner, job: &str) -> bool {
    let Some((run, _)) = job.rsplit_once(KEY_SEPARATOR) else { return false };
    let memory = inner.memory.read();
    let runs = table_index(&RUNS).and_then(|index| memory.tables.get(index));
    runs.is_some_and(|runs| runs.entities.get(run).is_some())
}

/// Forgets the first of some entities in one transaction; answers how many of them it went through. One that changed
/// since it was looked at stays: somebody spoke of it again.
fn forget_some(
    inner: &Inner,
    index: usize,
    table: &'static Table,
    over: &[Over],
    report: &mut RetainReport,
) -> Result<usize, StoreError> {
    let turn = inner.maintenance.lock();
    inner.must_be_open()?;
    let is_runs = std::ptr::eq(table, &RUNS);
    let forgotten = inner.commit_durable(|connection| {
        let mut forgotten: Vec<(usize, String)> = Vec::new();
        let mut done = 0;
        for Over { key, doc } in over {
            if forgotten.len() >= FORGOTTEN_AT_ONCE {
                break;
            }
            done += 1;
            // Nothing is committed while the writer is held, so what memory shows now is what is true.
            let is_unchanged = inner
                .memory
                .read()
                .tables
                .get(index)
                .and_then(|table| table.entities.get(key))
                .is_some_and(|now| Arc::ptr_eq(now, doc));
            if !is_unchanged {
                continue;
            }
            if is_runs {
                forget_jobs(connection, key, &mut forgotten)?;
            }
            entities::forget(connection, table.name, key)?;
            forgotten.push((index, key.clone()));
        }
        let change = Change { forgotten: forgotten.clone(), ..Change::default() };
        Ok(((done, forgotten), change))
    });
    drop(turn);
    let (done, forgotten) = forgotten.map_err(|error| error.into_store_error(inner))?;
    for (index, _) in &forgotten {
        if let Some(table) = TABLES.get(*index) {
            inner.retain.count(table, 1, 0);
            report.removed(table, 1, 0);
        }
    }
    Ok(done)
}

fn forget_jobs(
    connection: &Connection,
    run: &str,
    forgotten: &mut Vec<(usize, String)>,
) -> rusqlite::Result<()> {
    let Some(index) = table_index(&JOBS) else { return Ok(()) };
    for job in entities::keys_with_prefix(connection, JOBS.name, &format!("{run}{KEY_SEPARATOR}"))? {
        entities::forget(connection, JOBS.name, &job)?;
        forgotten.push((index, job));
    }
    Ok(())
}
