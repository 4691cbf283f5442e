//! The store: takes deliveries, keeps them through any crash, and shows consistent snapshots.
//!
//! ```text
//! DeliveryWriter ──► Delivery ──► queue ──► committer thread ──► SQLite (journal, entities, ledger) ──► Receipt
//!   rows → Arrow,     bounded                one transaction       │ COMMIT, then
//!   encoded by the                           per group             ▼
//!   caller's thread                                              memory ──┐
//!                                              flush, compaction   │      ├──► Snapshot (every row exactly once)
//!                                                                  ▼      │
//!                                                                segments ┘
//! ```
//!
//! **Invariants**
//! - A receipt is given only after the transaction that holds the delivery is on disk
//!   (`journal_mode=WAL, synchronous=FULL`). A failed commit poisons the store: it refuses from then on.
//! - One delivery key has one effect, however often it arrives.
//! - Merging observations of an entity in any order gives the same row.
//! - A snapshot shows every committed row exactly once, before, during and after flush and compaction.
//! - No DataFusion here, no HTTP, no file formats of others.

mod delivery;
mod error;
mod filesystem;
mod options;
mod receipt;
mod report;
mod schema;
mod segment;
mod snapshot;
mod store;

pub use delivery::{BULK_ROWS, Delivery, DeliveryWriter, MAX_ENTITIES_PER_DELIVERY, MAX_TEXT_BYTES};
pub use error::{CommitError, OpenError, StoreError, SubmitError};
pub use filesystem::{DurableFile, Filesystem, FolderEntry, LocalFilesystem};
pub use options::{FlushPolicy, StoreOptions};
pub use receipt::{DeliveryInfo, DeliveryKey, Outcome, PendingReceipt, Receipt};
pub use report::{
    BackupReport, CheckProblem, CheckReport, CompactReport, FlushReport, Health, RestoreReport, StoreStats,
    TableStats,
};
pub use schema::{arrow_schema, arrow_type, deliveries_schema};
pub use segment::Segment;
pub use snapshot::Snapshot;
pub use store::{KnownDelivery, ReadOnlyStore, Store, check, restore};
