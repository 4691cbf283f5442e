//! The query engine: SQL and ready-made answers over one moment of the store.
//!
//! ```text
//!            SQL text ──► read_only ──► plan ──────────────┐
//!  answers (typed) ──► SQL + parameters ──► plan ──────────┤
//!                                                          ▼
//!   Snapshot ──► table: memory ∪ segments, pruned ──► DataFusion, on threads of its own
//!                  │                                       │ limits: seconds, memory, rows, queries at once
//!                  └ access: rows of other projects        ▼
//!                    end here, whatever the SQL        QueryResult ──► format: json, csv, parquet, arrow, table
//! ```
//!
//! SQL knows functions of our own (`functions`), and two rules of the optimizer: percentiles of the same values are
//! counted once (`share`), and exact percentiles of more values than fit read their rows again (`exact`). In its plans,
//! rows are grouped by runs of them (`runs`).
//!
//! **Invariants**
//! - This is the only crate that knows DataFusion; nothing of it shows in the public interface but Arrow.
//! - Nothing is ever written: no table, no setting, no file, whatever the SQL says.
//! - No file or address is reachable but the segments of the snapshot.
//! - A query sees one snapshot: all its tables are of one moment.
//! - A row is visible only to an access that may see its project. That is decided inside the tables, below
//!   all SQL.
//! - Every query ends: by itself, at a limit that its error names, or when its result is dropped.

mod access;
pub mod answers;
mod catalog;
mod client;
mod describe;
mod engine;
mod error;
mod exact;
pub mod format;
mod functions;
mod kept;
mod leaf;
mod memory;
mod own_texts;
mod parameter;
mod pieces;
mod read_only;
mod request;
mod result;
mod rollup;
mod rules;
mod runs;
mod session;
mod share;
mod source;
mod table;
mod turns;
mod views;
mod width;
pub mod wire;
mod yielding;

pub use access::Access;
pub use engine::{Engine, EngineOptions};
pub use error::QueryError;
pub use parameter::Parameter;
pub use request::{LimitOverrides, QueryRequest};
pub use result::{QueryResult, ResultColumn, Summary};
pub use rollup::RollupUse;
pub use source::{RelationData, SegmentFile, Source, SourceError};
pub use table::relation::{Relation, relations};
pub use turns::{LineFull, Turn, Turns};
pub use views::{VIEWS, View};
