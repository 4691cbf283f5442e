//! What records mean as numbers with names: the form that StatsD, Prometheus and OTLP metrics share.
//!
//! Labels are those a time series database can bear: never a run id, a commit or the name of a single test.

use std::collections::BTreeMap;

use manometer_model::records::{Artifact, Build, Coverage, Job, Run, Sample, Step, Test};
use manometer_model::{Record, TestStatus, Timestamp};

use super::{Batch, TAG_RECORD};

/// A number with its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure<'a> {
    /// Dotted: `ci.run.duration_seconds`; free metrics have the name their sender gave.
    pub(crate) name: &'a str,
    pub(crate) kind: MeasureKind,
    pub(crate) value: f64,
    /// The unit, where it is told: `seconds`, `bytes`, `megabytes`, …
    pub(crate) unit: Option<&'a str>,
    pub(crate) labels: Vec<Label<'a>>,
    /// When; the epoch where it is not known.
    pub(crate) at: Timestamp,
}

/// A label: key and value.
pub(crate) type Label<'a> = (&'a str, &'a str);

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MeasureKind {
    /// How long a run, job, step, build or its tests took, in seconds.
    Duration,
    /// A level that was read.
    Level,
    /// How many there were in this run.
    Count,
}

const SECONDS: Option<&str> = Some("seconds");
const BYTES: Option<&str> = Some("bytes");

/// All measures of some records.
pub(crate) fn measures<'a>(batch: &Batch<'a>) -> Vec<Measure<'a>> {
    let mut found = Found::default();
    for record in batch.records {
        match record {
            Record::Run(run) => found.run(run),
            Record::Job(job) => found.job(job),
            Record::Step(step) => found.step(step),
            Record::Build(build) => found.build(build),
            Record::Artifact(artifact) => found.artifact(artifact),
            Record::Coverage(coverage) => found.coverage(coverage),
            Record::Sample(sample) => found.sample(sample),
            Record::Test(test) => found.test(test),
            _ => {}
        }
    }
    found.tests_of_runs();
    found.measures
}

#[derive(Default)]
struct Found<'a> {
    measures: Vec<Measure<'a>>,
    tests: BTreeMap<TestGroup<'a>, TestCounts>,
}

/// Tests are counted for each service and branch of a run.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct TestGroup<'a> {
    run_id: &'a str,
    attempt: i64,
    labels: Vec<Label<'a>>,
}

#[derive(Default)]
struct TestCounts {
    by_status: [u64; TestStatus::ALL.len()],
    seconds: f64,
    at: Timestamp,
}

/// The labels of a record with the usual columns.
macro_rules! labels_of {
    ($record:expr $(, $key:literal = $value:expr)*) => {
        labels([
            ("provider", Some($record.provider.as_str())),
            ("project", Some($record.project.as_str())),
            ("service", $record.service.as_deref()),
            ("pipeline", $record.pipeline.as_deref()),
            ("branch", $record.branch.as_deref()),
            $(($key, $value),)*
        ])
    };
}

fn labels<'a, const N: usize>(pairs: [(&'a str, Option<&'a str>); N]) -> Vec<Label<'a>> {
    let known =
        pairs.into_iter().filter_map(|(key, value)| Some((key, value.filter(|text| !text.is_empty())?)));
    known.collect()
}

impl<'a> Found<'a> {
    fn add(
        &mut self,
        name: &'static str,
        kind: MeasureKind,
        value: Option<f64>,
        labels: &[Label<'a>],
        at: Timestamp,
    ) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        let unit = match kind {
            MeasureKind::Duration => SECONDS,
            _ if name.ends_with("_bytes") => BYTES,
            _ => None,
        };
        self.measures.push(Measure { name, kind, value, unit, labels: labels.to_vec(), at });
    }

    fn run(&mut self, run: &'a Run) {
        let Some(conclusion) = run.conclusion else { return };
        let labels =
            labels_of!(run, "trigger" = run.trigger.as_deref(), "conclusion" = Some(conclusion.as_str()));
        let at = run.finished_at.or(run.started_at).unwrap_or_default();
        self.add("ci.run.duration_seconds", MeasureKind::Duration, duration_of_run(run), &labels, at);
        let queued = run.queue_seconds.or_else(|| between(run.queued_at, run.started_at));
        self.add("ci.run.queue_seconds", MeasureKind::Duration, queued, &labels, at);
    }

