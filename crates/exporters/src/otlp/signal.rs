//! One kind of telemetry and the address it goes to.

use manometer_model::Problem;
use prost::Message;
use reqwest::Method;
use url::Url;

use super::answer;
use crate::http::{
    Authorization, HttpClient, Outcome, Outgoing, RetryPolicy, gzip, parse_url, send, split_credentials,
};
use crate::settings::{OtlpProtocol, OtlpSettings, OtlpSignalSettings};
use crate::{Deadline, ExportReport, Secret};

/// Which telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Traces,
    Metrics,
}

/// Where and how one kind is sent.
#[derive(Debug)]
pub(super) struct Signal {
    kind: Kind,
    url: Url,
    authorization: Authorization,
    headers: Vec<(String, Secret)>,
    is_json: bool,
    is_packed: bool,
}

impl Signal {
    /// The signal these settings ask for; `None` when they switch it off or name no address.
    pub(super) fn new(
        settings: &OtlpSettings,
        own: &OtlpSignalSettings,
        kind: Kind,
    ) -> Result<Option<Self>, Problem> {
        if !own.enabled {
            return Ok(None);
        }
        let (path, section) = match kind {
            Kind::Traces => ("v1/traces", "traces"),
            Kind::Metrics => ("v1/metrics", "metrics"),
        };
        let blamed = |why: String, field: &str| Problem::new(why).in_field(field);
        let url = match (&own.endpoint, &settings.endpoint) {
            // Used as it is, the protocol's documentation says.
            (Some(endpoint), _) => {
                parse_url(endpoint).map_err(|why| blamed(why, &format!("{section}.endpoint")))?
            }
            (None, Some(base)) => {
                let mut url = parse_url(base).map_err(|why| blamed(why, "endpoint"))?;
                url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
                url
            }
            (None, None) => return Ok(None),
        };
        let protocol = own.protocol.or(settings.protocol).unwrap_or_default();
        if protocol == OtlpProtocol::Grpc {
            let message = "gRPC is not spoken: use `http/protobuf`, which collectors take on port 4318";
            return Err(Problem::new(message).in_field("protocol"));
        }
        let (url, authorization) = split_credentials(url);
        let mut headers = settings.headers.clone();
        headers.extend(own.headers.clone());
        Ok(Some(Self {
            kind,
            url,
            authorization,
            headers: headers.into_iter().collect(),
            is_json: protocol == OtlpProtocol::HttpJson,
            is_packed: settings.gzip,
        }))
    }

    /// Where it goes to, for people.
    pub(super) fn destination(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.into()
    }

    /// A request as it is sent.
    pub(super) fn encoded<M: Message>(&self, request: &M, as_json: fn(&M) -> serde_json::Value) -> Vec<u8> {
        if self.is_json { as_json(request).to_string().into_bytes() } else { request.encode_to_vec() }
    }

    /// Sends a body that holds `count` items.
    pub(super) fn send(
        &self,
        client: &mut HttpClient,
        retry: &RetryPolicy,
        body: Vec<u8>,
        count: u64,
        deadline: &Deadline,
    ) -> ExportReport {
        let mut report = ExportReport::default();
        let items = match self.kind {
            Kind::Traces => "spans",
            Kind::Metrics => "data points",
        };
        let content_type = if self.is_json { "application/json" } else { "application/x-protobuf" };
        let mut headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())));
        if self.is_packed {
            headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        let outgoing = Outgoing {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            authorization: self.authorization.clone(),
            body: if self.is_packed { gzip(&body) } else { body },
        };
        match send(client, &outgoing, retry, deadline) {
            Outcome::Answered(answer) if answer.is_success() => {
                let rejected = answer::rejected(&answer.body, self.kind, self.is_json);
                let dropped = rejected.count.min(count);
                report.sent += count - dropped;
                report.dropped += dropped;
                match dropped {
                    0 if rejected.message.is_empty() => {}
                    0 => report
                        .problems
                        .push(Problem::new(format!("the receiver warns: {}", rejected.message))),
                    _ => report.problems.push(Problem::new(format!(
                        "{dropped} of {count} {items} were rejected: {}",
                        rejected.message
                    ))),
                }
            }
            Outcome::Answered(answer) => {
                let said = answer::refusal(&answer, self.is_json);
                report.drop_items(count, format!("{count} {items} were refused: {said}"));
            }
            Outcome::Undelivered(reason) => {
                report.leave_items(count, format!("{count} {items} were not delivered: {reason}"));
            }
        }
        report
    }
}
