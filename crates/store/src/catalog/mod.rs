//! The catalog: `meta.db`, one SQLite database that says what is true.
//!
//! | table     | a row is                                                                     |
//! |-----------|------------------------------------------------------------------------------|
//! | `meta`    | a fact about the folder, notably its layout version                          |
//! | `ledger`  | a delivery that was committed, with what its receipt says                    |
//! | `raw`     | a delivery as it came, for a limited time                                    |
//! | `fact_key`| the natural key of facts that are stored once                                |
//! | `entity`  | the merged document of a run, job, deployment, …                             |
//! | `journal` | a batch of fact rows that no segment holds yet                               |
//! | `segment` | a Parquet file that belongs to the data                                      |
//! | `segment_term` | when retention has something to do about a segment, where only its rows tell |
//! | `follower`| who reads along with what is committed, and how far each has come         |
//! | `kept`    | a journal batch that was flushed before every follower had seen it           |
//! | `ended`   | a run or job that has ended and that not every follower has seen             |
//! | `garbage` | a file merged away, to be removed when nobody reads it any more              |
//! | `note`    | a small text by name that another room keeps here, as how far a poll has come |
//! | `pin`     | a reader in another process, for whose sake merged files stay a while longer |
//!
//! The functions here work on a connection; who opens transactions is the caller.

mod aged;
pub(crate) mod connection;
pub(crate) mod entities;
pub(crate) mod fact_keys;
pub(crate) mod followers;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod notes;
pub(crate) mod pages;
pub(crate) mod pins;
pub(crate) mod raw;
pub(crate) mod segments;
pub(crate) mod terms;

pub(crate) use connection::{Access, CatalogError, LAYOUT_VERSION, connect};

use std::path::Path;

use crate::error::{OpenError, StoreError};

/// Names what was tried in an error of SQLite.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { doing, source })
    }
}

/// Names the database in an error of SQLite met while opening.
pub(crate) trait WhileOpening<T> {
    fn while_opening(self, path: &Path) -> Result<T, OpenError>;
}

impl<T> WhileOpening<T> for rusqlite::Result<T> {
    fn while_opening(self, path: &Path) -> Result<T, OpenError> {
        self.map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
    }
}
