//! Reading along: what is committed, once it is, in the order of commits, from a durable place on.
//!
//! ```text
//! commit ──► journal ───────────────┬─► Follower::ahead ──► records ──► whoever delivers them ──► Follower::done
//!            │ flush: what not all  │                                                               │ durable
//!            └ have seen is kept ───┘◄──────────────────────────────────────────────────────────────┘
//! ```
//!
//! **Promise**: a follower is given each committed fact row, and each run and job when it is first known to have ended,
//! at least once, also across crashes; again only where [`Follower::done`] was not reached. Following costs a commit
//! nothing but a line for each run or job that ends, and a flush the copying of what a follower that lags behind has
//! not seen. Past `limits.export_backlog_bytes` the oldest of that is given up and counted; so is a delivery so large
//! that it is never in the journal.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use manometer_model::records::{JOBS, RUNS, Run};
use manometer_model::{EntityKey, Record, Table};
use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::CompactBatch;
use crate::catalog::followers::{Ahead, BatchesAhead, Ended, Place};
use crate::catalog::{Access, Doing, connect, followers};
use crate::entity::{Doc, layout_of, materialise};
use crate::error::{OpenError, StoreError};
use crate::inner::Inner;
use crate::memory::Change;
use crate::schema::table_index;
use crate::stored_records::records;

/// Rows asked for at a time: bounds the memory of a follower.
const ROWS_AT_ONCE: u64 = 16_384;

/// One reader of what is committed.
#[derive(Debug)]
pub struct Follower {
    inner: Arc<Inner>,
    connection: Connection,
    name: String,
}

/// What a follower has before it.
#[derive(Debug)]
pub struct Followed {
    /// Facts in the order of their commits, then runs and jobs that have ended, as they are known now.
    pub records: Vec<Record>,
    /// Runs that jobs, steps, tests and builds among the records belong to, and that are not among them.
    pub known_runs: Vec<Run>,
    /// Is there more to be had at once?
    pub has_more: bool,
    place: Place,
}

/// How far behind a follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerStats {
    /// Its name.
    pub name: String,
    /// Rows it has before it.
    pub waiting_rows: u64,
    /// Rows it never got to see.
    pub passed_over_rows: u64,
}

/// Does anybody follow? Asked at each commit.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    any: AtomicBool,
}

impl Followers {
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }
}

/// Makes these names the followers of the store, durably.
pub(crate) fn follow(inner: &Arc<Inner>, names: &[&str]) -> Result<Vec<Follower>, OpenError> {
    let is_followed =
        inner.reader.with(followers::any).doing("read who follows").map_err(OpenError::Store)?;
    if names.is_empty() && !is_followed {
        return Ok(Vec::new());
    }
    let set = inner.commit_durable(|connection| {
        followers::set(connection, names)?;
        // Under the lock of commits: none falls between the place and the beginning of attention.
        inner.followers.any.store(!names.is_empty(), Ordering::Release);
        Ok(((), Change::default()))
    });
    set.map_err(|error| OpenError::Store(error.into_store_error(inner)))?;
    let follower = |name: &&str| {
        let connection = connect(&inner.options.data, Access::Read)?;
        Ok(Follower { inner: Arc::clone(inner), connection, name: (*name).to_owned() })
    };
    names.iter().map(follower).collect()
}

/// How far behind each follower is.
pub(crate) fn stats(inner: &Inner) -> Result<Vec<FollowerStats>, StoreError> {
    if !inner.followers.any() {
        return Ok(Vec::new());
    }
    let backlogs = inner.reader.with(followers::backlogs).doing("read how far followers are")?;
    let stats =
        |(name, waiting_rows, passed_over_rows)| FollowerStats { name, waiting_rows, passed_over_rows };
    Ok(backlogs.into_iter().map(stats).collect())
}

/// Enters those of the changed entities that have ended by this change.
pub(crate) fn enter_ended<'c>(
    inner: &Inner,
    connection: &Connection,
    changed: impl Iterator<Item = (usize, &'c str, &'c [u8])>,
) -> rusqlite::Result<()> {
    if !inner.followers.any() {
        return Ok(());
    }
    let memory = inner.memory.read();
    for (index, key, document) in changed {
        let Some(known) = memory.tables.get(index) else { continue };
        if ![RUNS.name, JOBS.name].contains(&known.table.name) || !has_ended(document) {
            continue;
        }
        if !known.entities.get(key).is_some_and(|before| has_ended(before)) {
            followers::enter_ended(connection, known.table.name, key)?;
        }
    }
    Ok(())
}

fn has_ended(document: &[u8]) -> bool {
    Doc::decode(document)
        .is_ok_and(|document| document.registers.iter().any(|register| register.name == "conclusion"))
}

impl Follower {
    /// The name it has in the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is ahead; `None` when there is nothing new. Asked again without [`Follower::done`], it begins at the same
    /// place.
    ///
    /// # Errors
    /// When the catalog cannot be read or is damaged.
    pub fn ahead(&mut self) -> Result<Option<Followed>, StoreError> {
        let Some((place, found, ended)) = self.read().doing("read what was committed")? else {
            return Ok(None);
        };
        let next = Place {
            seq: found.batches.last().map_or(place.seq, |batch| batch.seq),
            ended_id: ended.last().map_or(place.ended_id, |ended| ended.id),
        };
        if next == place {
            return Ok(None);
        }
        let mut records = Vec::new();
        for batch in &found.batches {
            records.extend(records_of(batch)?);
        }
        let has_more = found.has_more || ended.len() as u64 >= ROWS_AT_ONCE;
        drop(found);
        records.extend(self.ended_records(&ended)?);
        let known_runs = self.known_runs(&records)?;
        Ok(Some(Followed { records, known_runs, has_more, place: next }))
    }

