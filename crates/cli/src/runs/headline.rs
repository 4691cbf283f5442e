//! How a run and a change are put into words, the same in every report.

use manometer_agent::local::RunRecord;
use manometer_model::Timestamp;
use serde_json::{Value, json};

use super::sheet::Cell;

/// `2025-05-30 14:30:45`, UTC.
pub(crate) fn time(time: Timestamp) -> String {
    let shown = time.to_string().replace('T', " ");
    shown.split('.').next().unwrap_or(&shown).to_owned()
}

/// `550e8400-… · build · 2025-05-30 14:30:45 · abc123def456`
pub(crate) fn heading(run: &RunRecord) -> String {
    let mut parts = vec![run.run_id.clone(), run.kind.clone(), time(run.timestamp)];
    parts.extend(run.git_commit.as_ref().map(|commit| commit.chars().take(12).collect()));
    parts.extend(run.success.filter(|success| !success).map(|_| "failed".to_owned()));
    Cell::new(parts.join(" · ")).text().to_owned()
}

/// A change in percent: `+12.5 %`; a dash where none can be said.
pub(crate) fn percent(change: Option<f64>) -> String {
    match change {
        None => "–".to_owned(),
        Some(percent) if percent.abs() >= 1000.0 => format!("{percent:+.0} %"),
        Some(percent) => format!("{percent:+.1} %"),
    }
}

/// What names a run in a JSON report.
pub(crate) fn facts(run: &RunRecord) -> Value {
    json!({
        "run_id": run.run_id,
        "type": run.kind,
        "operation": run.operation,
        "timestamp": run.timestamp,
        "git_commit": run.git_commit,
        "branch": run.branch(),
        "success": run.success,
    })
}
