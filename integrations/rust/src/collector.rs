//! Collects metrics and stores them as one record a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use manometer_agent::local::{LocalStore, RunRecord};
use manometer_agent::settings::Settings;
use manometer_agent::surroundings::Surroundings;
use manometer_model::{Clock as _, Labels, SystemClock};
use serde_json::{Map, Value};

use crate::sending;

/// Metrics on their way into one record. May be used from several threads.
///
/// ```
/// use manometer_client::{MetricsCollector, RunInfo};
///
/// let folder = tempfile::tempdir()?;
/// let collector = MetricsCollector::at(folder.path());
/// collector.record("my.metric", 42.0, &[]);
/// let flushed = collector.flush("my_operation", RunInfo::default());
/// assert!(flushed.path.is_some_and(|path| path.starts_with(folder.path())));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MetricsCollector {
    folder: Option<PathBuf>,
    recorded: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    metrics: BTreeMap<String, (f64, Labels)>,
    problems: Vec<String>,
}

/// What is known of a run besides its metrics.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunInfo {
    /// Kind of run, by which runs are compared; the operation where it is not given.
    pub kind: Option<String>,
    /// How long it took, in seconds.
    pub duration: Option<f64>,
    /// Did it end well?
    pub success: Option<bool>,
    /// Commit; the one that is checked out where it is not given.
    pub git_commit: Option<String>,
    /// Anything else, kept in the record as it is. A name that is a field of the record is kept with `info_` before it.
    pub extra: Map<String, Value>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flushed {
    /// Identity of the run; `None` where recording is disabled, or the record could neither be stored nor sent.
    pub run_id: Option<String>,
    /// The file it was appended to.
    pub path: Option<PathBuf>,
    /// Did a server confirm it? One that has not yet may get it from the spool later.
    pub is_delivered: bool,
    /// What went wrong, a sentence each.
    pub problems: Vec<String>,
}

const FIXED_FIELDS: &[&str] =
    &["run_id", "type", "timestamp", "git_commit", "metrics", "tags", "operation", "duration", "success"];

impl MetricsCollector {
    /// A collector for the store of the project around the current folder, or that of `MANOMETER_PATH`.
    pub fn new() -> Self {
        Self::default()
    }

    /// A collector for the store in exactly this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::default() }
    }

    /// Keeps a value until the next `flush`; a second value of the same name replaces the first. One that is no number
    /// is left out, and the next flush says so.
    pub fn record(&self, name: &str, value: f64, tags: &[(&str, &str)]) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if !value.is_finite() {
            recorded.problems.push(format!("{name}: {value} is no number; left out"));
            return;
        }
        let tags = tags.iter().map(|(key, label)| ((*key).to_owned(), (*label).to_owned())).collect();
        recorded.metrics.insert(name.to_owned(), (value, tags));
    }

    /// Stores what was recorded as one run, and sends it where `MANOMETER_URL` names a server.
    pub fn flush(&self, operation: &str, info: RunInfo) -> Flushed {
        let recorded = std::mem::take(&mut *self.recorded.lock().unwrap_or_else(PoisonError::into_inner));
        let settings = Settings::from_environment();
        if settings.is_disabled {
            return Flushed::default();
        }
        let mut flushed = Flushed { problems: recorded.problems, ..Flushed::default() };
        flushed.problems.extend(settings.problems.iter().cloned());
        let current = match std::env::current_dir() {
            Ok(current) => current,
            Err(error) => {
                flushed.problems.push(format!("the current folder is gone: {error}; nothing was recorded"));
                return flushed;
            }
        };
        let around = Surroundings::of(&current);
        let record = record_of(operation, info, recorded.metrics, &around);
        let folder = self.folder.as_deref().or(settings.store.as_deref());
        match LocalStore::locate(folder, &current).append(&record) {
            Ok(path) => flushed.path = Some(path),
            Err(error) => flushed.problems.push(error.to_string()),
        }
        let is_kept = sending::send(&record, &around, &settings, &mut flushed);
        flushed.run_id = (flushed.path.is_some() || is_kept).then_some(record.run_id);
        flushed
    }
}

fn record_of(
    operation: &str,
    info: RunInfo,
    metrics: BTreeMap<String, (f64, Labels)>,
    around: &Surroundings,
) -> RunRecord {
    let mut record = RunRecord::new(info.kind.unwrap_or_else(|| operation.to_owned()), SystemClock.now());
    record.operation = Some(operation.to_owned());
    record.duration = info.duration.filter(|seconds| seconds.is_finite());
    record.success = info.success;
    record.git_commit = info.git_commit.or_else(|| around.commit_sha.clone());
    for (name, (value, tags)) in metrics {
        record.measure_tagged(&name, value, tags);
    }
    for (name, value) in info.extra {
        // A field of the record's own is kept under another name rather than lost.
        let name = if FIXED_FIELDS.contains(&name.as_str()) { format!("info_{name}") } else { name };
        record.info.insert(name, value);
    }
    let places = [
        ("project", Some(&around.project)),
        ("service", around.service.as_ref()),
        ("branch", around.branch.as_ref()),
    ];
    for (name, value) in places {
        if let Some(value) = value {
            record.info.entry(name).or_insert_with(|| value.clone().into());
        }
    }
    record
}
