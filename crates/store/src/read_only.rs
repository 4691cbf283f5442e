//! Reading a data folder that another process may be serving.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::backup::backup_to;
use crate::catalog::{Access, WhileOpening, connect};
use crate::catalog_reader::CatalogReader;
use crate::error::{OpenError, StoreError};
use crate::folders::Folders;
use crate::memory::Memory;
use crate::options::StoreOptions;
use crate::pin::Pin;
use crate::recover::{load_entities, load_journal, load_segments};
use crate::report::BackupReport;
use crate::snapshot::Snapshot;

/// A data folder opened for reading only, while another process may be serving it.
///
/// One read transaction of SQLite shows catalog, journal and entities of one moment; a pin keeps the segment
/// files of that moment in place.
#[derive(Debug)]
pub struct ReadOnlyStore {
    snapshot: Arc<Snapshot>,
    catalog: Arc<CatalogReader>,
    options: StoreOptions,
    _pin: Pin,
}

impl ReadOnlyStore {
    /// Opens a data folder for reading and sees what was committed at this moment.
    ///
    /// # Errors
    /// When there is no store, a newer program wrote it, or it is damaged.
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        let folders = Folders::new(&options.data);
        if folders.restoring().exists() {
            return Err(OpenError::UnfinishedRestore { data: folders.data });
        }
        let pin = Pin::place(&options.data, &options.clock, "read")?;
        let frozen = Arc::new(CatalogReader::new(begin_reading(&options.data)?));
        let mut memory = Memory::new();
        frozen.with(|connection| {
            load_segments(connection, &folders, None, &mut memory)?;
            load_journal(connection, &folders, &frozen, &mut memory)?;
            load_entities(connection, &folders, &mut memory)
        })?;
        Ok(Self { snapshot: Arc::new(memory.snapshot(&frozen)), catalog: frozen, options, _pin: pin })
    }

    /// Everything committed when it was opened. Keep the store while reading it: its pin keeps the files.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// Every note whose name begins so, with its name ([`crate::Store::notes`]).
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn notes(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.catalog.notes(prefix)
    }

    /// Copies a consistent state into an empty folder.
    ///
    /// # Errors
    /// When the folder is not empty or copying failed.
    pub fn backup(&self, destination: &Path) -> Result<BackupReport, StoreError> {
        backup_to(&self.options, destination)
    }
}

/// A connection inside a read transaction: whatever is read through it is of one moment.
pub(crate) fn begin_reading(data: &Path) -> Result<Connection, OpenError> {
    let path = data.join("meta.db");
    let connection = connect(data, Access::Read)?;
    connection.execute_batch("BEGIN").while_opening(&path)?;
    // SQLite takes the snapshot at the first read, not at BEGIN.
    let _tables: i64 =
        connection.query_row("SELECT count(*) FROM meta", [], |row| row.get(0)).while_opening(&path)?;
    Ok(connection)
}
