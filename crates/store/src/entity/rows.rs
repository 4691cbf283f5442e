//! All entities of one table in memory: documents in slots, and their rows as Arrow, made when asked for.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use manometer_model::Table;

use crate::entity::layout::layout_of;
use crate::entity::materialise::materialise;
use crate::error::StoreError;
use crate::schema::table_index;

/// Entities of one chunk: a change rebuilds the rows of its chunk, not of the whole table.
const CHUNK_ROWS: usize = 4_096;

/// The entities of one table.
#[derive(Debug)]
pub(crate) struct EntityRows {
    table: &'static Table,
    slots: HashMap<Arc<str>, usize>,
    /// Slots of entities that were forgotten, to be used again.
    free: Vec<usize>,
    chunks: Vec<Arc<EntityChunk>>,
}

/// Some entities of a table, frozen once a snapshot holds them.
#[derive(Debug)]
pub(crate) struct EntityChunk {
    table: &'static Table,
    /// By slot; empty where an entity was forgotten.
    docs: Vec<Option<Arc<[u8]>>>,
    rows: OnceLock<Vec<RecordBatch>>,
}

impl EntityRows {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self { table, slots: HashMap::new(), free: Vec::new(), chunks: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Arc<[u8]>> {
        let slot = *self.slots.get(key)?;
        self.chunks.get(slot / CHUNK_ROWS)?.docs.get(slot % CHUNK_ROWS)?.as_ref()
    }

    pub(crate) fn chunks(&self) -> Vec<Arc<EntityChunk>> {
        self.chunks.clone()
    }

    /// Puts the new document of an entity in its place. Chunks that snapshots hold are copied first.
    pub(crate) fn put(&mut self, key: &str, doc: Arc<[u8]>) {
        if let Some(slot) = self.slots.get(key) {
            self.fill(*slot, Some(doc));
            return;
        }
        let slot = self.free.pop().unwrap_or(self.slots.len());
        self.slots.insert(Arc::from(key), slot);
        self.fill(slot, Some(doc));
    }

    /// Takes an entity out, if it is there.
    pub(crate) fn forget(&mut self, key: &str) {
        if let Some(slot) = self.slots.remove(key) {
            self.fill(slot, None);
            self.free.push(slot);
        }
    }

    /// A slot is one of those there are, or the next.
    fn fill(&mut self, slot: usize, doc: Option<Arc<[u8]>>) {
        let Some(chunk) = self.chunks.get_mut(slot / CHUNK_ROWS) else {
            let docs = vec![doc];
            self.chunks.push(Arc::new(EntityChunk { table: self.table, docs, rows: OnceLock::new() }));
            return;
        };
        let docs = &mut changeable(chunk).docs;
        match docs.get_mut(slot % CHUNK_ROWS) {
            Some(place) => *place = doc,
            None => docs.push(doc),
        }
    }
}

fn changeable(chunk: &mut Arc<EntityChunk>) -> &mut EntityChunk {
    let own = Arc::make_mut(chunk);
    own.rows = OnceLock::new();
    own
}

impl Clone for EntityChunk {
    fn clone(&self) -> Self {
        Self { table: self.table, docs: self.docs.clone(), rows: OnceLock::new() }
    }
}

impl EntityChunk {
    pub(crate) fn len(&self) -> usize {
        self.documents().count()
    }

    /// The documents in it.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        self.docs.iter().flatten()
    }

    /// Its rows, built at the first call.
    pub(crate) fn rows(&self) -> Result<Vec<RecordBatch>, StoreError> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows.clone());
        }
        let layout = table_index(self.table).and_then(layout_of).ok_or_else(|| StoreError::Corrupt {
            what: format!("{} is not a table of entities", self.table.name),
        })?;
        let built = materialise(self.table, layout, self.documents().map(AsRef::as_ref))?;
        Ok(self.rows.get_or_init(|| built).clone())
    }
}
