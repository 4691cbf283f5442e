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
//!
//! The promise to senders and readers, the protocol step by step and what each crash leaves are written down
//! in `docs/GUARANTEES.md`.
//!
//! | to learn about              | read                                                         |
//! |-----------------------------|--------------------------------------------------------------|
//! | rows on their way in        | `delivery`, `columns`, `batch`, `queue`, `committer`         |
//! | what is true                | `catalog` (`meta.db`), `inner` (the one way to commit)       |
//! | what changes                | `entity` (documents, their merge, their rows)                |
//! | what readers see            | `memory`, `snapshot`, `unflushed`, `segment`, `expand`       |
//! | the way to Parquet          | `flush`, `compact`, `merge_segments`, `segments`             |
//! | roll-ups                    | `companions`, `roll_up`                                      |
//! | rows that are over          | `retain`                                                     |
//! | starting, failing, cleaning | `recover`, `lock`, `health`, `maintenance`, `cleanup`        |
//! | reading along               | `follow`, `stored_records`                                   |
//! | other processes             | `read_only`, `pin`, `backup`, `restore`, `check`             |
//! | the disk                    | `filesystem`, `folders`                                      |

mod backup;
mod batch;
mod catalog;
mod catalog_reader;
mod check;
mod cleanup;
mod columns;
mod committer;
mod compact;
mod companions;
mod delivery;
mod entity;
mod error;
mod expand;
mod filesystem;
mod flush;
mod folders;
mod follow;
mod garbage;
mod hashing;
mod health;
mod holdings;
mod inner;
mod lock;
mod maintenance;
mod manifest;
mod memory;
mod merge_segments;
mod options;
mod pin;
mod queue;
mod read_only;
mod receipt;
mod recover;
mod report;
mod restore;
mod retain;
mod roll_up;
mod room;
mod schema;
mod segment;
mod segments;
mod shed;
mod snapshot;
mod store;
mod stored_records;
mod unflushed;

pub use check::check;
pub use delivery::{
    BULK_ROWS, Delivery, DeliveryWriter, MAX_ENTITIES_PER_DELIVERY, MAX_TEXT_BYTES, Treatment,
};
pub use entity::{MergedRow, merged_rows};
pub use error::{CommitError, OpenError, StoreError, SubmitError};
pub use filesystem::{DurableFile, Filesystem, FolderEntry, LocalFilesystem};
pub use follow::{Followed, Follower, FollowerStats};
pub use holdings::{Detail, Holding};
pub use options::{FlushPolicy, StoreOptions};
pub use read_only::ReadOnlyStore;
pub use receipt::{DeliveryInfo, DeliveryKey, Outcome, PendingReceipt, Receipt};
pub use report::{
    BackupReport, CheckProblem, CheckReport, CompactReport, FlushReport, Health, RestoreReport, RetainReport,
    RetainedTable, StoreStats, TablePlan, TableStats,
};
pub use restore::restore;
pub use schema::{arrow_schema, arrow_type, deliveries_schema};
pub use segment::Segment;
pub use snapshot::Snapshot;
pub use store::{KnownDelivery, Store};
pub use unflushed::UnflushedRows;
