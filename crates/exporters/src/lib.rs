//! Records out to other systems, each in its own dialect.
//!
//! ```text
//! settings ──► configured ──► Exporter: influxdb ┐
//!  (file, environment)                  …        ├──► points, lines, packets, spans ──► HTTP or UDP
//! records ───────────────────► export ───────────┘         ▲ retries, Retry-After, one deadline over all
//! ```
//!
//! [`trace`] holds the identities of traces and spans, for whoever starts commands inside a run.
//!
//! The agent calls [`Exporter::export`] once at the end of a build, with seconds to spend. The server gives each
//! exporter a [`batching`] worker, which reads along with what is committed.
//!
//! **Invariants**
//! - An exporter never fails its caller: what was not taken, and why, is in its [`ExportReport`].
//! - No call outlasts its [`Deadline`]; no answer of a server is read without a limit.
//! - No secret is ever part of a message or of a destination's name.

pub mod batching;
mod bucket;
pub mod deadline;
mod exporter;
mod http;
mod influxdb;
mod otlp;
mod prometheus;
mod records;
mod secret;
pub mod settings;
mod statsd;

pub use deadline::{Deadline, Timer};
pub use exporter::{ExportReport, Exporter};
pub use otlp::trace;
pub use records::{Batch, TAG_RECORD};
pub use secret::Secret;
pub use settings::{ExportSettings, configured};
