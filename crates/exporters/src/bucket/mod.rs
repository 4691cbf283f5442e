//! JSON Lines to S3, to what speaks like it (MinIO, Ceph, R2), and to Google Cloud Storage.
//!
//! One object a run: `PREFIX/date=YYYY-MM-DD/RUN_ID.jsonl`, each line a record as `POST /api/v1/records` takes it.
//! Google's storage is written through its XML API, signed as for S3 with an HMAC key, or with an access token. Objects are put whole, so a
//! reader sees all of one or none of it.

mod objects;

use std::time::Duration;

use manometer_model::Problem;
use reqwest::Method;
use rusty_s3::{Bucket as Signer, Credentials, S3Action as _, UrlStyle};
use url::Url;

use crate::http::{Answer, Authorization, HttpClient, Outcome, Outgoing, RetryPolicy, parse_url, send};
use crate::records::Batch;
use crate::settings::{BucketSettings, SendingSettings};
use crate::{Deadline, ExportReport, Exporter, Secret};
use objects::Object;

/// The exporter.
#[derive(Debug)]
pub(crate) struct Bucket {
    destination: String,
    signer: Signer,
    access: Access,
    prefix: String,
    retry: RetryPolicy,
    client: HttpClient,
}

/// How a request shows that it may write.
#[derive(Debug)]
enum Access {
    /// Signed with a key, in the address.
    Key(Credentials),
    /// A token of Google's, in the header `Authorization`.
    Token(Secret),
}

const DEFAULT_REGION: &str = "us-east-1";
const GOOGLE_ENDPOINT: &str = "https://storage.googleapis.com";

/// How long a signature holds: long enough for all attempts.
const SIGNATURE_LIFETIME: Duration = Duration::from_secs(3_600);

impl Bucket {
    pub(crate) fn new(settings: &BucketSettings, sending: &SendingSettings) -> Result<Self, Problem> {
        let text = settings.bucket.trim();
        let (is_google, rest) = match (text.strip_prefix("gs://"), text.strip_prefix("s3://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => (false, text),
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() || name.contains([':', ' ']) {
            let shown: String = text.chars().take(64).collect();
            let message = format!("`{shown}` is not NAME, s3://NAME/PREFIX or gs://NAME/PREFIX");
            return Err(Problem::new(message).in_field("bucket"));
        }
        let region = settings.region.clone().unwrap_or_else(|| match is_google {
            true => "auto".to_owned(),
            false => DEFAULT_REGION.to_owned(),
        });
        let endpoint = match (&settings.endpoint, is_google) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, true) => GOOGLE_ENDPOINT.to_owned(),
            (None, false) => format!("https://s3.{region}.amazonaws.com"),
        };
        // Only Amazon's own addresses are sure to know a bucket by its host name; dots in it break their certificate.
        let is_own_host = settings.endpoint.is_none() && !is_google && !name.contains('.');
        let style = if is_own_host { UrlStyle::VirtualHost } else { UrlStyle::Path };
        let url: Url = parse_url(&endpoint).map_err(|why| Problem::new(why).in_field("endpoint"))?;
        let signer = Signer::new(url, style, name.to_owned(), region)
            .map_err(|error| Problem::new(error.to_string()).in_field("endpoint"))?;
        Ok(Self {
            destination: format!("{}://{name}/{prefix}", if is_google { "gs" } else { "s3" }),
            signer,
            access: access(settings, is_google)?,
            prefix: prefix.trim_matches('/').to_owned(),
            retry: sending.retry_policy(|status| status == 429 || status >= 500),
            client: HttpClient::new(),
        })
    }

    fn put(&mut self, object: Object, deadline: &Deadline, report: &mut ExportReport) {
        let Object { key, lines, body } = object;
        let (url, authorization) = match &self.access {
            Access::Key(key_pair) => {
                let signed = self.signer.put_object(Some(key_pair), &key).sign(SIGNATURE_LIFETIME);
                (signed, Authorization::None)
            }
            Access::Token(token) => {
                let header = Secret::new(format!("Bearer {}", token.reveal()));
                (self.signer.object_url(&key), Authorization::Header(header))
            }
        };
        let outgoing = Outgoing {
            method: Method::PUT,
            url,
            headers: vec![("Content-Type".to_owned(), "application/x-ndjson".to_owned())],
            authorization,
            body,
        };
        match send(&mut self.client, &outgoing, &self.retry, deadline) {
            Outcome::Answered(answer) if answer.is_success() => report.sent += lines,
            Outcome::Answered(answer) => {
                report.drop_items(lines, format!("`{key}` was refused: {}", refusal(&answer)));
            }
            Outcome::Undelivered(reason) => {
                report.leave_items(lines, format!("`{key}` was not delivered: {reason}"));
            }
        }
    }
}

impl Exporter for Bucket {
    fn name(&self) -> &'static str {
        "bucket"
    }

    fn destination(&self) -> &str {
        &self.destination
    }

    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        let mut report = ExportReport::default();
        for object in objects::objects(batch.records, &self.prefix, &mut report) {
            self.put(object, deadline, &mut report);
        }
        report
    }
}

fn access(settings: &BucketSettings, is_google: bool) -> Result<Access, Problem> {
    if let Some(token) = settings.token.as_ref().filter(|_| is_google) {
        return Ok(Access::Token(token.clone()));
    }
    let (Some(id), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) else {
        let message = match is_google {
            true => {
                "is missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to an HMAC key, or GCS_TOKEN"
            }
            false => "is missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        };
        return Err(Problem::new(message).in_field("access_key_id"));
    };
    Ok(Access::Key(match &settings.session_token {
        Some(token) => Credentials::new_with_token(id, secret.reveal(), token.reveal()),
        None => Credentials::new(id, secret.reveal()),
    }))
}

/// The code and message of a refusal, without the rest of its XML, which repeats what was signed.
fn refusal(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let inside = |tag: &str| {
        let (_, after) = text.split_once(&format!("<{tag}>"))?;
        after.split_once("</").map(|(content, _)| content.chars().take(300).collect::<String>())
    };
    match (inside("Code"), inside("Message")) {
        (Some(code), Some(message)) => format!("HTTP {}: {code}: {message}", answer.status),
        (Some(code), None) => format!("HTTP {}: {code}", answer.status),
        _ => format!("HTTP {}", answer.status),
    }
}
