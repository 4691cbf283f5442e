//! A sink, a cursor store and a clock in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, ready};
use std::sync::{Arc, Mutex};

use manometer_model::{Clock, EntityKey, Record, Timestamp};
use manometer_providers::Decoded;
use manometer_providers::poll::{CursorStore, RecordSink, StoreError};

/// What arrived: entities by their key, fact groups by theirs, as the store keeps them.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) entities: BTreeMap<EntityKey, Vec<Record>>,
    pub(crate) facts: BTreeMap<String, Vec<Record>>,
    pub(crate) problems: u64,
    pub(crate) calls: u64,
    /// Refuse after so many calls, as a store does that lost its disk.
    pub(crate) fail_after: Option<u64>,
}

impl Told {
    /// Keys of one table, without the separator's control characters.
    pub(crate) fn keys(&self, table: &str) -> BTreeSet<String> {
        self.entities
            .keys()
            .filter(|key| key.table == table)
            .map(|key| key.text.replace('\u{1f}', "|"))
            .collect()
    }
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    pub(crate) told: Arc<Mutex<Told>>,
    pub(crate) cursors: Arc<Mutex<BTreeMap<String, String>>>,
}

impl RecordSink for Memory {
    fn accept_durable(&self, found: Vec<Decoded>) -> impl Future<Output = Result<(), StoreError>> + Send {
        let mut told = self.told.lock().unwrap();
        told.calls += 1;
        if told.fail_after.is_some_and(|calls| told.calls > calls) {
            return ready(Err(StoreError { message: "the disk is gone".to_owned() }));
        }
        for decoded in found {
            told.problems += decoded.problems.total;
            for record in decoded.entities {
                let row = record.row();
                let key = EntityKey::of_values(row.table_of(), &row.cells()).unwrap();
                told.entities.entry(key).or_default().push(record);
            }
            for group in decoded.facts {
                told.facts.entry(group.natural_key).or_insert(group.records);
            }
        }
        ready(Ok(()))
    }
}

impl CursorStore for Memory {
    fn load(&self, name: &str) -> impl Future<Output = Result<Option<String>, StoreError>> + Send {
        ready(Ok(self.cursors.lock().unwrap().get(name).cloned()))
    }

    fn save(&self, name: &str, cursor: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.cursors.lock().unwrap().insert(name.to_owned(), cursor.to_owned());
        ready(Ok(()))
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_seconds(seconds))))
    }

    pub(crate) fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap() = at;
    }

    pub(crate) fn advance(&self, seconds: f64) {
        let now = self.now();
        self.set(now.plus_seconds(seconds));
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
