//! One step, as it tells of itself.

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};

/// One step that has begun, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToldStep {
    /// Its span, 16 hexadecimal digits.
    pub span_id: String,
    /// The span it began in.
    pub parent_span_id: Option<String>,
    /// Its name.
    pub name: String,
    /// The command it runs.
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How it ended; `None` while it runs, and for ever after it was killed.
    pub end: Option<StepEnd>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepEnd {
    /// How long it took, by the monotonic clock, in seconds.
    pub duration_seconds: f64,
    /// As a shell shows it: 128 and more for a death by signal.
    pub exit_code: i32,
    /// Processor time in programs, in seconds.
    pub user_seconds: f64,
    /// Processor time in the system, in seconds.
    pub system_seconds: f64,
    /// Most memory of one of its processes, in bytes, where known.
    pub largest_process_bytes: Option<u64>,
}

impl ToldStep {
    /// When it ended, by its start and its duration.
    pub fn finished_at(&self) -> Option<Timestamp> {
        Some(self.started_at.plus_seconds(self.end?.duration_seconds))
    }
}
