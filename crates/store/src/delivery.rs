//! Builds one delivery on the sender's thread: rows become encoded batches before the committer sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use manometer_model::records::TABLES;
use manometer_model::{EntityKey, Record, Table, Value};
use xxhash_rust::xxh3::xxh3_128;

use crate::batch::{CompactBatch, EncodedBatch};
use crate::catalog::raw;
use crate::columns::TableBuilder;
use crate::entity::{layout_of, observe};
use crate::error::StoreError;
use crate::lock::FolderLock;
use crate::receipt::{DeliveryInfo, Receipt};
use crate::schema::table_index;
use crate::segments::{SegmentDraft, SegmentSpace, place_durable, write_sorted};

/// The usual [`crate::FlushPolicy::bulk_rows`].
pub const BULK_ROWS: u64 = 524_288;

/// Memory of the fact rows of one delivery beyond which it is written as segments, however few they are.
const BULK_BYTES: usize = 96 << 20;

/// Most observations of entities in one delivery.
pub const MAX_ENTITIES_PER_DELIVERY: usize = 1 << 18;

/// Memory of the observations of entities in one delivery beyond which it is refused.
const MOST_ENTITY_BYTES: usize = 128 << 20;

/// Longest text of one cell.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// One observation of one entity.
#[derive(Debug)]
pub(crate) struct Observation {
    /// Position of its table.
    pub(crate) table_index: usize,
    pub(crate) key: String,
    pub(crate) doc: Vec<u8>,
}

/// Facts that are stored once under their natural key, whichever delivery brings them first.
#[derive(Debug)]
pub(crate) struct OnceGroup {
    /// 128-bit hash of the key.
    pub(crate) key: [u8; 16],
    pub(crate) batches: Vec<EncodedBatch>,
}

/// What became of a delivery's content: a word in the table `deliveries`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// Its rows are stored.
    #[default]
    Stored,
    /// It was understood, and tells nothing that is kept.
    Ignored,
    /// It could not be read; its problems say why.
    Failed,
}

impl Treatment {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}

/// Collects the rows of one delivery. Use it on a thread that may block.
///
/// After an error from [`DeliveryWriter::append`] the delivery cannot be finished any more; nothing of it
/// is stored.
#[derive(Debug)]
pub struct DeliveryWriter {
    space: Arc<SegmentSpace>,
    /// Keeps the folder while files are written into it; none when the store was closed before.
    lock: Option<Arc<FolderLock>>,
    bulk_rows: u64,
    /// In the order of the model's tables, made at the first row.
    builders: Vec<Option<TableBuilder>>,
    batches: Vec<EncodedBatch>,
    batch_rows: u64,
    batch_bytes: usize,
    observations: Vec<Observation>,
    observation_bytes: usize,
    drafts: Vec<SegmentDraft>,
    once: Vec<OnceGroup>,
    raw: Option<Vec<u8>>,
    treatment: Treatment,
    rows_by_table: Vec<u64>,
    last_table: usize,
    broken: bool,
}

impl DeliveryWriter {
    pub(crate) fn new(space: Arc<SegmentSpace>, lock: Option<Arc<FolderLock>>, bulk_rows: u64) -> Self {
        Self {
            space,
            lock,
            bulk_rows,
            builders: TABLES.iter().map(|_| None).collect(),
            batches: Vec::new(),
            batch_rows: 0,
            batch_bytes: 0,
            observations: Vec::new(),
            observation_bytes: 0,
            drafts: Vec::new(),
            once: Vec::new(),
            raw: None,
            treatment: Treatment::default(),
            rows_by_table: vec![0; TABLES.len()],
            last_table: 0,
            broken: false,
        }
    }

