//! Facts from inside a run: spans of its trace and lines of its log.

use super::pipeline::first;
use crate::table::TableKind::Fact;
use crate::{Labels, Timestamp};

record! {
    /// One span of a trace.
    "span" => "spans", Span, SPANS, Fact { order: &["project", "service", "name", "at"] };
    /// CI system or sender.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Run it belongs to.
    run_id: Option<String>,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job it belongs to.
    job_id: Option<String>,
    /// W3C trace id.
    trace_id: String,
    /// W3C span id.
    span_id: String,
    /// Span id of the parent.
    parent_span_id: Option<String>,
    /// What it did.
    name: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    kind: Option<String>,
    /// `unset`, `ok` or `error`.
    status: Option<String>,
    /// How long it took.
    duration_seconds: Option<f64>,
    /// Attributes.
    #[serde(default)]
    attributes: Labels,
    /// When it began.
    #[serde(default)]
    at: Timestamp,
}

record! {
    /// One line or event of a log.
    "log" => "logs", Log, LOGS, Fact { order: &["project", "service", "category", "at"] };
    /// CI system or sender.
    provider: String,
    /// Repository.
    project: String,
    /// Part of a monorepo.
    service: Option<String>,
    /// Run it belongs to.
    run_id: Option<String>,
    /// Attempt of that run.
    #[serde(default = "first")]
    run_attempt: i64,
    /// Job it belongs to.
    job_id: Option<String>,
    /// Decides how long it is kept: `job`, `scheduler`, `runner`, `security`, `system`, `debug`.
    category: Option<String>,
    /// `DEBUG`, `INFO`, `WARN`, `ERROR`.
    level: Option<String>,
    /// The text.
    message: String,
    /// W3C trace id.
    trace_id: Option<String>,
    /// W3C span id.
    span_id: Option<String>,
    /// Structured context.
    #[serde(default)]
    context: Labels,
    /// When.
    #[serde(default)]
    at: Timestamp,
}
