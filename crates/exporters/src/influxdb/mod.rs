//! InfluxDB, by its line protocol: `/write?db=` for 1.x, `/api/v2/write` for 2.x and later.
//!
//! Answers are taken as its documentation says: 204 took everything; 429 and 5xx may be sent again, after
//! `Retry-After` where it is given; 400 and 422 with `partial write` took all points but some; 400 without those
//! words and 413 took none because of some, so the batch is halved until the points to blame stand alone.

mod line;
mod points;
mod refusal;

use std::sync::Arc;

use manometer_model::{Clock, Problem};
use reqwest::Method;
use url::Url;

use crate::http::{
    Authorization, HttpClient, Outcome, Outgoing, Part, RetryPolicy, gzip, parse_url, send, send_in_halves,
    split_credentials,
};
use crate::records::Batch;
use crate::settings::{InfluxdbSettings, SendingSettings};
use crate::{Deadline, ExportReport, Exporter, Secret};
use refusal::Verdict;

/// The exporter.
#[derive(Debug)]
pub(crate) struct Influxdb {
    address: Url,
    destination: String,
    authorization: Authorization,
    batch_points: usize,
    retry: RetryPolicy,
    client: HttpClient,
    clock: Arc<dyn Clock>,
    built: points::Built,
}

impl Influxdb {
    pub(crate) fn new(
        settings: &InfluxdbSettings,
        sending: &SendingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let (address, destination, in_address) = address(settings)?;
        Ok(Self {
            address,
            destination,
            authorization: authorization(settings).unwrap_or(in_address),
            batch_points: sending.batch_points.max(1),
            retry: sending.retry_policy(|status| status == 429 || status >= 500),
            client: HttpClient::new(),
            clock,
            built: points::Built::default(),
        })
    }

    /// Sends some lines in one request.
    fn send_lines(
        &mut self,
        lines: &[String],
        is_last: bool,
        deadline: &Deadline,
        report: &mut ExportReport,
    ) -> Part {
        let count = lines.len() as u64;
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.address.clone(),
            headers: vec![
                ("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned()),
                ("Content-Encoding".to_owned(), "gzip".to_owned()),
            ],
            authorization: self.authorization.clone(),
            body: gzip(lines.concat().as_bytes()),
        };
        let answer = match send(&mut self.client, &outgoing, &self.retry, deadline) {
            Outcome::Answered(answer) => answer,
            Outcome::Undelivered(reason) => {
                report.leave_items(count, format!("{count} points were not delivered: {reason}"));
                return Part::Settled;
            }
        };
        match refusal::verdict(&answer, count) {
            Verdict::Taken => report.sent += count,
            Verdict::Partial { dropped, reasons } => {
                report.sent += count - dropped;
                report.dropped += dropped;
                reasons.into_iter().for_each(|reason| report.problems.push(reason));
            }
            Verdict::SpoiltBySome if !is_last => return Part::Spoilt,
            Verdict::SpoiltBySome | Verdict::Refused => {
                report.drop_items(count, format!("{count} points were refused: {}", answer.said()));
            }
        }
        Part::Settled
    }
}

impl Exporter for Influxdb {
    fn name(&self) -> &'static str {
        "influxdb"
    }

    fn destination(&self) -> &str {
        &self.destination
    }

    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        let mut report = ExportReport::default();
        let points = points::points(batch, &mut self.built, self.clock.now());
        let mut lines = Vec::with_capacity(points.len());
        for point in &points {
            match point.line() {
                Some(line) => lines.push(line),
                None => report
                    .drop_items(1, format!("a point of `{}` has no field with a value", point.measurement)),
            }
        }
        for part in lines.chunks(self.batch_points) {
            send_in_halves(part, &mut |part, is_last| self.send_lines(part, is_last, deadline, &mut report));
        }
        report
    }
}

/// The address to write to, the same for people, and the credentials that stood in it.
fn address(settings: &InfluxdbSettings) -> Result<(Url, String, Authorization), Problem> {
    let text = settings.url.as_deref().unwrap_or_default();
    if text.is_empty() {
        return Err(Problem::new("is missing: say http://HOST:8086 (INFLUXDB_URL)").in_field("url"));
    }
    let url = parse_url(text).map_err(|why| Problem::new(why).in_field("url"))?;
    let (mut url, in_address) = split_credentials(url);
    let base = url.path().trim_end_matches('/').to_owned();
    let destination;
    match (&settings.bucket, &settings.database) {
        (Some(bucket), _) => {
            url.set_path(&format!("{base}/api/v2/write"));
            destination = format!("{url} bucket {bucket}");
            let mut query = url.query_pairs_mut();
            query.clear().append_pair("bucket", bucket);
            if let Some(org) = &settings.org {
                query.append_pair("org", org);
            }
            query.append_pair("precision", "ns");
        }
        (None, Some(database)) => {
            url.set_path(&format!("{base}/write"));
            destination = format!("{url} database {database}");
            let mut query = url.query_pairs_mut();
            query.clear().append_pair("db", database).append_pair("precision", "n");
            if let Some(retention_policy) = &settings.retention_policy {
                query.append_pair("rp", retention_policy);
            }
        }
        (None, None) => {
            let message =
                "is missing: name a bucket (INFLUXDB_BUCKET, 2.x) or a database (INFLUXDB_DATABASE, 1.x)";
            return Err(Problem::new(message).in_field("bucket"));
        }
    }
    Ok((url, destination, in_address))
}

fn authorization(settings: &InfluxdbSettings) -> Option<Authorization> {
    if let Some(token) = &settings.token {
        return Some(Authorization::Header(Secret::new(format!("Token {}", token.reveal()))));
    }
    let password = settings.password.clone().unwrap_or_else(|| Secret::new(""));
    settings.username.clone().map(|user| Authorization::Basic(user, password))
}
