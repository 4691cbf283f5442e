//! A delivery that was read and is ready to be committed.

use manometer_model::Problems;
use manometer_store::{Delivery, DeliveryKey, Outcome, Receipt, Store, StoreError};

use crate::error::IngestError;
use crate::receipt::FileReport;

/// What reading an upload came to.
#[derive(Debug)]
pub enum Prepared {
    /// Rows to be committed.
    Fresh(Box<Fresh>),
    /// It arrived before: this is the first receipt.
    Known(Receipt),
    /// Its key was used before for something else: this is the receipt of that.
    Conflict(Receipt),
}

/// A delivery and the account of its files.
#[derive(Debug)]
pub struct Fresh {
    /// For [`Store::submit`].
    pub delivery: Delivery,
    /// Each file.
    pub files: Vec<FileReport>,
    /// What could not be used.
    pub problems: Problems,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// Committed, known or in conflict.
    pub outcome: Outcome,
    /// Each file; empty unless it was committed.
    pub files: Vec<FileReport>,
    /// What could not be used; empty unless it was committed.
    pub problems: Problems,
}

/// Below this size a body is read at once; above it the ledger is asked first whether the work was done before.
const LOOK_UP_BYTES: u64 = 64 * 1024;

impl Prepared {
    /// Recognises a repetition before the work of reading it, where that work would be much.
    pub(crate) fn of_known(
        store: &Store,
        key: &DeliveryKey,
        body_hash: u128,
        size_bytes: u64,
    ) -> Result<Option<Self>, StoreError> {
        if size_bytes < LOOK_UP_BYTES {
            return Ok(None);
        }
        Ok(store.known(key)?.map(|known| match known.body_hash == body_hash {
            true => Self::Known(known.receipt),
            false => Self::Conflict(known.receipt),
        }))
    }

    /// Commits it, blocking until it is on disk.
    ///
    /// # Errors
    /// When the store did not take it; nothing is stored then, or sending it again is safe.
    pub fn commit_durable(self, store: &Store) -> Result<Ingested, IngestError> {
        let (outcome, files, problems) = match self {
            Self::Known(receipt) => (Outcome::Known(receipt), Vec::new(), Problems::new()),
            Self::Conflict(receipt) => (Outcome::Conflict(receipt), Vec::new(), Problems::new()),
            Self::Fresh(fresh) => {
                let Fresh { delivery, files, problems } = *fresh;
                (store.submit(delivery)?.wait()?, files, problems)
            }
        };
        Ok(Ingested { outcome, files, problems })
    }
}
