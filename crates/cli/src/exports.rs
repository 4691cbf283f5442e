//! The section `[export]` of the settings: which other systems the server sends on to.
//!
//! ```toml
//! [export.influxdb]
//! url = "http://influxdb:8086"
//! bucket = "ci-metrics"
//! org = "acme"
//! token = "env:INFLUXDB_TOKEN"          # secrets are named by where they are, never written here
//! ```
//!
//! The variables the agent reads (`INFLUXDB_URL`, …) are read here too, and win over the file.

use std::sync::Arc;

use manometer_exporters::{ExportSettings, configured};
use manometer_model::{Clock, Problems, SystemClock};
use manometer_server::Exports;
use serde::Deserialize as _;

use crate::config::Config;
use crate::exit::usage;
use crate::webhooks::secret;

/// Where secrets stand: a text, or a table of texts.
const SECRETS: &[&[&str]] = &[
    &["influxdb", "token"],
    &["influxdb", "password"],
    &["remote_write", "token"],
    &["bucket", "secret_access_key"],
    &["bucket", "session_token"],
    &["bucket", "token"],
    &["otlp", "headers"],
    &["otlp", "traces", "headers"],
    &["otlp", "metrics", "headers"],
];

/// Reads the settings and makes the exporters.
///
/// # Errors
/// Names the key that is wrong, and what it may be; all of them where several are.
pub(crate) fn exports(config: &Config, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Exports> {
    let mut section = toml::Value::Table(config.export.clone());
    for path in SECRETS {
        let place = format!("[export] {}", path.join("."));
        if let Some(value) = path.iter().try_fold(&mut section, |value, key| value.get_mut(*key)) {
            reveal(value, &place, &variable)?;
        }
    }
    let file = ExportSettings::deserialize(section)
        .map_err(|error| usage(format!("settings: [export]: {}", error.to_string().trim_end())))?;
    let mut problems = Problems::new();
    let settings = file.with_environment(&variable, &mut problems);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let exporters = configured(&settings, &clock, &mut problems);
    if problems.total > 0 {
        let told: Vec<String> = problems.first.iter().map(|problem| format!("settings: {problem}")).collect();
        return Err(usage(told.join("\n")));
    }
    Ok(Exports { exporters, sending: settings.sending })
}

/// Puts secrets in the place of their names.
fn reveal(
    value: &mut toml::Value,
    place: &str,
    variable: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    match value {
        toml::Value::String(named) => *named = secret(named, place, variable)?,
        toml::Value::Table(several) => {
            for (key, value) in several.iter_mut() {
                reveal(value, &format!("{place}.{key}"), variable)?;
            }
        }
        // Another type is refused with the rest of the section.
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(section: &str, variables: &[(&str, &str)]) -> anyhow::Result<Exports> {
        let config = Config { export: toml::from_str(section).unwrap(), ..Config::default() };
        exports(&config, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn names(exports: &Exports) -> Vec<&'static str> {
        exports.exporters.iter().map(|exporter| exporter.name()).collect()
    }

    #[test]
    fn systems_come_from_the_file_and_from_the_variables_of_the_agent() {
        assert!(names(&of("", &[]).unwrap()).is_empty());
        let section = "[influxdb]\nurl = 'http://i:8086'\nbucket = 'ci'\ntoken = 'env:T'\n\
                       [sending]\nflush_seconds = 3";
        let both = of(section, &[("T", "s3cret"), ("MANOMETER_STATSD_HOST", "127.0.0.1")]).unwrap();
        assert_eq!((names(&both), both.sending.flush_seconds), (vec!["influxdb", "statsd"], 3));
        let one = of(section, &[("T", "s3cret"), ("MANOMETER_EXPORTERS", "none")]).unwrap();
        assert!(names(&one).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_and_secrets_are_never_repeated() {
        for (section, expected) in [
            (
                "[influxdb]\nurl = 'http://i'\nbucket = 'b'\ntoken = 'hunter2'",
                "[export] influxdb.token: a secret is named",
            ),
            ("[influxdb]\nurl = 'http://i'\nbucket = 'b'\ntoken = 'env:NOT'", "variable NOT"),
            ("[otlp]\nendpoint = 'http://o'\nheaders = { x-key = 'hunter2' }", "otlp.headers.x-key"),
            ("[influxdb]\nurl = 'http://i'", "export.influxdb.bucket: is missing"),
            ("[influxdb]\nurl = 'i'\nbucket = 'b'", "export.influxdb.url: `i` is not an address"),
            ("[influx]\nurl = 'http://i'", "unknown field `influx`"),
            ("[influxdb]\nadress = 'http://i'", "unknown field `adress`"),
            ("only = ['graphite']", "`graphite` is no exporter"),
            ("[sending]\nflush_seconds = -1", "flush_seconds"),
        ] {
            let message = of(section, &[]).unwrap_err().to_string();
            assert!(message.contains(expected), "{section}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
