//! Settings of the OTLP exporter: OpenTelemetry's own variables, and the same in a file.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::form_urlencoded;

use super::environment::{Environment, put};
use crate::Secret;

/// A receiver of OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpSettings {
    /// Base address, to which `/v1/traces` and `/v1/metrics` are added: `http://localhost:4318`.
    pub endpoint: Option<String>,
    /// Headers of every request.
    pub headers: BTreeMap<String, Secret>,
    /// `http/protobuf` where not given.
    pub protocol: Option<OtlpProtocol>,
    /// Pack bodies with gzip?
    pub gzip: bool,
    /// `service.name` of everything; each record's own service where not given.
    pub service_name: Option<String>,
    /// Attributes of every resource.
    pub resource_attributes: BTreeMap<String, String>,
    /// Make a span of each test?
    pub tests: bool,
    /// What is particular to traces.
    pub traces: OtlpSignalSettings,
    /// What is particular to metrics.
    pub metrics: OtlpSignalSettings,
}

/// What is particular to one kind of telemetry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpSignalSettings {
    /// Is it sent?
    pub enabled: bool,
    /// Its address, used as it is.
    pub endpoint: Option<String>,
    /// Headers besides those of every request.
    pub headers: BTreeMap<String, Secret>,
    /// Its protocol, where it is another.
    pub protocol: Option<OtlpProtocol>,
}

/// How a request is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum OtlpProtocol {
    /// Protocol buffers over HTTP.
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    /// JSON over HTTP.
    #[serde(rename = "http/json")]
    HttpJson,
    /// gRPC, which is refused with advice.
    #[serde(rename = "grpc")]
    Grpc,
}

impl std::str::FromStr for OtlpProtocol {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "http/protobuf" => Ok(Self::HttpProtobuf),
            "http/json" => Ok(Self::HttpJson),
            "grpc" => Ok(Self::Grpc),
            _ => Err(()),
        }
    }
}

impl Default for OtlpSettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: BTreeMap::new(),
            protocol: None,
            gzip: true,
            service_name: None,
            resource_attributes: BTreeMap::new(),
            tests: true,
            traces: OtlpSignalSettings::default(),
            metrics: OtlpSignalSettings::default(),
        }
    }
}

impl Default for OtlpSignalSettings {
    fn default() -> Self {
        Self { enabled: true, endpoint: None, headers: BTreeMap::new(), protocol: None }
    }
}

const PROTOCOLS: &str = "`http/protobuf` or `http/json`";

impl OtlpSettings {
    pub(super) fn with_environment(file: Option<Self>, environment: &mut Environment<'_>) -> Option<Self> {
        if environment.text(&["OTEL_SDK_DISABLED"]).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let endpoint = environment.text(&["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        let traces_endpoint = environment.text(&["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);
        let metrics_endpoint = environment.text(&["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]);
        let is_told = endpoint.is_some() || traces_endpoint.is_some() || metrics_endpoint.is_some();
        let mut settings = file.or_else(|| is_told.then(Self::default))?;
        put(&mut settings.endpoint, endpoint);
        put(&mut settings.traces.endpoint, traces_endpoint);
        put(&mut settings.metrics.endpoint, metrics_endpoint);
        settings.headers.extend(headers("OTEL_EXPORTER_OTLP_HEADERS", environment));
        settings.traces.headers.extend(headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS", environment));
        settings.metrics.headers.extend(headers("OTEL_EXPORTER_OTLP_METRICS_HEADERS", environment));
        put(&mut settings.protocol, environment.parsed(&["OTEL_EXPORTER_OTLP_PROTOCOL"], PROTOCOLS));
        let own = environment.parsed(&["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"], PROTOCOLS);
        put(&mut settings.traces.protocol, own);
        let own = environment.parsed(&["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"], PROTOCOLS);
        put(&mut settings.metrics.protocol, own);
        if let Some(compression) = environment.text(&["OTEL_EXPORTER_OTLP_COMPRESSION"]) {
            settings.gzip = compression != "none";
        }
        put(&mut settings.service_name, environment.text(&["OTEL_SERVICE_NAME"]));
        let attributes = pairs("OTEL_RESOURCE_ATTRIBUTES", environment);
        settings.resource_attributes.extend(attributes);
        let is_off = |text: Option<String>| text.is_some_and(|exporters| exporters == "none");
        settings.traces.enabled &= !is_off(environment.text(&["OTEL_TRACES_EXPORTER"]));
        settings.metrics.enabled &= !is_off(environment.text(&["OTEL_METRICS_EXPORTER"]));
        Some(settings)
    }
}

fn headers(name: &str, environment: &mut Environment<'_>) -> Vec<(String, Secret)> {
    let pairs = pairs(name, environment).into_iter();
    pairs.map(|(key, value)| (key.to_ascii_lowercase(), Secret::new(value))).collect()
}

/// `key=value,key=value`, percent-encoded as W3C baggage is.
fn pairs(name: &str, environment: &mut Environment<'_>) -> Vec<(String, String)> {
    let Some(text) = environment.text(&[name]) else { return Vec::new() };
    let mut found = Vec::new();
    for (position, pair) in text.split(',').enumerate() {
        match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => found.push((decoded(key), decoded(value))),
            _ if pair.trim().is_empty() => {}
            // The pair itself may hold a secret, so only its place is told.
            _ => {
                environment.problem(name, format!("entry {} is not KEY=VALUE, it was left out", position + 1))
            }
        }
    }
    found
}

fn decoded(text: &str) -> String {
    // A plus sign stands for itself here.
    let form = format!("v={}", text.trim().replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
