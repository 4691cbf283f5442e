//! The model: what Manometer knows, as types.
//!
//! Everything that arrives becomes [`Record`]s of this crate, and every table a query sees is one
//! [`Table`] of this crate. A record is defined once, in [`records`]; that one definition makes the
//! JSON a client sends, the columns of the SQL table, the Arrow schema of the store and the reference
//! page of the documentation.
//!
//! ```text
//! reports, webhooks, HTTP ──► Record ──► Row::values ──► columns of Table ──► store ──► SQL
//! ```
//!
//! **Invariant:** no I/O, no async and no clock reading here, except behind the [`Clock`] trait. Every other room of
//! the workspace may use this one; it uses none of them.

pub mod clock;
pub mod key;
pub mod limits;
pub mod near_names;
pub mod problem;
pub mod records;
pub mod retention;
pub mod rollup;
pub mod status;
pub mod table;
pub mod test_id;
pub mod timestamp;
pub mod value;
pub mod when;

pub use clock::{Clock, SystemClock};
pub use key::EntityKey;
pub use limits::Limits;
pub use problem::{Problem, Problems};
pub use records::Record;
pub use retention::{Keep, Retention};
pub use rollup::{Bucket, Rollup, rollup_named, rollups, rollups_of, stored_tables};
pub use status::{Conclusion, Status, TestStatus};
pub use table::{Column, ColumnKind, Row, Table, TableKind};
pub use test_id::TestId;
pub use timestamp::Timestamp;
pub use value::{Labels, Value};
