//! What other systems' senders speak: InfluxDB line protocol, StatsD, Prometheus remote-write.
//!
//! ```text
//! bytes ──► line_protocol │ statsd │ remote_write ──► keys and values ──► Sender ──► Sample
//!                └─ ci_build, ci_test_results ─────────────────────────────────────► Run, Build, Artifact, Test
//! ```
//!
//! Such senders know nothing of runs. What their tags are called decides: `service`, `branch`, `pipeline`, `run_id`,
//! `job_id`, `commit_sha`, `project` and `provider` become the columns of that name, all others stay tags.

pub mod line_protocol;
pub mod remote_write;
mod sender;
pub mod statsd;

pub use sender::Sender;
