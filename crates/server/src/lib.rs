//! The server: HTTP in front of ingest, store and query, and the pages.
//!
//! ```text
//! listener ──► connection ──► door (ids, guard, refusals) ──► router ──┬─► api: reports, records, sql, …  ──► ingest, query
//!              bounded,         nothing unsaid, nothing                ├─► save_metrics, webhooks, health, metrics
//!              timed            unbounded                              ├─► receivers: InfluxDB, remote-write, StatsD
//!                                                                      └─► login, pages
//! poll: the APIs of CI systems, asked in the background ──► ingest
//! exports: what the store has committed ──► other systems, each at its own pace
//! ```
//!
//! **Invariants**
//! - A delivery is answered 2xx only after the store has it on disk; every other answer means nothing was stored,
//!   or that sending it again is safe.
//! - Every queue, body and wait has a limit; past it the caller is told, and the refusal is counted.
//! - Once a token exists no route but health, the API description, the login form and the assets answers without one;
//!   webhooks are believed by the secret of their place instead.
//! - No handler writes to the store but through `manometer_ingest`.

pub mod access;
mod api;
mod door;
mod error;
mod exports;
mod health;
mod login;
mod metrics;
mod options;
mod pages;
pub mod poll;
mod postgres;
mod receivers;
mod router;
mod save_metrics;
mod server;
mod state;
mod telemetry;
mod webhooks;

pub use error::ApiError;
pub use exports::Exports;
pub use manometer_query::wire::TlsFiles;
pub use options::{ServerOptions, Timeouts};
pub use postgres::PostgresOptions;
pub use receivers::statsd::StatsdOptions;
pub use router::openapi_json;
pub use server::{Server, StartError};
pub use state::{App, Inner};
pub use webhooks::Webhooks;
