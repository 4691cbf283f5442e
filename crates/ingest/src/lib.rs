//! Ingest: from what was sent to a delivery the store can commit.
//!
//! ```text
//! parts ──► decompress ──► formats ──► rows ──► RowSink: DeliveryWriter ──► Delivery ──► store
//!  │         one Allowance    │          ▲                RecordLines ──► NDJSON (a dry run)
//!  │         per upload       └ problems │ context of the run, read and checked once
//!  └─────► content hash ──► delivery key (or the sender's Idempotency-Key)
//! ```
//!
//! The server and the command line's local mode both come through here, so a report means the same whichever
//! way it arrives. Everything is synchronous: call it on a thread that may block.
//!
//! **Invariants**
//! - No HTTP, no async, no clock: the time of receipt is an argument.
//! - This is the only crate that unpacks; whatever is sent, memory stays within the packed upload plus a constant.
//! - A delivery is taken as a whole or not at all, and all that was not used of it is in its problems.

mod admission;
mod content_hash;
pub mod context;
pub mod decompress;
pub mod dialects;
mod error;
mod name;
pub mod polled;
mod prepared;
mod receipt;
pub mod records;
pub mod reports;
mod rows;
pub mod save_metrics;
mod sizes;
pub mod webhooks;

pub use admission::Admission;
pub use context::{Context, ContextError, ContextFields};
pub use decompress::{ContentEncoding, Part};
pub use error::IngestError;
pub use name::{Name, NameError};
pub use prepared::{Fresh, Ingested, Prepared};
pub use receipt::FileReport;
pub use rows::{RecordLines, RowSink};
pub use sizes::Listing;
