//! Reads what memory does not hold: journal payloads left by a former process, and the ledger.

use parking_lot::Mutex;
use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::ledger::{KnownEntry, LedgerRow};
use crate::catalog::{Doing, journal, ledger, notes, raw};
use crate::error::StoreError;
use crate::receipt::DeliveryKey;

/// A reading connection that threads take turns with.
#[derive(Debug)]
pub(crate) struct CatalogReader {
    connection: Mutex<Connection>,
}

impl CatalogReader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection: Mutex::new(connection) }
    }

    /// The payload of a journal batch, verified.
    pub(crate) fn payload(&self, seq: i64, checksum: u64) -> Result<Vec<u8>, StoreError> {
        let found = journal::payload(&self.connection.lock(), seq).doing("read the journal")?;
        match found {
            Some(payload) if xxh3_64(&payload) == checksum => Ok(payload),
            Some(_) => {
                Err(StoreError::Corrupt { what: format!("journal batch {seq} does not match its checksum") })
            }
            None => Err(StoreError::Corrupt { what: format!("journal batch {seq} is gone") }),
        }
    }

    pub(crate) fn known(&self, key: &DeliveryKey) -> Result<Option<KnownEntry>, StoreError> {
        ledger::find(&self.connection.lock(), key).doing("read the ledger")
    }

    pub(crate) fn newest_deliveries(&self, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
        ledger::newest(&self.connection.lock(), limit).doing("read the ledger")
    }

    pub(crate) fn raw(&self, receipt: &str) -> Result<Option<Vec<u8>>, StoreError> {
        raw::find(&self.connection.lock(), receipt).doing("read a delivery as it came")
    }

    pub(crate) fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        notes::find(&self.connection.lock(), name).doing("read a note")
    }

    pub(crate) fn notes(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        notes::with_prefix(&self.connection.lock(), prefix).doing("read notes")
    }

    /// Runs something on the connection.
    pub(crate) fn with<T>(&self, run: impl FnOnce(&Connection) -> T) -> T {
        run(&self.connection.lock())
    }
}
