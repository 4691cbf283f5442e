//! Where to send, and how: a section of the config file, and the environment on top of it.
//!
//! Seed-compatible names (`INFLUXDB_URL`, `PANTHER_METRICS_STATSD_HOST`, `OTEL_EXPORTER_OTLP_ENDPOINT`, …) and the
//! same with `MANOMETER_` are read; where both are set, `MANOMETER_*` wins, and both win over the file.

mod bucket;
mod environment;
mod influxdb;
mod otlp;
mod prometheus;
mod statsd;

use std::sync::Arc;
use std::time::Duration;

use manometer_model::{Clock, Problem, Problems};
use serde::Deserialize;

use crate::Exporter;
use crate::bucket::Bucket;
use crate::http::RetryPolicy;
use crate::influxdb::Influxdb;
use crate::otlp::Otlp;
use crate::prometheus::{Pushgateway, RemoteWrite};
use crate::statsd::Statsd;
pub use bucket::BucketSettings;
pub(crate) use environment::Environment;
pub use environment::{VARIABLES, is_variable};
pub use influxdb::InfluxdbSettings;
pub use otlp::{OtlpProtocol, OtlpSettings, OtlpSignalSettings};
pub use prometheus::{PushgatewaySettings, RemoteWriteSettings};
pub use statsd::{StatsdFormat, StatsdSettings};

/// Everything about exporting; in the config file the section `[export]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportSettings {
    /// Names of the exporters to use; all that have settings where this is not given, none where it is empty.
    pub only: Option<Vec<String>>,
    /// Batches, pauses and patience, for all exporters.
    pub sending: SendingSettings,
    /// InfluxDB 1.x, 2.x or 3.x.
    pub influxdb: Option<InfluxdbSettings>,
    /// StatsD or DogStatsD.
    pub statsd: Option<StatsdSettings>,
    /// Prometheus Pushgateway.
    pub pushgateway: Option<PushgatewaySettings>,
    /// Prometheus remote-write.
    pub remote_write: Option<RemoteWriteSettings>,
    /// JSON Lines in object storage.
    pub bucket: Option<BucketSettings>,
    /// OpenTelemetry.
    pub otlp: Option<OtlpSettings>,
}

/// Batches, pauses and patience.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SendingSettings {
    /// Most points in one request.
    pub batch_points: usize,
    /// A batch that is not full is sent after this many seconds (long-running form).
    pub flush_seconds: u64,
    /// Up to this many seconds are added to that, so that many senders do not come at once.
    pub jitter_seconds: u64,
    /// Pause before the first repetition, in seconds; doubled before each further one.
    pub retry_seconds: u64,
    /// Most repetitions of a request.
    pub most_retries: u32,
    /// Longest wait for one answer, in seconds.
    pub answer_seconds: u64,
}

impl Default for SendingSettings {
    fn default() -> Self {
        Self {
            batch_points: 5_000,
            flush_seconds: 10,
            jitter_seconds: 2,
            retry_seconds: 5,
            most_retries: 3,
            answer_seconds: 10,
        }
    }
}

impl SendingSettings {
    /// The retries these settings ask for, where `is_transient` says which answers are worth one.
    pub(crate) fn retry_policy(&self, is_transient: fn(u16) -> bool) -> RetryPolicy {
        const LONGEST_PAUSE: Duration = Duration::from_secs(125);
        RetryPolicy {
            first_pause: Duration::from_secs(self.retry_seconds),
            longest_pause: LONGEST_PAUSE,
            most_retries: self.most_retries,
            answer_timeout: Duration::from_secs(self.answer_seconds.max(1)),
            is_transient,
        }
    }
}

impl ExportSettings {
    /// These settings with the environment on top. `lookup` gives the value of a variable.
    ///
    /// A variable that cannot be understood is a problem that names it, and counts as not set.
    #[must_use]
    pub fn with_environment(
        mut self,
        lookup: &dyn Fn(&str) -> Option<String>,
        problems: &mut Problems,
    ) -> Self {
        let mut environment = Environment::new(lookup, problems);
        if let Some(names) = environment.text(&["MANOMETER_EXPORTERS"]) {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
            self.only = Some(names.map(str::to_owned).collect());
        }
        self.influxdb = InfluxdbSettings::with_environment(self.influxdb, &mut environment);
        self.statsd = StatsdSettings::with_environment(self.statsd, &mut environment);
        self.pushgateway = PushgatewaySettings::with_environment(self.pushgateway, &mut environment);
        self.remote_write = RemoteWriteSettings::with_environment(self.remote_write, &mut environment);
        self.bucket = BucketSettings::with_environment(self.bucket, &mut environment);
        self.otlp = OtlpSettings::with_environment(self.otlp, &mut environment);
        self
    }
}

/// The exporters these settings ask for, ready to be used. One whose settings are wrong is left out, and a problem
/// says why.
pub fn configured(
    settings: &ExportSettings,
    clock: &Arc<dyn Clock>,
    problems: &mut Problems,
) -> Vec<Box<dyn Exporter>> {
    let mut building = Building { settings, problems, exporters: Vec::new() };
    building.add("influxdb", settings.influxdb.as_ref(), |section| {
        Influxdb::new(section, &settings.sending, Arc::clone(clock))
    });
    building.add("statsd", settings.statsd.as_ref(), Statsd::new);
    building.add("pushgateway", settings.pushgateway.as_ref(), |section| {
        Pushgateway::new(section, &settings.sending, Arc::clone(clock))
    });
    building.add("remote_write", settings.remote_write.as_ref(), |section| {
        RemoteWrite::new(section, &settings.sending, Arc::clone(clock))
    });
    building.add("bucket", settings.bucket.as_ref(), |section| Bucket::new(section, &settings.sending));
    building.add("otlp", settings.otlp.as_ref(), |section| {
        Otlp::new(section, &settings.sending, Arc::clone(clock))
    });
    building.note_unknown_names();
    building.exporters
}

struct Building<'a> {
    settings: &'a ExportSettings,
    problems: &'a mut Problems,
    exporters: Vec<Box<dyn Exporter>>,
}

/// The names of all exporters.
const NAMES: &[&str] = &["influxdb", "statsd", "pushgateway", "remote_write", "bucket", "otlp"];

impl Building<'_> {
    fn add<S, E: Exporter + 'static>(
        &mut self,
        name: &str,
        section: Option<&S>,
        build: impl FnOnce(&S) -> Result<E, Problem>,
    ) {
        let is_wanted =
            self.settings.only.as_ref().is_none_or(|only| only.iter().any(|wanted| wanted == name));
        let Some(section) = section.filter(|_| is_wanted) else { return };
        match build(section) {
            Ok(exporter) => self.exporters.push(Box::new(exporter)),
            Err(problem) => {
                let field = problem.field.as_ref().map_or_else(String::new, |field| format!(".{field}"));
                let message = format!("{}; nothing is sent there", problem.message);
                self.problems.push(Problem::new(message).in_field(format!("export.{name}{field}")));
            }
        }
    }

    fn note_unknown_names(&mut self) {
        for name in self.settings.only.iter().flatten() {
            if !NAMES.contains(&name.as_str()) {
                let shown: String = name.chars().take(64).collect();
                let message = format!("`{shown}` is no exporter: known are {}", NAMES.join(", "));
                self.problems.push(Problem::new(message).in_field("export.only"));
            } else if !self.exporters.iter().any(|exporter| exporter.name() == name) {
                let message = format!("`{name}` is asked for, but has no (usable) settings");
                self.problems.push(Problem::new(message).in_field("export.only"));
            }
        }
    }
}
