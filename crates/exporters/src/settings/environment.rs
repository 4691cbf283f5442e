//! The variables that are read, and how one of several names is chosen.

use std::str::FromStr;

use manometer_model::{Problem, Problems};

use crate::Secret;

/// Every variable that is read, with its meaning. A name without `MANOMETER_` may also be given with it.
pub const VARIABLES: &[(&str, &str)] = &[
    ("MANOMETER_EXPORTERS", "names of the exporters to use, with commas between them; `none` for none"),
    ("INFLUXDB_URL", "address of InfluxDB"),
    ("INFLUXDB_TOKEN", "its token (2.x, 3.x)"),
    ("INFLUXDB_ORG", "organisation (2.x)"),
    ("INFLUXDB_BUCKET", "bucket (2.x)"),
    ("INFLUXDB_DATABASE", "database (1.x)"),
    ("INFLUXDB_USERNAME", "user (1.x)"),
    ("INFLUXDB_PASSWORD", "password (1.x)"),
    ("MANOMETER_STATSD_HOST", "StatsD server, HOST or HOST:PORT"),
    ("PANTHER_METRICS_STATSD_HOST", "the same"),
    ("MANOMETER_STATSD_FORMAT", "`statsd` (default) or `dogstatsd`, which has tags"),
    ("MANOMETER_STATSD_PREFIX", "what every StatsD name begins with"),
    ("MANOMETER_PUSHGATEWAY_URL", "address of a Prometheus Pushgateway"),
    ("MANOMETER_PUSHGATEWAY_JOB", "label `job` of the group pushed to (`manometer`)"),
    ("MANOMETER_PUSHGATEWAY_INSTANCE", "label `instance` of the group pushed to (the service)"),
    ("MANOMETER_REMOTE_WRITE_URL", "address of a receiver of Prometheus remote-write, with its path"),
    ("MANOMETER_REMOTE_WRITE_TOKEN", "its token"),
    ("MANOMETER_S3_BUCKET", "bucket for JSON Lines: NAME, s3://NAME/PREFIX or gs://NAME/PREFIX"),
    ("PANTHER_METRICS_S3_BUCKET", "the same"),
    ("MANOMETER_S3_ENDPOINT", "address of the object storage, where it is not Amazon's or Google's"),
    ("AWS_ENDPOINT_URL_S3", "the same"),
    ("AWS_ENDPOINT_URL", "the same"),
    ("AWS_REGION", "region of the bucket"),
    ("AWS_DEFAULT_REGION", "the same"),
    ("AWS_ACCESS_KEY_ID", "id of the access key (for gs:// of the HMAC key)"),
    ("AWS_SECRET_ACCESS_KEY", "the access key"),
    ("AWS_SESSION_TOKEN", "token of a temporary access key"),
    ("GCS_TOKEN", "access token of Google Cloud Storage, instead of a key"),
    ("CLOUDSDK_AUTH_ACCESS_TOKEN", "the same, by the name gcloud gave it"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "base address of an OTLP receiver, `http://HOST:4318`"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "address for traces, used as it is"),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "address for metrics, used as it is"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "headers, KEY=VALUE with commas between them, percent-encoded"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "headers for traces besides those"),
    ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "headers for metrics besides those"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "`http/protobuf` (default) or `http/json`"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "the same for traces"),
    ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "the same for metrics"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "`gzip` (default) or `none`"),
    ("OTEL_SERVICE_NAME", "`service.name` of everything that is sent"),
    ("OTEL_RESOURCE_ATTRIBUTES", "attributes of every resource, as headers are written"),
    ("OTEL_TRACES_EXPORTER", "`none` sends no traces"),
    ("OTEL_METRICS_EXPORTER", "`none` sends no metrics"),
    ("OTEL_SDK_DISABLED", "`true` sends nothing by OTLP"),
];

/// Is it one of [`VARIABLES`], with or without `MANOMETER_` in front?
pub fn is_variable(name: &str) -> bool {
    let bare = name.strip_prefix(OWN_PREFIX).unwrap_or(name);
    VARIABLES.iter().any(|(listed, _)| *listed == name || *listed == bare)
}

/// Reads variables through the function that looks them up.
pub(crate) struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: &'a mut Problems,
}

const OWN_PREFIX: &str = "MANOMETER_";

impl<'a> Environment<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>, problems: &'a mut Problems) -> Self {
        Self { lookup, problems }
    }

    /// The value of the first of these variables that is set and not blank. Each is tried with `MANOMETER_` in
    /// front first.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        self.named_text(names).map(|(_, text)| text)
    }

    /// The same, kept secret.
    pub(crate) fn secret(&self, names: &[&str]) -> Option<Secret> {
        self.text(names).map(Secret::new)
    }

    /// The same, read as something else; what cannot be read is a problem.
    pub(crate) fn parsed<T: FromStr>(&mut self, names: &[&str], expected: &str) -> Option<T> {
        let (name, text) = self.named_text(names)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let shown: String = text.chars().take(64).collect();
            self.problem(&name, format!("`{shown}` is not {expected}, it counts as not set"));
        }
        parsed
    }

    /// Says what is wrong with a variable.
    pub(crate) fn problem(&mut self, name: &str, message: String) {
        self.problems.push(Problem::new(message).in_field(name));
    }

    fn named_text(&self, names: &[&str]) -> Option<(String, String)> {
        let own = names.iter().map(|name| match name.starts_with(OWN_PREFIX) {
            true => (*name).to_owned(),
            false => format!("{OWN_PREFIX}{name}"),
        });
        own.chain(names.iter().map(|name| (*name).to_owned())).find_map(|name| {
            let text = (self.lookup)(&name)?.trim().to_owned();
            (!text.is_empty()).then_some((name, text))
        })
    }
}

/// Puts a value that the environment gives over one of the file.
pub(crate) fn put<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}
