//! The Pushgateway: the last run's numbers, for Prometheus to fetch.
//!
//! Each service is a group of its own, `job="manometer",instance="SERVICE"`, so that one service's push leaves the
//! others alone. POST replaces the metrics of the same names in its group, PUT the whole group.

use std::collections::BTreeMap;
use std::sync::Arc;

use manometer_model::{Clock, Problem};
use reqwest::Method;
use url::Url;

use super::exposition;
use super::series::{Sample, sample};
use crate::http::{
    Authorization, HttpClient, Outcome, Outgoing, RetryPolicy, parse_url, send, split_credentials,
};
use crate::records::{Batch, measures};
use crate::settings::{PushgatewaySettings, SendingSettings};
use crate::{Deadline, ExportReport, Exporter};

/// The exporter.
#[derive(Debug)]
pub(crate) struct Pushgateway {
    base: Url,
    authorization: Authorization,
    job: String,
    instance: Option<String>,
    method: Method,
    retry: RetryPolicy,
    client: HttpClient,
    clock: Arc<dyn Clock>,
}

const DEFAULT_JOB: &str = "manometer";

impl Pushgateway {
    pub(crate) fn new(
        settings: &PushgatewaySettings,
        sending: &SendingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let url = parse_url(&settings.url).map_err(|why| Problem::new(why).in_field("url"))?;
        let (base, authorization) = split_credentials(url);
        Ok(Self {
            base,
            authorization,
            job: settings.job.clone().unwrap_or_else(|| DEFAULT_JOB.to_owned()),
            instance: settings.instance.clone(),
            method: if settings.replace_group { Method::PUT } else { Method::POST },
            retry: sending.retry_policy(|status| status == 429 || status >= 500),
            client: HttpClient::new(),
            clock,
        })
    }

    fn push(&mut self, instance: &str, samples: &[Sample], deadline: &Deadline, report: &mut ExportReport) {
        let count = samples.len() as u64;
        let outgoing = Outgoing {
            method: self.method.clone(),
            url: group_url(&self.base, &self.job, instance),
            headers: vec![("Content-Type".to_owned(), "text/plain; version=0.0.4; charset=utf-8".to_owned())],
            authorization: self.authorization.clone(),
            body: exposition::text(samples).into_bytes(),
        };
        match send(&mut self.client, &outgoing, &self.retry, deadline) {
            Outcome::Answered(answer) if answer.is_success() => report.sent += count,
            Outcome::Answered(answer) => {
                report.drop_items(
                    count,
                    format!("{count} metrics of `{instance}` were refused: {}", answer.said()),
                );
            }
            Outcome::Undelivered(reason) => {
                report.leave_items(
                    count,
                    format!("{count} metrics of `{instance}` were not delivered: {reason}"),
                );
            }
        }
    }
}

impl Exporter for Pushgateway {
    fn name(&self) -> &'static str {
        "pushgateway"
    }

    fn destination(&self) -> &str {
        self.base.as_str()
    }

    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        let now = self.clock.now();
        let mut groups: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
        for measure in measures(batch) {
            let sample = sample(&measure, now);
            let service = sample.labels.get("service").or_else(|| sample.labels.get("project"));
            let instance = self.instance.as_ref().or(service).cloned().unwrap_or_default();
            groups.entry(instance).or_default().push(sample);
        }
        let mut report = ExportReport::default();
        for (instance, samples) in groups {
            self.push(&instance, &samples, deadline, &mut report);
        }
        report
    }
}

/// `/metrics/job/JOB/instance/INSTANCE`; a value that cannot stand in a path goes in base64, as the Pushgateway
/// has it for slashes and for the empty value.
fn group_url(base: &Url, job: &str, instance: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("metrics");
        for (key, value) in [("job", job), ("instance", instance)] {
            match value {
                "" => path.extend([format!("{key}@base64").as_str(), "="]),
                _ if value.contains('/') || value == "." || value == ".." => {
                    path.extend([format!("{key}@base64").as_str(), base64_url(value).as_str()])
                }
                _ => path.extend([key, value]),
            };
        }
    }
    url
}

fn base64_url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_an_address_whatever_its_name() {
        let base = Url::parse("http://gateway:9091/prefix/").unwrap();
        for (instance, path) in [
            ("payments", "/prefix/metrics/job/manometer/instance/payments"),
            ("a b?c", "/prefix/metrics/job/manometer/instance/a%20b%3Fc"),
            (
                "github.com/acme/shop",
                "/prefix/metrics/job/manometer/instance@base64/Z2l0aHViLmNvbS9hY21lL3Nob3A",
            ),
            ("", "/prefix/metrics/job/manometer/instance@base64/="),
            ("..", "/prefix/metrics/job/manometer/instance@base64/Li4"),
        ] {
            assert_eq!(group_url(&base, "manometer", instance).path(), path, "{instance}");
        }
    }
}