    /// Adds a fact row or an observation of an entity, by the kind of the table. `values` are the cells in
    /// the order of the table's columns.
    ///
    /// # Errors
    /// When the cells do not fit the table, or a full batch could not be encoded or written.
    pub fn append(&mut self, table: &'static Table, values: &[Value<'_>]) -> Result<(), StoreError> {
        let appended = self.append_row(table, values);
        self.broken |= appended.is_err();
        appended
    }

    fn append_row(&mut self, table: &'static Table, values: &[Value<'_>]) -> Result<(), StoreError> {
        let index = self.index_of(table)?;
        if table.is_entity() {
            self.observe(index, table, values)?;
        } else if let Some(place) = self.builders.get_mut(index) {
            let builder = place.get_or_insert_with(|| TableBuilder::new(table));
            builder.append(values)?;
            if builder.is_full() {
                self.encode(index)?;
            }
        }
        if let Some(count) = self.rows_by_table.get_mut(index) {
            *count += 1;
        }
        Ok(())
    }

    /// Adds facts that are stored only if none came under this natural key before: another delivery that tells them
    /// again has no effect. For a handful of rows; they stay in memory until the delivery is committed.
    ///
    /// # Errors
    /// When a record is no fact, its cells do not fit its table, or the rows could not be encoded.
    pub fn append_once(&mut self, natural_key: &str, records: &[Record]) -> Result<(), StoreError> {
        let group = self.encode_group(natural_key, records);
        self.broken |= group.is_err();
        self.once.push(group?);
        Ok(())
    }

    fn encode_group(&mut self, natural_key: &str, records: &[Record]) -> Result<OnceGroup, StoreError> {
        let mut builders: BTreeMap<usize, TableBuilder> = BTreeMap::new();
        for record in records {
            let row = record.row();
            let table = row.table_of();
            if table.is_entity() {
                return Err(StoreError::NoFact { table: table.name });
            }
            let index = self.index_of(table)?;
            let builder = builders.entry(index).or_insert_with(|| TableBuilder::new(table));
            builder.append(&row.cells())?;
            if let Some(count) = self.rows_by_table.get_mut(index) {
                *count += 1;
            }
        }
        let mut batches = Vec::new();
        for builder in builders.values_mut() {
            if let Some(batch) = builder.take()? {
                let encoded = batch.encode()?;
                self.batch_bytes += encoded.memory_bytes();
                batches.push(encoded);
            }
        }
        Ok(OnceGroup { key: xxh3_128(natural_key.as_bytes()).to_be_bytes(), batches })
    }

    /// Keeps the delivery as it came, for the limit `raw_days`, so that it can be read again.
    ///
    /// # Errors
    /// When it could not be packed.
    pub fn keep_raw(&mut self, content: &[u8]) -> Result<(), StoreError> {
        let packed = raw::pack(content)?;
        self.batch_bytes += packed.len();
        self.raw = Some(packed);
        Ok(())
    }

    /// Says what became of the delivery's content; [`Treatment::Stored`] where this is not called.
    pub fn set_treatment(&mut self, treatment: Treatment) {
        self.treatment = treatment;
    }

    fn index_of(&mut self, table: &'static Table) -> Result<usize, StoreError> {
        if TABLES.get(self.last_table).is_some_and(|last| std::ptr::eq(*last, table)) {
            return Ok(self.last_table);
        }
        // Roll-ups are tables too, but no record makes a row of one.
        let index = table_index(table).filter(|index| *index < TABLES.len()).ok_or_else(|| {
            StoreError::Corrupt { what: format!("{} is not a table that records make", table.name) }
        })?;
        self.last_table = index;
        Ok(index)
    }

    fn observe(
        &mut self,
        index: usize,
        table: &'static Table,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        let too_many = StoreError::TooManyEntities { limit: MAX_ENTITIES_PER_DELIVERY };
        if self.observations.len() >= MAX_ENTITIES_PER_DELIVERY || self.observation_bytes > MOST_ENTITY_BYTES
        {
            return Err(too_many);
        }
        let (Some(layout), Some(key)) = (layout_of(index), EntityKey::of_values(table, values)) else {
            return Err(StoreError::WrongColumns {
                table: table.name,
                expected: table.columns.len(),
                found: values.len(),
            });
        };
        let doc = observe(table, layout, values)?;
        self.observation_bytes += key.text.len() + doc.len();
        self.observations.push(Observation { table_index: index, key: key.text, doc });
        Ok(())
    }

    fn encode(&mut self, index: usize) -> Result<(), StoreError> {
        let Some(Some(builder)) = self.builders.get_mut(index) else { return Ok(()) };
        let Some(batch) = builder.take()? else { return Ok(()) };
        let encoded = batch.encode()?;
        self.batch_rows += encoded.content.rows as u64;
        self.batch_bytes += encoded.memory_bytes();
        self.batches.push(encoded);
        if self.batch_rows > self.bulk_rows || self.batch_bytes > BULK_BYTES {
            self.spill()?;
        }
        Ok(())
    }

    /// Writes the batches collected so far as segments, to `tmp/`.
    fn spill(&mut self) -> Result<(), StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::Closed);
        }
        // The encoded form is for the journal, which these rows do not pass.
        let batches: Vec<Arc<CompactBatch>> =
            std::mem::take(&mut self.batches).into_iter().map(|batch| batch.content).collect();
        self.batch_rows = 0;
        self.batch_bytes = 0;
        // Sorting takes several times the memory of the rows, so large deliveries take turns.
        let space = Arc::clone(&self.space);
        let turn = space.spilling.lock();
        for table in TABLES {
            let of_table = batches.iter().filter(|batch| std::ptr::eq(batch.table, *table));
            let of_table: Vec<Arc<CompactBatch>> = of_table.map(Arc::clone).collect();
            if !of_table.is_empty() {
                self.drafts.extend(write_sorted(&self.space, table, &of_table)?);
            }
        }
        drop(turn);
        Ok(())
    }

    /// Rows and observations taken so far.
    pub fn rows(&self) -> u64 {
        self.rows_by_table.iter().sum()
    }

    /// Encodes what is left and closes the delivery. A delivery of more than
    /// [`crate::FlushPolicy::bulk_rows`] fact rows has its
    /// segments on disk when this returns, not yet part of the data.
    ///
    /// # Errors
    /// When the last rows could not be encoded or written, or a row was refused before.
    pub fn finish(mut self, info: DeliveryInfo) -> Result<Delivery, StoreError> {
        if self.broken {
            return Err(StoreError::BrokenDelivery);
        }
        for index in 0..self.builders.len() {
            self.encode(index)?;
        }
        if !self.drafts.is_empty() {
            self.spill()?;
            place_durable(&mut self.drafts)?;
        }
        let counts = TABLES.iter().zip(&self.rows_by_table).filter(|(_, count)| **count > 0);
        let rows: BTreeMap<String, u64> =
            counts.map(|(table, count)| (table.name.to_owned(), *count)).collect();
        let receipt = Receipt::for_delivery(&info, rows);
        let memory_bytes = self.batch_bytes + self.observation_bytes + 1_024;
        Ok(Delivery {
            info,
            receipt,
            batches: self.batches,
            observations: self.observations,
            drafts: self.drafts,
            once: self.once,
            raw: self.raw,
            treatment: self.treatment,
            memory_bytes,
            _lock: self.lock,
        })
    }
}

impl EncodedBatch {
    fn memory_bytes(&self) -> usize {
        self.payload.len() + self.content.memory_bytes()
    }
}

/// A delivery, encoded and ready to be committed. Dropping it discards it.
#[derive(Debug)]
pub struct Delivery {
    pub(crate) info: DeliveryInfo,
    pub(crate) receipt: Receipt,
    pub(crate) batches: Vec<EncodedBatch>,
    pub(crate) observations: Vec<Observation>,
    pub(crate) drafts: Vec<SegmentDraft>,
    pub(crate) once: Vec<OnceGroup>,
    /// As it came, packed.
    pub(crate) raw: Option<Vec<u8>>,
    pub(crate) treatment: Treatment,
    memory_bytes: usize,
    _lock: Option<Arc<FolderLock>>,
}

impl Delivery {
    /// What is known about it besides its rows.
    pub const fn info(&self) -> &DeliveryInfo {
        &self.info
    }

    /// What becomes of its content.
    pub const fn treatment(&self) -> Treatment {
        self.treatment
    }

    /// Rows and observations in it, by table.
    pub const fn rows(&self) -> &BTreeMap<String, u64> {
        &self.receipt.rows
    }

    pub(crate) const fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}
