//! Which points records become.
//!
//! | measurement | tags | fields |
//! |---|---|---|
//! | `ci_build` | service, branch, event | duration_seconds, commit_sha, artifact_size_bytes |
//! | `ci_test_results` | service, branch, test_name, test_class, status | duration_seconds, commit_sha |
//! | `ci_samples` | service, branch, name, unit, and the sample's own | value, commit_sha, record |
//!
//! The commit is a field, and so is the measured run that a sample is of: as a tag each would make every build a series
//! of its own. A service, branch, event or
//! commit that is not known is `unknown`. A run with no build of its own counts as one build.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use manometer_model::records::{Artifact, Build, Run, Sample, Test};
use manometer_model::{Record, Timestamp};
use xxhash_rust::xxh3::xxh3_128;

use super::line::{FieldValue, Point};
use crate::records::{Batch, RunKey, TAG_RECORD, duration_of_run, run_key};

const UNKNOWN: &str = "unknown";

/// Runs whose builds were told of before: a run ends later than its builds, often in a later batch.
#[derive(Debug, Default)]
pub(super) struct Built(HashSet<(String, String, String, i64)>);

/// Most runs that are remembered; then remembering begins anew.
const MOST_REMEMBERED: usize = 100_000;

impl Built {
    fn remember(&mut self, key: RunKey<'_>) {
        if self.0.len() >= MOST_REMEMBERED {
            self.0.clear();
        }
        self.0.insert(owned(key));
    }

    fn has(&self, key: RunKey<'_>) -> bool {
        self.0.contains(&owned(key))
    }
}

fn owned(key: RunKey<'_>) -> (String, String, String, i64) {
    (key.provider.to_owned(), key.project.to_owned(), key.run_id.to_owned(), key.attempt)
}

/// The points of some records; one whose time is not known gets `now`.
pub(super) fn points<'a>(batch: &Batch<'a>, earlier: &mut Built, now: Timestamp) -> Vec<Point<'a>> {
    let mut points = Vec::new();
    let mut built = HashSet::new();
    let mut artifacts: HashMap<RunKey<'a>, Vec<&'a Artifact>> = HashMap::new();
    let mut last_build: HashMap<RunKey<'a>, usize> = HashMap::new();
    for record in batch.records {
        match record {
            Record::Build(build) => {
                let key = run_key!(build);
                built.insert(key);
                earlier.remember(key);
                last_build.insert(key, points.len());
                points.push(of_build(build, batch.run(key), now));
            }
            Record::Test(test) => points.push(of_test(test, now)),
            Record::Sample(sample) => points.push(of_sample(sample, now)),
            Record::Artifact(artifact) => artifacts.entry(run_key!(artifact)).or_default().push(artifact),
            _ => {}
        }
    }
    for record in batch.records {
        let Record::Run(run) = record else { continue };
        let key = RunKey::of(run);
        let Some(seconds) = duration_of_run(run).filter(|_| run.conclusion.is_some()) else { continue };
        if built.insert(key) && !earlier.has(key) {
            last_build.insert(key, points.len());
            points.push(of_run(run, seconds, now));
        }
    }
    for (key, position) in last_build {
        if let (Some(artifacts), Some(point)) = (artifacts.get(&key), points.get_mut(position)) {
            point.fields.push(("artifact_size_bytes", FieldValue::Int(size_of(artifacts))));
        }
    }
    set_apart(&mut points);
    points
}

