//! Remote-write 1.0: samples with their times, for Prometheus, VictoriaMetrics, Mimir, Thanos and others.
//!
//! As its specification says, 5xx and 429 are sent again, other 4xx are not. Prometheus refuses a whole request for
//! one sample it cannot take (too old, out of order), so such a request is cut in halves.

use std::collections::BTreeMap;
use std::sync::Arc;

use manometer_formats::dialects::remote_write::message::{self, NAME_LABEL, TimeSeries, WriteRequest};
use manometer_model::{Clock, Problem};
use prost::Message as _;
use reqwest::Method;
use url::Url;

use super::series::sample;
use crate::http::{
    Authorization, HttpClient, Outcome, Outgoing, Part, RetryPolicy, parse_url, send, send_in_halves,
    split_credentials,
};
use crate::records::{Batch, measures};
use crate::settings::{RemoteWriteSettings, SendingSettings};
use crate::{Deadline, ExportReport, Exporter, Secret};

/// The exporter.
#[derive(Debug)]
pub(crate) struct RemoteWrite {
    url: Url,
    authorization: Authorization,
    labels: BTreeMap<String, String>,
    batch_points: usize,
    retry: RetryPolicy,
    client: HttpClient,
    clock: Arc<dyn Clock>,
}

impl RemoteWrite {
    pub(crate) fn new(
        settings: &RemoteWriteSettings,
        sending: &SendingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let url = parse_url(&settings.url).map_err(|why| Problem::new(why).in_field("url"))?;
        let (url, in_address) = split_credentials(url);
        let token = settings.token.as_ref();
        let mut labels = settings.labels.clone();
        labels.entry("job".to_owned()).or_insert_with(|| "manometer".to_owned());
        Ok(Self {
            url,
            authorization: token.map_or(in_address, |token| {
                Authorization::Header(Secret::new(format!("Bearer {}", token.reveal())))
            }),
            labels,
            batch_points: sending.batch_points.max(1),
            retry: sending.retry_policy(|status| status == 429 || status >= 500),
            client: HttpClient::new(),
            clock,
        })
    }

    fn series(&self, batch: &Batch<'_>) -> Vec<TimeSeries> {
        let now = self.clock.now();
        let mut series: BTreeMap<(String, BTreeMap<String, String>), BTreeMap<i64, f64>> = BTreeMap::new();
        for measure in measures(batch) {
            let mut sample = sample(&measure, now);
            for (name, value) in &self.labels {
                sample.labels.entry(name.clone()).or_insert_with(|| value.clone());
            }
            series.entry((sample.name, sample.labels)).or_default().insert(sample.at_millis, sample.value);
        }
        series.into_iter().map(|((name, labels), samples)| time_series(name, labels, &samples)).collect()
    }

    fn send_series(
        &mut self,
        series: &[TimeSeries],
        is_last: bool,
        deadline: &Deadline,
        report: &mut ExportReport,
    ) -> Part {
        let count = series.iter().map(|series| series.samples.len() as u64).sum();
        let request = WriteRequest { timeseries: series.to_vec() };
        let Ok(body) = snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()) else {
            // Snappy has an upper end at 4 GiB.
            return if is_last { Part::Settled } else { Part::Spoilt };
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.url.clone(),
            headers: vec![
                header("Content-Type", "application/x-protobuf"),
                header("Content-Encoding", "snappy"),
                header("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ],
            authorization: self.authorization.clone(),
            body,
        };
        match send(&mut self.client, &outgoing, &self.retry, deadline) {
            Outcome::Answered(answer) if answer.is_success() => report.sent += count,
            Outcome::Answered(answer) if matches!(answer.status, 400 | 413) && !is_last => {
                return Part::Spoilt;
            }
            Outcome::Answered(answer) => {
                report.drop_items(count, format!("{count} samples were refused: {}", answer.said()));
            }
            Outcome::Undelivered(reason) => {
                report.leave_items(count, format!("{count} samples were not delivered: {reason}"));
            }
        }
        Part::Settled
    }
}

impl Exporter for RemoteWrite {
    fn name(&self) -> &'static str {
        "remote_write"
    }

    fn destination(&self) -> &str {
        self.url.as_str()
    }

    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        let mut report = ExportReport::default();
        let series = self.series(batch);
        for part in series.chunks(self.batch_points) {
            send_in_halves(part, &mut |part, is_last| self.send_series(part, is_last, deadline, &mut report));
        }
        report
    }
}

/// Labels sorted by name with the metric's own among them, samples oldest first: both are required.
fn time_series(name: String, labels: BTreeMap<String, String>, samples: &BTreeMap<i64, f64>) -> TimeSeries {
    let mut labels: Vec<message::Label> = labels
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| message::Label { name, value })
        .collect();
    labels.push(message::Label { name: NAME_LABEL.to_owned(), value: name });
    labels.sort_by(|left, right| left.name.cmp(&right.name));
    TimeSeries {
        labels,
        samples: samples
            .iter()
            .map(|(at, value)| message::Sample { value: *value, timestamp: *at })
            .collect(),
        exemplars: Vec::new(),
        histograms: Vec::new(),
    }
}
