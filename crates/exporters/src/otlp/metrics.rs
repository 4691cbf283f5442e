//! Numbers as OTLP metrics.
//!
//! Runs go into `cicd.pipeline.run.duration`, the convention's histogram, by state: `pending` is the time in the
//! queue, `executing` the time of work. Its temporality is delta: each export tells of the runs that ended since.
//! All other measures are gauges under their own names.

use std::collections::BTreeMap;

use manometer_model::records::Run;
use manometer_model::{Record, Timestamp};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
};

use super::attributes::{Attributes, Owner, error_type, owner_of, result};
use crate::records::{Batch, Measure, between, duration_of_run, measures};

/// Upper ends of the histogram's buckets in seconds: from a second to half a day.
const BOUNDS: &[f64] = &[
    1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0,
];

/// The owner and the attributes of one histogram.
type Series = (Owner, Vec<(&'static str, String)>);

/// The metrics of some records, one data point each, with the one each belongs to.
pub(super) fn points(batch: &Batch<'_>, now: Timestamp) -> Vec<(Owner, Metric)> {
    let mut found: Vec<(Owner, Metric)> = Vec::new();
    for measure in measures(batch).iter().filter(|measure| !measure.name.starts_with("ci.run.")) {
        found.push((owner_of_measure(measure), gauge(measure, now)));
    }
    let mut durations: BTreeMap<Series, Observed> = BTreeMap::new();
    for record in batch.records {
        let Record::Run(run) = record else { continue };
        let at = run.finished_at.unwrap_or(now);
        let queued = run.queue_seconds.or_else(|| between(run.queued_at, run.started_at));
        for (state, seconds) in [("pending", queued), ("executing", duration_of_run(run))] {
            let seconds = seconds.filter(|seconds| seconds.is_finite() && run.conclusion.is_some());
            if let Some(seconds) = seconds {
                durations
                    .entry((owner_of!(run), attributes_of_run(run, state)))
                    .or_default()
                    .add(seconds, at);
            }
        }
    }
    found.extend(durations.into_iter().map(|((owner, attributes), observed)| {
        let mut kept = Attributes::default();
        for (key, value) in &attributes {
            kept.text(key, Some(value));
        }
        (owner, observed.metric(kept.finish()))
    }));
    found
}

fn attributes_of_run(run: &Run, state: &'static str) -> Vec<(&'static str, String)> {
    let conclusion = run.conclusion;
    let known = [
        ("cicd.pipeline.name", run.pipeline.as_deref()),
        ("cicd.pipeline.run.state", Some(state)),
        ("cicd.pipeline.result", conclusion.map(result)),
        ("error.type", conclusion.and_then(error_type)),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key, value?.to_owned()))).collect()
}

/// What one export observed of one histogram.
#[derive(Default)]
struct Observed {
    seconds: Vec<f64>,
    first_at: Option<Timestamp>,
    last_at: Timestamp,
}

impl Observed {
    fn add(&mut self, seconds: f64, at: Timestamp) {
        let began = at.plus_seconds(-seconds);
        self.first_at = Some(self.first_at.map_or(began, |known| known.min(began)));
        self.last_at = self.last_at.max(at);
        self.seconds.push(seconds);
    }

    fn metric(self, attributes: Vec<KeyValue>) -> Metric {
        let mut bucket_counts = vec![0; BOUNDS.len() + 1];
        for seconds in &self.seconds {
            let bucket = BOUNDS.partition_point(|bound| bound < seconds);
            if let Some(count) = bucket_counts.get_mut(bucket) {
                *count += 1;
            }
        }
        let point = HistogramDataPoint {
            attributes,
            start_time_unix_nano: nanos(self.first_at.unwrap_or_default()),
            time_unix_nano: nanos(self.last_at),
            count: self.seconds.len() as u64,
            sum: Some(self.seconds.iter().sum()),
            min: self.seconds.iter().copied().reduce(f64::min),
            max: self.seconds.iter().copied().reduce(f64::max),
            bucket_counts,
            explicit_bounds: BOUNDS.to_vec(),
            ..HistogramDataPoint::default()
        };
        Metric {
            name: "cicd.pipeline.run.duration".to_owned(),
            description: "Duration of a pipeline run grouped by pipeline, state and result.".to_owned(),
            unit: "s".to_owned(),
            data: Some(Data::Histogram(Histogram {
                data_points: vec![point],
                aggregation_temporality: AggregationTemporality::Delta.into(),
            })),
            ..Metric::default()
        }
    }
}

fn owner_of_measure(measure: &Measure<'_>) -> Owner {
    let label = |key: &str| {
        measure.labels.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned())
    };
    Owner {
        provider: label("provider").unwrap_or_default(),
        project: label("project").unwrap_or_default(),
        service: label("service"),
    }
}

fn gauge(measure: &Measure<'_>, now: Timestamp) -> Metric {
    let mut attributes = Attributes::default();
    for (key, value) in &measure.labels {
        let key = match *key {
            // Part of the resource.
            "provider" | "project" | "service" => continue,
            "pipeline" => "cicd.pipeline.name",
            "branch" => "vcs.ref.head.name",
            "job" | "step" => "cicd.pipeline.task.name",
            other => other,
        };
        attributes.text(key, Some(value));
    }
    let at = if measure.at == Timestamp::default() { now } else { measure.at };
    let point = NumberDataPoint {
        attributes: attributes.finish(),
        time_unix_nano: nanos(at),
        value: Some(Value::AsDouble(measure.value)),
        ..NumberDataPoint::default()
    };
    Metric {
        name: measure.name.to_owned(),
        unit: measure.unit.map(ucum).unwrap_or_default().to_owned(),
        data: Some(Data::Gauge(Gauge { data_points: vec![point] })),
        ..Metric::default()
    }
}

/// A unit as OpenTelemetry writes it (UCUM).
fn ucum(unit: &str) -> &str {
    match unit {
        "seconds" => "s",
        "milliseconds" => "ms",
        "bytes" => "By",
        "megabytes" => "MBy",
        "percent" | "percentage" => "%",
        "count" | "boolean" => "1",
        other => other,
    }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(0).saturating_mul(1_000)
}