    /// One moment of the catalog, so that a run does not come without the facts committed with it.
    fn read(&mut self) -> rusqlite::Result<Option<(Place, BatchesAhead, Vec<Ended>)>> {
        let moment = self.connection.transaction()?;
        let Some(place) = followers::place(&moment, &self.name)? else { return Ok(None) };
        let found = followers::batches_after(&moment, place.seq, ROWS_AT_ONCE)?;
        let up_to = match (found.has_more, found.batches.last()) {
            (true, Some(last)) => last.seq,
            _ => i64::MAX,
        };
        let ended = followers::ended_after(&moment, place.ended_id, up_to, ROWS_AT_ONCE)?;
        Ok(Some((place, found, ended)))
    }

    /// Remembers, durably, that what [`Follower::ahead`] gave is dealt with.
    ///
    /// # Errors
    /// When the store cannot write; it is given again then.
    pub fn done(&mut self, followed: &Followed) -> Result<(), StoreError> {
        let moved = self.inner.commit_durable(|connection| {
            followers::advance(connection, &self.name, followed.place)?;
            Ok(((), Change::default()))
        });
        moved.map_err(|error| error.into_store_error(&self.inner))
    }

    fn ended_records(&self, ended: &[Ended]) -> Result<Vec<Record>, StoreError> {
        let mut documents: BTreeMap<usize, Vec<Arc<[u8]>>> = BTreeMap::new();
        {
            let memory = self.inner.memory.read();
            for entity in ended {
                let Some(index) = Table::named(&entity.table_name).and_then(table_index) else { continue };
                let known = memory.tables.get(index).and_then(|table| table.entities.get(&entity.key));
                // One that is gone by now was forgotten on purpose.
                documents.entry(index).or_default().extend(known.map(Arc::clone));
            }
        }
        let mut found = Vec::with_capacity(ended.len());
        for (index, documents) in documents {
            found.extend(entity_records(index, &documents)?);
        }
        Ok(found)
    }

    fn known_runs(&self, found: &[Record]) -> Result<Vec<Run>, StoreError> {
        let mut wanted: HashSet<RunName<'_>> = found.iter().filter_map(run_of_part).collect();
        for record in found {
            if let Record::Run(run) = record {
                wanted.remove(&(&run.provider, &run.project, &run.run_id, run.attempt));
            }
        }
        let wanted: Vec<EntityKey> = wanted.into_iter().filter_map(run_key).collect();
        let Some(index) = table_index(&RUNS) else { return Ok(Vec::new()) };
        let documents: Vec<Arc<[u8]>> = {
            let memory = self.inner.memory.read();
            let Some(runs) = memory.tables.get(index) else { return Ok(Vec::new()) };
            wanted.iter().filter_map(|key| runs.entities.get(&key.text).map(Arc::clone)).collect()
        };
        let runs = entity_records(index, &documents)?.into_iter().filter_map(|record| match record {
            Record::Run(run) => Some(run),
            _ => None,
        });
        Ok(runs.collect())
    }
}

/// Provider, project, run, attempt.
type RunName<'a> = (&'a str, &'a str, &'a str, i64);

/// The run that a record is a part of, where its context says something of the record.
fn run_of_part(record: &Record) -> Option<RunName<'_>> {
    macro_rules! run_of {
        ($part:expr) => {
            Some((&$part.provider, &$part.project, &$part.run_id, $part.run_attempt.max(1)))
        };
    }
    match record {
        Record::Job(job) => run_of!(job),
        Record::Step(step) => run_of!(step),
        Record::Test(test) => run_of!(test),
        Record::Build(build) => run_of!(build),
        _ => None,
    }
}

fn run_key((provider, project, run_id, attempt): RunName<'_>) -> Option<EntityKey> {
    EntityKey::of(&Run {
        provider: provider.to_owned(),
        project: project.to_owned(),
        run_id: run_id.to_owned(),
        attempt,
        ..Run::default()
    })
}

fn entity_records(index: usize, documents: &[Arc<[u8]>]) -> Result<Vec<Record>, StoreError> {
    let table = manometer_model::records::TABLES.get(index).copied();
    let (Some(table), Some(layout)) = (table, layout_of(index)) else { return Ok(Vec::new()) };
    let mut found = Vec::with_capacity(documents.len());
    for batch in materialise(table, layout, documents.iter().map(AsRef::as_ref))? {
        found.extend(records(table, &batch)?);
    }
    Ok(found)
}

fn records_of(batch: &Ahead) -> Result<Vec<Record>, StoreError> {
    let what = format!("journal batch {}", batch.seq);
    let Some(table) = Table::named(&batch.table_name) else {
        return Err(StoreError::Corrupt { what: format!("{what} names an unknown table") });
    };
    if xxh3_64(&batch.payload) != batch.checksum {
        return Err(StoreError::Corrupt { what: format!("{what} does not match its checksum") });
    }
    records(table, &CompactBatch::decode(table, &batch.payload, &what)?.expand()?)
}
