//! Settings of the StatsD exporter.

use serde::Deserialize;

use super::environment::Environment;

/// A StatsD or DogStatsD server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsdSettings {
    /// `HOST` or `HOST:PORT`; port 8125 where not given.
    pub host: String,
    /// The dialect.
    #[serde(default)]
    pub format: StatsdFormat,
    /// What every name begins with.
    #[serde(default)]
    pub prefix: Option<String>,
}

/// Which StatsD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatsdFormat {
    /// Plain: no tags, the service and the subject are part of the name.
    #[default]
    Statsd,
    /// Datadog's: with tags.
    Dogstatsd,
}

impl std::str::FromStr for StatsdFormat {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "statsd" => Ok(Self::Statsd),
            "dogstatsd" => Ok(Self::Dogstatsd),
            _ => Err(()),
        }
    }
}

impl StatsdSettings {
    pub(super) fn with_environment(file: Option<Self>, environment: &mut Environment<'_>) -> Option<Self> {
        let host = environment.text(&["MANOMETER_STATSD_HOST", "PANTHER_METRICS_STATSD_HOST"]);
        let mut settings = match (file, host) {
            (None, None) => return None,
            (Some(file), None) => file,
            (Some(file), Some(host)) => Self { host, ..file },
            (None, Some(host)) => Self { host, format: StatsdFormat::default(), prefix: None },
        };
        if let Some(format) = environment.parsed(&["MANOMETER_STATSD_FORMAT"], "`statsd` or `dogstatsd`") {
            settings.format = format;
        }
        if let Some(prefix) = environment.text(&["MANOMETER_STATSD_PREFIX"]) {
            settings.prefix = Some(prefix);
        }
        Some(settings)
    }
}
