//! The committer: takes what is queued, commits it as one group, and only then answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use manometer_model::Timestamp;
use rusqlite::Connection;

use crate::batch::EncodedBatch;
use crate::catalog::{entities, fact_keys, followers, journal, ledger, raw, segments};
use crate::entity::merge_encoded;
use crate::error::CommitError;
use crate::follow;
use crate::inner::{Inner, PoisonOnPanic, TransactionError};
use crate::memory::{Change, MemoryBatch};
use crate::queue::Job;
use crate::receipt::Outcome;
use crate::schema::table_index;
use crate::segment::Segment;

/// Runs until the queue is closed and empty.
pub(crate) fn run(inner: &Inner) {
    let guard = PoisonOnPanic { inner };
    while let Some(group) = inner.queue.take_group() {
        commit_group(inner, group);
        inner.bell.ring_if_due(inner);
    }
    drop(guard);
}

fn commit_group(inner: &Inner, group: Vec<Job>) {
    inner.counters.commit_groups.fetch_add(1, Ordering::Relaxed);
    let committed = inner.commit_durable(|connection| stage(inner, connection, &group));
    match committed {
        Ok(outcomes) => {
            for (job, outcome) in group.into_iter().zip(outcomes) {
                let counter = match outcome {
                    Outcome::Committed(_) => &inner.counters.committed,
                    Outcome::Known(_) | Outcome::Conflict(_) => &inner.counters.repeated,
                };
                counter.fetch_add(1, Ordering::Relaxed);
                settle_drafts(job, outcome);
            }
        }
        Err(error) => {
            for job in group {
                fail(job, &error);
            }
        }
    }
}

/// Hands over the files of a committed delivery, or lets those of a repeated one go; then answers.
fn settle_drafts(job: Job, outcome: Outcome) {
    let Job { delivery, promise } = job;
    if matches!(outcome, Outcome::Committed(_)) {
        for draft in delivery.drafts {
            draft.hand_over();
        }
    } else {
        drop(delivery);
    }
    promise.answer(Ok(outcome));
}

fn fail(job: Job, error: &TransactionError) {
    if error.is_doubtful() {
        for draft in job.delivery.drafts {
            draft.doubtful();
        }
    }
    job.promise.answer(Err(match error {
        TransactionError::DiskFull { .. } => CommitError::DiskFull,
        TransactionError::Poisoned { reason } => CommitError::Poisoned { reason: reason.clone() },
        TransactionError::Closed => CommitError::Closed,
    }));
}

/// Entities touched by the group so far, by table and key.
type Merged = HashMap<(usize, String), Vec<u8>>;

fn stage(inner: &Inner, connection: &Connection, group: &[Job]) -> rusqlite::Result<(Vec<Outcome>, Change)> {
    let mut change = Change::default();
    let mut merged = Merged::new();
    let mut outcomes = Vec::with_capacity(group.len());
    let now = inner.options.clock.now();
    for job in group {
        let delivery = &job.delivery;
        let Some(entry) = ledger::insert(connection, delivery)? else {
            outcomes.push(repeated(connection, job)?);
            continue;
        };
        for batch in &delivery.batches {
            stage_batch(inner, connection, batch, now, &mut change)?;
        }
        let mut receipt = delivery.receipt.clone();
        for group in &delivery.once {
            let is_first = fact_keys::insert(connection, &group.key, now.as_micros())?;
            for batch in &group.batches {
                if is_first {
                    stage_batch(inner, connection, batch, now, &mut change)?;
                } else {
                    receipt.take_back(batch.content.table.name, batch.content.rows as u64);
                }
            }
        }
        if receipt.rows != delivery.receipt.rows {
            ledger::set_rows(connection, entry, &receipt)?;
        }
        if let Some(packed) = &delivery.raw {
            raw::insert(connection, entry, delivery.info.received_at.as_micros(), packed)?;
        }
        if !delivery.drafts.is_empty() && inner.followers.any() {
            let rows = delivery.drafts.iter().map(|draft| draft.entry.rows).sum();
            followers::pass_over(connection, rows)?;
        }
        for draft in &delivery.drafts {
            segments::insert(connection, &draft.entry)?;
            if let Some(index) = table_index(draft.table) {
                let garbage = Some(Arc::clone(&inner.garbage));
                let segment = Segment::new(draft.entry.clone(), draft.table, &inner.space.folders, garbage);
                change.segments.push((index, Arc::new(segment)));
            }
        }
        merge_observations(inner, job, &mut merged)?;
        outcomes.push(Outcome::Committed(receipt));
    }
    let changed = merged.iter().map(|((index, key), doc)| (*index, key.as_str(), doc.as_slice()));
    follow::enter_ended(inner, connection, changed)?;
    for ((table_index, key), doc) in merged {
        if let Some(table) = manometer_model::records::TABLES.get(table_index) {
            entities::put(connection, table.name, &key, &doc)?;
            change.entities.push((table_index, key, Arc::from(doc)));
        }
    }
    Ok((outcomes, change))
}

fn stage_batch(
    inner: &Inner,
    connection: &Connection,
    batch: &EncodedBatch,
    now: Timestamp,
    change: &mut Change,
) -> rusqlite::Result<()> {
    let seq = journal::insert(connection, batch, now.as_micros())?;
    let memory = MemoryBatch::committed(
        seq,
        Arc::clone(&batch.content),
        batch.payload.len() as u64,
        now,
        Arc::clone(&inner.reader),
    );
    change.batches.push((batch.table_index, Arc::new(memory)));
    Ok(())
}

fn repeated(connection: &Connection, job: &Job) -> rusqlite::Result<Outcome> {
    let info = &job.delivery.info;
    let first = ledger::find(connection, &info.key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(if first.body_hash == info.body_hash {
        Outcome::Known(first.receipt)
    } else {
        Outcome::Conflict(first.receipt)
    })
}

/// Documents in memory were verified when they were read, so a merge cannot fail on stored bytes.
fn merge_observations(inner: &Inner, job: &Job, merged: &mut Merged) -> rusqlite::Result<()> {
    for observation in &job.delivery.observations {
        let place = (observation.table_index, observation.key.clone());
        let before = match merged.remove(&place) {
            Some(doc) => Some(doc),
            None => {
                let memory = inner.memory.read();
                let table = memory.tables.get(observation.table_index);
                table.and_then(|table| table.entities.get(&observation.key)).map(|doc| doc.to_vec())
            }
        };
        let doc = match before {
            None => observation.doc.clone(),
            Some(known) => merge_encoded(&known, &observation.doc)
                .map_err(|what| rusqlite::Error::ToSqlConversionFailure(what.into()))?,
        };
        merged.insert(place, doc);
    }
    Ok(())
}
