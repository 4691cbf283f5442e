//! PostgreSQL's wire protocol, version 3: what Grafana, psql, DBeaver, Metabase and the drivers of every language speak.
//!
//! ```text
//!  listener ─► connection ─► startup: TLS, parameters, SCRAM ─► conversation ─┬─ commands: SET, SHOW, BEGIN, … ─► settings
//!  bounded     socket:       (the Gate knows the tokens)       message by     │
//!              timed                                           message        └─ queries ─► compatibility ─► Engine
//!                                                                                             portal ◄── batches
//! ```
//!
//! The framing, the messages and the conversation are ours, since every byte of them comes from outside; types and the
//! encoding of values are those of `pgwire` and `arrow-pg`, the tables of `pg_catalog` those of `datafusion-pg-catalog`.
//!
//! **Invariants**
//! - A query reaches rows only through [`Engine::query`](crate::Engine::query): one snapshot, the access of its token,
//!   its turn, its limits. The token is asked for again before every query.
//! - Nothing is written, and a statement that would write is told so (25006).
//! - A cut answer is never taken for a whole one: past the limit of rows the query ends with an error.
//! - Memory of a connection is bounded: messages by their kind, statements and portals by their number and bytes, rows
//!   by a few batches.
//! - A query ends when its client goes away, cancels it, or is too slow to take the rows within the query's time.

mod backend;
mod cancel;
mod commands;
mod compatibility;
mod conversation;
mod extended;
mod failure;
mod frontend;
mod gate;
mod listener;
mod parameters;
mod portal;
mod rows;
mod scram;
pub(crate) mod session;
pub(crate) mod settings;
mod socket;
mod startup;
mod statement;
mod tls;
pub(crate) mod types;

pub use gate::{Gate, Guest, Refusal, ScramParameters};
pub use listener::{WireOptions, WireServer, WireStartError};
pub(crate) use settings::VERSION;
pub use tls::{TlsError, TlsFiles};
