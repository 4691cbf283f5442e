//! OpenTelemetry: runs, jobs, steps and tests as spans, numbers as metrics, over OTLP/HTTP.
//!
//! Names are those of the semantic conventions 1.44 for CI/CD, version control and tests. As the protocol says,
//! 429, 502, 503 and 504 are sent again, other refusals are not, and what `partial_success` rejects is reported.

mod answer;
mod attributes;
mod json;
mod metrics;
mod signal;
mod spans;
pub mod trace;

use std::sync::Arc;

use manometer_model::{Clock, Problem};

use crate::http::{HttpClient, RetryPolicy};
use crate::records::Batch;
use crate::settings::{OtlpSettings, SendingSettings};
use crate::{Deadline, ExportReport, Exporter};
use attributes::Resources;
use signal::Signal;
use spans::Traces;

/// The exporter.
#[derive(Debug)]
pub(crate) struct Otlp {
    destination: String,
    resources: Resources,
    traces: Option<Signal>,
    metrics: Option<Signal>,
    with_tests: bool,
    known_traces: Traces,
    batch_points: usize,
    retry: RetryPolicy,
    client: HttpClient,
    clock: Arc<dyn Clock>,
}

impl Otlp {
    pub(crate) fn new(
        settings: &OtlpSettings,
        sending: &SendingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let traces = Signal::new(settings, &settings.traces, signal::Kind::Traces)?;
        let metrics = Signal::new(settings, &settings.metrics, signal::Kind::Metrics)?;
        let Some(first) = traces.as_ref().or(metrics.as_ref()) else {
            let message = "is missing: say http://HOST:4318 (OTEL_EXPORTER_OTLP_ENDPOINT)";
            return Err(Problem::new(message).in_field("endpoint"));
        };
        Ok(Self {
            destination: first.destination(),
            resources: Resources::new(settings),
            traces,
            metrics,
            with_tests: settings.tests,
            known_traces: Traces::default(),
            batch_points: sending.batch_points.max(1),
            retry: sending.retry_policy(|status| matches!(status, 429 | 502 | 503 | 504)),
            client: HttpClient::new(),
            clock,
        })
    }
}

impl Exporter for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn destination(&self) -> &str {
        &self.destination
    }

    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        let mut report = ExportReport::default();
        if let Some(signal) = &self.traces {
            let spans = spans::spans(batch, &mut self.known_traces, self.with_tests);
            for part in spans.chunks(self.batch_points) {
                let request = self.resources.trace_request(part);
                let (body, count) = (signal.encoded(&request, json::trace_request), part.len() as u64);
                report.absorb(signal.send(&mut self.client, &self.retry, body, count, deadline));
            }
        }
        if let Some(signal) = &self.metrics {
            let points = metrics::points(batch, self.clock.now());
            for part in points.chunks(self.batch_points) {
                let request = self.resources.metrics_request(part);
                let (body, count) = (signal.encoded(&request, json::metrics_request), part.len() as u64);
                report.absorb(signal.send(&mut self.client, &self.retry, body, count, deadline));
            }
        }
        report
    }
}
