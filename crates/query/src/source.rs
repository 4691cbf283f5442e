//! What the engine reads: one moment of the store, as memory and files.

use std::fmt::Debug;
use std::path::PathBuf;

use datafusion::arrow::record_batch::RecordBatch;
use manometer_model::{Table, Timestamp};
use manometer_store::{Snapshot, UnflushedRows};

/// Where tables come from: one unchanging moment. The store's snapshot is one; tests bring their own.
pub trait Source: Debug + Send + Sync {
    /// Every row of a relation (a table of the model, or `deliveries`), each exactly once, part in memory and
    /// part in files. The files stay until the source is dropped.
    ///
    /// # Errors
    /// When the part in memory cannot be read.
    fn read(&self, relation: &str) -> Result<RelationData, SourceError>;
}

/// The rows of one relation.
#[derive(Debug, Clone, Default)]
pub struct RelationData {
    /// Rows in memory, of the relation's schema.
    pub batches: Vec<RecordBatch>,
    /// Rows in memory that become batches only when they are read.
    pub unflushed: Vec<UnflushedRows>,
    /// Rows in Parquet files.
    pub segments: Vec<SegmentFile>,
}

/// One immutable Parquet file of a table, with what its catalog knows of it.
#[derive(Debug, Clone)]
pub struct SegmentFile {
    /// Unique among the files of the source.
    pub id: i64,
    /// Of a companion, which holds roll-ups made by today's definitions: the file whose rows it describes, exactly
    /// those. That file may be gone.
    pub rolls_up: Option<i64>,
    /// Where it lies.
    pub path: PathBuf,
    /// Rows in it, exactly.
    pub rows: u64,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Earliest `at` in it.
    pub min_at: Timestamp,
    /// Latest `at` in it.
    pub max_at: Timestamp,
    /// Every project that has a row in it; `None` where that is not known.
    pub projects: Option<Vec<String>>,
}

/// Entries of the ledger that the table `deliveries` shows, newest first.
pub(crate) const DELIVERIES_SHOWN: usize = 200_000;

impl Source for Snapshot {
    fn read(&self, relation: &str) -> Result<RelationData, SourceError> {
        let Some(table) = Table::named(relation) else {
            let batches =
                self.deliveries(DELIVERIES_SHOWN).map_err(|error| SourceError(error.to_string()))?;
            return Ok(RelationData { batches, ..RelationData::default() });
        };
        let (batches, unflushed) = if table.is_entity() {
            (self.batches(table).map_err(|error| SourceError(error.to_string()))?, Vec::new())
        } else {
            (Vec::new(), self.unflushed(table))
        };
        let segments = self
            .segments(table)
            .iter()
            .map(|segment| SegmentFile {
                id: segment.id(),
                rolls_up: segment.rolls_up().filter(|_| segment.is_rolled_up()),
                path: segment.path().to_owned(),
                rows: segment.rows(),
                size_bytes: segment.size_bytes(),
                min_at: segment.min_at(),
                max_at: segment.max_at(),
                projects: segment.projects().map(<[String]>::to_vec),
            })
            .collect();
        Ok(RelationData { batches, unflushed, segments })
    }
}

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);