    fn job(&mut self, job: &'a Job) {
        let Some(conclusion) = job.conclusion else { return };
        let name = job.name.as_deref().unwrap_or(&job.job_id);
        let labels = labels_of!(job, "job" = Some(name), "conclusion" = Some(conclusion.as_str()));
        let at = job.finished_at.or(job.started_at).unwrap_or_default();
        let lasted = job.duration_seconds.or_else(|| between(job.started_at, job.finished_at));
        self.add("ci.job.duration_seconds", MeasureKind::Duration, lasted, &labels, at);
        let queued = job.queue_seconds.or_else(|| between(job.queued_at, job.started_at));
        self.add("ci.job.queue_seconds", MeasureKind::Duration, queued, &labels, at);
    }

    fn step(&mut self, step: &'a Step) {
        let job = step.job_name.as_deref().unwrap_or(&step.job_id);
        let conclusion = step.conclusion.map(|conclusion| conclusion.as_str());
        let labels =
            labels_of!(step, "job" = Some(job), "step" = step.name.as_deref(), "conclusion" = conclusion);
        let lasted = step.duration_seconds.or_else(|| between(step.started_at, step.finished_at));
        self.add("ci.step.duration_seconds", MeasureKind::Duration, lasted, &labels, step.at);
    }

    fn build(&mut self, build: &'a Build) {
        let success = build.success.map(|success| if success { "true" } else { "false" });
        let labels = labels_of!(build, "build" = Some(build.name.as_str()), "success" = success);
        self.add(
            "ci.build.duration_seconds",
            MeasureKind::Duration,
            build.duration_seconds,
            &labels,
            build.at,
        );
    }

    fn artifact(&mut self, artifact: &'a Artifact) {
        let name = Some(artifact.name.as_str());
        let labels = labels_of!(artifact, "artifact" = name, "kind" = artifact.kind.as_deref());
        let size = Some(artifact.size_bytes as f64);
        self.add("ci.artifact.size_bytes", MeasureKind::Level, size, &labels, artifact.at);
    }

    /// Only totals: one series for each file of a repository would be too many.
    fn coverage(&mut self, coverage: &'a Coverage) {
        if coverage.scope != "total" {
            return;
        }
        let labels = labels_of!(coverage);
        for (name, value) in [
            ("ci.coverage.lines_covered", coverage.lines_covered),
            ("ci.coverage.lines_valid", coverage.lines_valid),
            ("ci.coverage.branches_covered", coverage.branches_covered),
            ("ci.coverage.branches_valid", coverage.branches_valid),
        ] {
            self.add(name, MeasureKind::Level, value.map(|count| count as f64), &labels, coverage.at);
        }
    }

    fn sample(&mut self, sample: &'a Sample) {
        if !sample.value.is_finite() {
            return;
        }
        let mut labels = labels_of!(sample);
        for (key, value) in &sample.tags {
            let is_known = labels.iter().any(|(known, _)| known == key);
            if key != TAG_RECORD && !is_known && !value.is_empty() {
                labels.push((key, value));
            }
        }
        self.measures.push(Measure {
            name: &sample.name,
            kind: MeasureKind::Level,
            value: sample.value,
            unit: sample.unit.as_deref(),
            labels,
            at: sample.at,
        });
    }

    fn test(&mut self, test: &'a Test) {
        if !test.is_final {
            return;
        }
        let group = TestGroup { run_id: &test.run_id, attempt: test.run_attempt, labels: labels_of!(test) };
        let counts = self.tests.entry(group).or_default();
        if let Some(count) = counts.by_status.get_mut(test.status as usize) {
            *count += 1;
        }
        counts.seconds += test.duration_seconds.filter(|seconds| seconds.is_finite()).unwrap_or(0.0);
        counts.at = counts.at.max(test.at);
    }

    fn tests_of_runs(&mut self) {
        for (group, counts) in std::mem::take(&mut self.tests) {
            let seconds = Some(counts.seconds);
            self.add("ci.tests.duration_seconds", MeasureKind::Duration, seconds, &group.labels, counts.at);
            for (status, count) in TestStatus::ALL.iter().zip(counts.by_status) {
                let mut labels = group.labels.clone();
                labels.push(("status", status.as_str()));
                self.add("ci.tests.count", MeasureKind::Count, Some(count as f64), &labels, counts.at);
            }
        }
    }
}

/// How long a run took; from its times where it does not say.
pub(crate) fn duration_of_run(run: &Run) -> Option<f64> {
    run.duration_seconds.or_else(|| between(run.started_at, run.finished_at))
}

pub(crate) fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.seconds_since(from?)).filter(|seconds| *seconds >= 0.0)
}
