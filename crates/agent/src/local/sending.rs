//! A measured run as rows of a server's table `samples`, and back.
//!
//! Every metric is one sample of its name, with the metric's own tags and three more that hold the run together:
//!
//! | tag | holds |
//! |---|---|
//! | `record` | the record's `run_id` |
//! | `record_type` | its `type` |
//! | `operation` | its `operation`, where it has one |
//!
//! `duration` and `success` are samples too (`success` as 1 or 0), `git_commit` is the column `commit_sha`, the time the
//! column `at`. The columns `provider`, `project`, `run_id` and `job_id` say which run of the CI system it was measured
//! in, of which there may be many records; so the table `runs` has no row for each command somebody measured.

pub use manometer_exporters::TAG_RECORD;
use manometer_model::records::Sample;
use manometer_model::{Labels, Timestamp};

use super::RunRecord;
use crate::metric::Unit;

/// Tag that holds the record's type.
pub const TAG_TYPE: &str = "record_type";
/// Tag that holds the record's operation.
pub const TAG_OPERATION: &str = "operation";
/// Name of the sample that holds the record's duration.
pub const DURATION: &str = "duration";
/// Name of the sample that holds the record's success.
pub const SUCCESS: &str = "success";

impl RunRecord {
    /// The metrics together with `duration`, in seconds.
    pub fn all_metrics(&self) -> std::collections::BTreeMap<String, f64> {
        let mut metrics = self.metrics.clone();
        if let Some(duration) = self.duration.filter(|duration| duration.is_finite()) {
            metrics.entry(DURATION.to_owned()).or_insert(duration);
        }
        metrics
    }

    /// The record as samples. `place` gives the columns that say where it was measured, and tags that all of them get;
    /// its name, value, unit and time are replaced, its commit where the record has one. Fields in `info` have no place
    /// in a sample and are not sent.
    pub fn to_samples(&self, place: &Sample) -> Vec<Sample> {
        let mut values = self.all_metrics();
        // A record with nothing in it is still a record; whether it succeeded is what every one can say.
        if let Some(success) = self.success {
            values.entry(SUCCESS.to_owned()).or_insert(f64::from(u8::from(success)));
        }
        values
            .into_iter()
            .map(|(name, value)| {
                let mut tags = place.tags.clone();
                tags.extend(self.tags.get(&name).cloned().unwrap_or_default());
                tags.insert(TAG_RECORD.to_owned(), self.run_id.clone());
                tags.insert(TAG_TYPE.to_owned(), self.kind.clone());
                if let Some(operation) = &self.operation {
                    tags.insert(TAG_OPERATION.to_owned(), operation.clone());
                }
                Sample {
                    commit_sha: self.git_commit.clone().or_else(|| place.commit_sha.clone()),
                    unit: Some(Unit::of(&name).word().to_owned()),
                    name,
                    value,
                    tags,
                    at: self.timestamp,
                    ..place.clone()
                }
            })
            .collect()
    }

    /// A record with nothing in it, for [`add_sample`](Self::add_sample).
    pub fn of_samples(run_id: String, timestamp: Timestamp) -> Self {
        Self { run_id, ..Self::new("unknown", timestamp) }
    }

    /// Puts one sample back where [`to_samples`](Self::to_samples) took it from.
    pub fn add_sample(&mut self, name: &str, value: f64, mut tags: Labels) {
        tags.remove(TAG_RECORD);
        if let Some(kind) = tags.remove(TAG_TYPE) {
            self.kind = kind;
        }
        if let Some(operation) = tags.remove(TAG_OPERATION) {
            self.operation = Some(operation);
        }
        match name {
            DURATION => self.duration = Some(value),
            SUCCESS => self.success = Some(value != 0.0),
            _ => self.measure_tagged(name, value, tags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_samples() {
        let mut record = RunRecord::new("tests", Timestamp::from_seconds(1_800_000_000));
        record.git_commit = Some("abc123".to_owned());
        record.operation = Some("unit".to_owned());
        record.duration = Some(8.7);
        record.success = Some(false);
        record.measure_tagged(
            "pytest.passed",
            154.0,
            Labels::from([("suite".to_owned(), "unit".to_owned())]),
        );
        record.measure("ram.peak_mb", 128.7);
        let place = Sample {
            provider: "github".to_owned(),
            project: "github.com/acme/shop".to_owned(),
            run_id: Some("42".to_owned()),
            commit_sha: Some("of the place".to_owned()),
            ..Sample::default()
        };
        let samples = record.to_samples(&place);
        assert_eq!(samples.len(), 4);
        assert!(
            samples.iter().all(|sample| sample.at == record.timestamp && sample.project == place.project)
        );
        assert!(samples.iter().all(|sample| sample.commit_sha.as_deref() == Some("abc123")));
        let memory = samples.iter().find(|sample| sample.name == "ram.peak_mb").unwrap();
        assert_eq!(memory.unit.as_deref(), Some("megabytes"));

        let mut back = RunRecord::of_samples(record.run_id.clone(), record.timestamp);
        back.git_commit = record.git_commit.clone();
        for sample in samples {
            back.add_sample(&sample.name, sample.value, sample.tags);
        }
        assert_eq!(back, record);
    }
}
