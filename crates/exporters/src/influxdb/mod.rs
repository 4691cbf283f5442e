//! InfluxDB, by its line protocol: `/write?db=` for 1.x, `/api/v2/write` for 2.x and later.
//!
//! Answers are taken as its documentation says: 204 took everything; 429 and 5xx may be sent again, after
//! `Retry-After` where it is given; 400 and 422 with `partial write` took all points but some; 400 without those
//! words and 413 took none because of some, so the batch is halved until the points to blame stand alone.

mod line;
mod points;
mod refusal;

use std::sync::Arc;

use manometer_model::{Clock, Problem, Record};
use reqwest::Method;
use url::Url;

use crate::http::{Authorization, HttpClient, Outcome, Outgoing, RetryPolicy, gzip, send};
use crate::records::Batch;
use crate::settings::{InfluxdbSettings, SendingSettings};
use crate::{Deadline, ExportReport, Exporter};
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
}

/// Most requests that one batch is cut into while the points to blame are looked for.
const MOST_HALVES: u32 = 256;

impl Influxdb {
    pub(crate) fn new(
        settings: &InfluxdbSettings,
        sending: &SendingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let (address, destination) = address(settings)?;
        Ok(Self {
            address,
            destination,
            authorization: authorization(settings),
            batch_points: sending.batch_points.max(1),
            retry: sending.retry_policy(|status| status == 429 || status >= 500),
            client: HttpClient::new(),
            clock,
        })
    }

    /// Sends lines; where some of them spoil the others, in halves.
    fn send_lines(
        &mut self,
        lines: &[String],
        halves_left: &mut u32,
        deadline: &Deadline,
        report: &mut ExportReport,
    ) {
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
                return report.leave_items(count, format!("{count} points were not delivered: {reason}"));
            }
        };
        match refusal::verdict(&answer, count) {
            Verdict::Taken => report.sent += count,
            Verdict::Partial { dropped, reasons } => {
                report.sent += count - dropped;
                report.dropped += dropped;
                reasons.into_iter().for_each(|reason| report.problems.push(reason));
            }
            Verdict::SpoiltBySome if lines.len() > 1 && *halves_left >= 2 => {
                *halves_left -= 2;
                let (first, second) = lines.split_at(lines.len() / 2);
                self.send_lines(first, halves_left, deadline, report);
                self.send_lines(second, halves_left, deadline, report);
            }
            Verdict::SpoiltBySome | Verdict::Refused => {
                report.drop_items(count, format!("{count} points were refused: {}", answer.said()));
            }
        }
    }
}

impl Exporter for Influxdb {
    fn name(&self) -> &'static str {
        "influxdb"
    }

    fn destination(&self) -> &str {
        &self.destination
    }

    fn export(&mut self, records: &[Record], deadline: &Deadline) -> ExportReport {
        let mut report = ExportReport::default();
        let points = points::points(&Batch::new(records), self.clock.now());
        let mut lines = Vec::with_capacity(points.len());
        for point in &points {
            match point.line() {
                Some(line) => lines.push(line),
                None => report
                    .drop_items(1, format!("a point of `{}` has no field with a value", point.measurement)),
            }
        }
        for batch in lines.chunks(self.batch_points) {
            let mut halves_left = MOST_HALVES;
            self.send_lines(batch, &mut halves_left, deadline, &mut report);
        }
        report
    }
}

/// The address to write to, and the same for people.
fn address(settings: &InfluxdbSettings) -> Result<(Url, String), Problem> {
    let text = settings.url.as_deref().unwrap_or_default();
    if text.is_empty() {
        return Err(Problem::new("is missing: say http://HOST:8086 (INFLUXDB_URL)").in_field("url"));
    }
    let mut url = crate::http::parse_url(text).map_err(|why| Problem::new(why).in_field("url"))?;
    // Credentials belong into settings of their own, where they are not shown.
    let _ignored = url.set_username("").and_then(|()| url.set_password(None));
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
    Ok((url, destination))
}

fn authorization(settings: &InfluxdbSettings) -> Authorization {
    if let Some(token) = &settings.token {
        return Authorization::Header(crate::Secret::new(format!("Token {}", token.reveal())));
    }
    match &settings.username {
        Some(user) => Authorization::Basic(
            user.clone(),
            settings.password.clone().unwrap_or_else(|| crate::Secret::new("")),
        ),
        None => Authorization::None,
    }
}
