//! Settings: built-in defaults < settings file < environment < flags.
//!
//! The file is TOML. A key nobody knows is reported, never ignored in silence.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use manometer_model::retention::{ParseKeepError, RetentionSettings, TableSetting};
use manometer_model::{Keep, Limits, Retention};
use manometer_providers::rules::ServiceRules;
use serde::{Deserialize, Serialize};

use crate::env;
use crate::exit::usage;

/// The file looked for when none is named.
pub(crate) const DEFAULT_FILE: &str = "manometer.toml";

/// All settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Folder of the embedded store.
    pub(crate) data: PathBuf,
    /// Address and port to listen on.
    pub(crate) listen: String,
    /// Address and port to take StatsD on, over UDP; off where not given.
    pub(crate) statsd: Option<String>,
    /// The project of what comes by StatsD without a tag `project`.
    pub(crate) statsd_project: String,
    /// Names, besides loopback, under which browsers may reach the pages.
    pub(crate) hostnames: Vec<String>,
    /// Path rules that name the service of a monorepo, the first to be tried first: `services/*/`.
    pub(crate) service_rules: Vec<String>,
    /// Where webhooks come in.
    pub(crate) webhooks: Vec<WebhookConfig>,
    /// How long rows are kept, by table and category.
    pub(crate) retention: RetentionSettings,
    /// Every limit; see the documentation for their meaning.
    pub(crate) limits: Limits,
}

/// One place webhooks come in at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookConfig {
    /// The system that sends: `github`, `gitlab`, …
    pub(crate) provider: String,
    /// The last part of the address, where the system sends from several places.
    #[serde(default)]
    pub(crate) source: String,
    /// `env:NAME` or `file:PATH`: the secret, and the former one while it is being changed.
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
    /// Take deliveries that are not signed.
    #[serde(default)]
    pub(crate) open: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./manometer-data"),
            listen: "127.0.0.1:8420".to_owned(),
            statsd: None,
            statsd_project: "statsd".to_owned(),
            hostnames: Vec::new(),
            service_rules: Vec::new(),
            webhooks: Vec::new(),
            retention: RetentionSettings::default(),
            limits: Limits::default(),
        }
    }
}

/// Settings as read, with where they came from and what was not understood.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings.
    pub(crate) config: Config,
    /// The file they came from, if any.
    pub(crate) file: Option<PathBuf>,
    /// Keys and variables nobody knows, each a sentence.
    pub(crate) unknown: Vec<String>,
}

/// Reads the settings. `named` is the file given by flag or environment; without it `manometer.toml` of the
/// current folder is read if it is there. `variables` is the environment.
///
/// # Errors
/// When a named file cannot be read, or a value has the wrong type; the message names file, line and key.
pub(crate) fn load(
    named: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Loaded> {
    let file = match named {
        Some(path) => Some(path.to_owned()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file()),
    };
    let mut unknown = Vec::new();
    let mut config = match &file {
        None => Config::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| usage(format!("failed to read settings {}: {error}", path.display())))?;
            parse(&text, path, &mut unknown)?
        }
    };
    let variables: BTreeMap<String, String> =
        variables.into_iter().filter(|(name, _)| name.starts_with(env::PREFIX)).collect();
    for (name, value) in &variables {
        if let Some(limit) = name.strip_prefix(env::LIMITS_PREFIX) {
            set_limit(&mut config.limits, name, &limit.to_lowercase(), value, &mut unknown)?;
        } else if let Some(table) = name.strip_prefix(env::RETENTION_PREFIX) {
            let keep: Keep = value
                .parse()
                .map_err(|error: ParseKeepError| usage(format!("environment variable {name}: {error}")))?;
            config.retention.tables.insert(table.to_lowercase(), TableSetting::All(keep));
        } else if name == env::DATA {
            config.data = PathBuf::from(value);
        } else if name == env::LISTEN {
            config.listen = value.clone();
        } else if name == env::STATSD {
            config.statsd = Some(value.clone());
        } else if !env::ALL.contains(&name.as_str()) && !manometer_exporters::settings::is_variable(name) {
            unknown.push(format!("environment variable {name} is not known"));
        }
    }
    Ok(Loaded { config, file, unknown })
}

impl Config {
    /// How long rows are kept.
    ///
    /// # Errors
    /// Names everything that makes no sense: with a term that was meant for another table, rows would go too early.
    pub(crate) fn retention(&self) -> anyhow::Result<Retention> {
        self.retention.resolve().map_err(|faults| usage(format!("settings: {}", faults.join("\nsettings: "))))
    }

    /// The path rules, read.
    ///
    /// # Errors
    /// Names the pattern that is no rule.
    pub(crate) fn service_rules(&self) -> anyhow::Result<ServiceRules> {
        ServiceRules::parse(&self.service_rules).map_err(|error| usage(format!("settings: {error}")))
    }
}