/// The size of all artifacts of a run. What lies in a folder that is one itself is part of its size.
fn size_of(artifacts: &[&Artifact]) -> i64 {
    let folders: Vec<&str> = artifacts
        .iter()
        .filter(|artifact| artifact.kind.as_deref() == Some("folder"))
        .map(|folder| folder.name.trim_end_matches('/'))
        .collect();
    let is_inside = |name: &str| {
        folders.iter().any(|folder| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    };
    let outside = artifacts.iter().filter(|artifact| !is_inside(artifact.name.trim_end_matches('/')));
    outside.fold(0, |sum, artifact| sum.saturating_add(artifact.size_bytes))
}

fn of_build<'a>(build: &'a Build, run: Option<&'a Run>, now: Timestamp) -> Point<'a> {
    let branch = build.branch.as_deref().or_else(|| run?.branch.as_deref());
    let commit = build.commit_sha.as_deref().or_else(|| run?.commit_sha.as_deref());
    let service = build.service.as_deref().or_else(|| run?.service.as_deref());
    let event = run.and_then(|run| run.trigger.as_deref());
    let seconds = build.duration_seconds.unwrap_or(f64::NAN);
    point(
        "ci_build",
        &[("branch", branch), ("event", event), ("service", service)],
        seconds,
        commit,
        build.at,
        now,
    )
}

fn of_run<'a>(run: &'a Run, seconds: f64, now: Timestamp) -> Point<'a> {
    let tags = [
        ("branch", run.branch.as_deref()),
        ("event", run.trigger.as_deref()),
        ("service", run.service.as_deref()),
    ];
    let at = run.finished_at.or(run.started_at).unwrap_or_default();
    point("ci_build", &tags, seconds, run.commit_sha.as_deref(), at, now)
}

fn of_test(test: &Test, now: Timestamp) -> Point<'_> {
    let name = match &test.parameters {
        Some(parameters) => Cow::Owned(format!("{}[{parameters}]", test.name)),
        None => Cow::Borrowed(test.name.as_str()),
    };
    let tags = [
        ("branch", test.branch.as_deref()),
        ("service", test.service.as_deref()),
        ("status", Some(test.status.as_str())),
        ("test_class", test.classname.as_deref()),
    ];
    let seconds = test.duration_seconds.unwrap_or(0.0);
    let mut point = point("ci_test_results", &tags, seconds, test.commit_sha.as_deref(), test.at, now);
    point.tags.push(("test_name", name));
    point
}

fn of_sample(sample: &Sample, now: Timestamp) -> Point<'_> {
    let tags = [
        ("branch", sample.branch.as_deref()),
        ("name", Some(sample.name.as_str())),
        ("service", sample.service.as_deref()),
    ];
    let mut point = point("ci_samples", &tags, f64::NAN, sample.commit_sha.as_deref(), sample.at, now);
    point.fields.insert(0, ("value", FieldValue::Float(sample.value)));
    if let Some(unit) = &sample.unit {
        point.tags.push(("unit", unit.into()));
    }
    for (key, value) in &sample.tags {
        if key == TAG_RECORD {
            point.fields.push((TAG_RECORD, FieldValue::Text(value)));
        } else if !point.tags.iter().any(|(known, _)| known == key) && key != "time" && !key.starts_with('_')
        {
            point.tags.push((key, value.into()));
        }
    }
    point.tags.sort_by(|left, right| left.0.cmp(right.0));
    point
}

/// A point with the usual fields; `NaN` seconds are not written.
fn point<'a>(
    measurement: &'a str,
    tags: &[(&'a str, Option<&'a str>)],
    seconds: f64,
    commit: Option<&'a str>,
    at: Timestamp,
    now: Timestamp,
) -> Point<'a> {
    let at = if at == Timestamp::default() { now } else { at };
    let mut fields = Vec::with_capacity(3);
    if !seconds.is_nan() {
        fields.push(("duration_seconds", FieldValue::Float(seconds)));
    }
    fields.push(("commit_sha", FieldValue::Text(commit.unwrap_or(UNKNOWN))));
    Point {
        measurement,
        tags: tags.iter().map(|(key, value)| (*key, Cow::Borrowed(value.unwrap_or(UNKNOWN)))).collect(),
        fields,
        at_nanos: at.as_micros().saturating_mul(1_000),
    }
}

/// InfluxDB keeps one point for each series and time: points that would fall on one another are set apart by a
/// nanosecond each. Times are known to the microsecond, so nothing that is known is changed.
fn set_apart(points: &mut [Point<'_>]) {
    let mut taken = HashSet::with_capacity(points.len());
    // Where to look next, so that a thousand points of one moment are not compared with each other.
    let mut next_free = HashMap::new();
    for point in points {
        let series = xxh3_128(point.series().as_bytes());
        let next = next_free.entry((series, point.at_nanos)).or_insert(point.at_nanos);
        while !taken.insert((series, *next)) {
            *next += 1;
        }
        point.at_nanos = *next;
    }
}
