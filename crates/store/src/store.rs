//! The open store: the one object other rooms hold.

use std::path::Path;
use std::sync::Arc;

use manometer_model::EntityKey;

use crate::delivery::{Delivery, DeliveryWriter};
use crate::error::{OpenError, StoreError, SubmitError};
use crate::options::StoreOptions;
use crate::receipt::{DeliveryKey, PendingReceipt, Receipt};
use crate::report::{
    BackupReport, CheckReport, CompactReport, FlushReport, Health, RestoreReport, StoreStats,
};
use crate::snapshot::Snapshot;

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: StoreOptions,
}

/// An open data folder, held exclusively. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl Store {
    /// Opens a data folder, making it when it does not exist, and recovers what a crash left.
    ///
    /// # Errors
    /// When another process holds it, a newer program wrote it, or it is damaged.
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        Ok(Self { inner: Arc::new(Inner { options }) })
    }

    /// Begins a delivery.
    pub fn writer(&self) -> DeliveryWriter {
        DeliveryWriter { rows: 0 }
    }

    /// Queues a delivery for the committer; never blocks.
    ///
    /// # Errors
    /// When the queue is full or the store cannot write.
    pub fn submit(&self, _delivery: Delivery) -> Result<PendingReceipt, SubmitError> {
        Err(SubmitError::Closed)
    }

    /// The receipt of the delivery that used this key, so that a repetition is recognised before its body
    /// is decoded. Whether its body was the same is for the caller to compare: [`KnownDelivery::body_hash`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn known(&self, _key: &DeliveryKey) -> Result<Option<KnownDelivery>, StoreError> {
        Err(StoreError::Closed)
    }

    /// Was this entity ever observed?
    pub fn entity_exists(&self, _key: &EntityKey) -> bool {
        false
    }

    /// Everything committed up to now, frozen.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(Snapshot { epoch: 0, segments: Vec::new() })
    }

    /// Moves all fact rows from the journal into segments, now.
    ///
    /// # Errors
    /// When the disk is full or writing failed; nothing is lost then.
    pub fn flush(&self) -> Result<FlushReport, StoreError> {
        Err(StoreError::Closed)
    }

    /// Merges the segments of every table and day into as few as the size limit allows, now.
    ///
    /// # Errors
    /// When the disk is full or reading or writing failed; nothing is lost then.
    pub fn compact(&self) -> Result<CompactReport, StoreError> {
        Err(StoreError::Closed)
    }

    /// Copies a consistent state into an empty folder while deliveries go on.
    ///
    /// # Errors
    /// When the folder is not empty or copying failed.
    pub fn backup(&self, _destination: &Path) -> Result<BackupReport, StoreError> {
        Err(StoreError::Closed)
    }

    /// Numbers for health pages and metrics.
    pub fn stats(&self) -> StoreStats {
        StoreStats {
            tables: Vec::new(),
            journal_bytes: 0,
            journal_batches: 0,
            queue_requests: 0,
            queue_bytes: 0,
            committed: 0,
            repeated: 0,
            commit_groups: 0,
            maintenance_failures: 0,
            health: self.health(),
        }
    }

    /// Can it take deliveries?
    pub fn health(&self) -> Health {
        Health::Ready
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.inner.options.data
    }

    /// Commits what is queued, stops the store's threads and lets go of the folder. Later calls on clones
    /// are refused. Nothing needs closing for safety.
    pub fn close(self) {}
}

/// What the ledger knows of a delivery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDelivery {
    /// The first receipt.
    pub receipt: Receipt,
    /// Hash of the body it was given for.
    pub body_hash: u128,
}

/// A data folder opened for reading only, while another process may be serving it.
#[derive(Debug)]
pub struct ReadOnlyStore {
    snapshot: Arc<Snapshot>,
}

impl ReadOnlyStore {
    /// Opens a data folder for reading. Sees what was committed at this moment; the files it reads stay in
    /// place while it lives, also under a serving process.
    ///
    /// # Errors
    /// When there is no store, a newer program wrote it, or it is damaged.
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        Err(OpenError::NoStore { data: options.data })
    }

    /// Everything committed when it was opened.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// Copies a consistent state into an empty folder.
    ///
    /// # Errors
    /// When the folder is not empty or copying failed.
    pub fn backup(&self, _destination: &Path) -> Result<BackupReport, StoreError> {
        Err(StoreError::Closed)
    }
}

/// Makes a data folder from a backup, in an empty or new folder.
///
/// # Errors
/// When the backup is incomplete or changed, or the folder is not empty.
pub fn restore(_backup: &Path, _destination: &Path) -> Result<RestoreReport, StoreError> {
    Err(StoreError::Closed)
}

/// Verifies everything a data folder holds: checksums, the catalog against the files, keys, counts.
/// Works while a process serves it. `progress` is told what is being looked at.
///
/// # Errors
/// When the folder could not be opened at all; what is wrong inside is in the report.
pub fn check(_data: &Path, _progress: &mut dyn FnMut(&str)) -> Result<CheckReport, StoreError> {
    Err(StoreError::Closed)
}