/// Reads `ADDRESS:PORT`; `localhost` counts as 127.0.0.1.
///
/// # Errors
/// When the text is no such thing.
pub(crate) fn listen_address(text: &str) -> anyhow::Result<SocketAddr> {
    text.replace("localhost:", "127.0.0.1:")
        .parse()
        .map_err(|_| usage(format!("listen: `{text}` is not ADDRESS:PORT, as 127.0.0.1:8420 or [::1]:8420")))
}

fn parse(text: &str, path: &Path, unknown: &mut Vec<String>) -> anyhow::Result<Config> {
    let refuse = |error: toml::de::Error| usage(format!("settings {}: {error}", path.display()));
    let deserializer = toml::Deserializer::parse(text).map_err(refuse)?;
    let mut note = |key: String| {
        unknown.push(format!("settings {}: key `{key}` is not known", path.display()));
    };
    serde_ignored::deserialize(deserializer, |key| note(key.to_string())).map_err(refuse)
}

fn set_limit(
    limits: &mut Limits,
    variable: &str,
    limit: &str,
    value: &str,
    unknown: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut fields = serde_json::to_value(&*limits).context("failed to list the limits")?;
    let Some(field) = fields.get_mut(limit) else {
        unknown.push(format!("environment variable {variable}: there is no limit `{limit}`"));
        return Ok(());
    };
    let number: u64 = value
        .parse()
        .map_err(|_| usage(format!("environment variable {variable}: `{value}` is not a whole number")))?;
    *field = number.into();
    *limits = serde_json::from_value(fields).context("failed to set the limit")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn environment_wins_over_file_and_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.toml");
        std::fs::write(&path, "listen = '127.0.0.1:1'\ndata = 'from-file'\n[limits]\nquery_rows = 7\n")
            .unwrap();
        let loaded = load(
            Some(&path),
            variables(&[("MANOMETER_LISTEN", "127.0.0.1:2"), ("MANOMETER_LIMITS_QUERY_SECONDS", "9")]),
        )
        .unwrap();
        assert_eq!(loaded.config.listen, "127.0.0.1:2");
        assert_eq!(loaded.config.data, PathBuf::from("from-file"));
        assert_eq!(loaded.config.limits.query_rows, 7);
        assert_eq!(loaded.config.limits.query_seconds, 9);
        assert_eq!(loaded.config.limits.nesting, Limits::default().nesting);
        assert!(loaded.unknown.is_empty(), "{:?}", loaded.unknown);
    }

    #[test]
    fn unknown_keys_and_variables_are_reported_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.toml");
        std::fs::write(&path, "lissten = 'x'\n[limits]\nquery_row = 7\n").unwrap();
        let loaded =
            load(Some(&path), variables(&[("MANOMETER_LISTN", "x"), ("MANOMETER_LIMITS_NONE", "1")]))
                .unwrap();
        let all = loaded.unknown.join("\n");
        for expected in ["`lissten`", "limits.query_row", "MANOMETER_LISTN", "`none`"] {
            assert!(all.contains(expected), "{expected} missing in {all}");
        }
    }

    #[test]
    fn terms_are_read_in_words_and_a_misspelt_table_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.toml");
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            super::load(Some(&path), Vec::new())
        };
        let text = "[retention]\ntests = '2 years'\nlogs = { debug = '3 days' }\n\n\
                    [[retention.rules]]\ntable = 'tests'\nwhere = { project = 'p' }\nkeep = '1 week'\n";
        let loaded = load(text).unwrap();
        assert!(loaded.unknown.is_empty(), "{:?}", loaded.unknown);
        let written = toml::to_string_pretty(&loaded.config).unwrap();
        assert_eq!(load(&written).unwrap().config.retention, loaded.config.retention, "{written}");
        assert!(loaded.config.retention().is_ok());

        let misspelt =
            load("[retention]\ntets = '2 years'\n").unwrap().config.retention().unwrap_err().to_string();
        assert!(misspelt.contains("`tets`") && misspelt.contains("tests"), "{misspelt}");
        let from_environment =
            super::load(Some(&path), variables(&[("MANOMETER_RETENTION_TESTS", "1 year")]));
        let refused = super::load(Some(&path), variables(&[("MANOMETER_RETENTION_TESTS", "long")]));
        assert!(refused.unwrap_err().to_string().contains("MANOMETER_RETENTION_TESTS: `long`"));
        let tests = from_environment.unwrap().config.retention.tables.remove("tests").unwrap();
        assert_eq!(tests, TableSetting::All(Keep::Days(365)));
        let no_term = load("[retention]\ntests = 'a while'\n").unwrap_err().to_string();
        assert!(no_term.contains("`a while`") && no_term.contains("90 days"), "{no_term}");
        let no_key = load("[[retention.rules]]\ntable = 'tests'\nwhen = {}\nkeep = '1 day'\n")
            .unwrap_err()
            .to_string();
        assert!(no_key.contains("`when`"), "{no_key}");
    }

    #[test]
    fn a_wrong_type_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.toml");
        std::fs::write(&path, "\nlisten = 5\n").unwrap();
        let message = load(Some(&path), Vec::new()).unwrap_err().to_string();
        assert!(message.contains("m.toml") && message.contains("line 2"), "{message}");
    }
}
