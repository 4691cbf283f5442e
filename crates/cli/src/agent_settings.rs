//! Settings of the agent, all from the environment: a build has no settings file of ours.
//!
//! A value that makes no sense is a problem that is told, and counts as not set: a build is never failed for it.

use std::path::PathBuf;
use std::time::Duration;

use manometer_agent::shipping::{Server, Spool};
use manometer_exporters::trace::TraceParent;

use crate::env;

const DEFAULT_SEND_TIME: Duration = Duration::from_secs(2);
const LONGEST_SEND_SECONDS: f64 = 600.0;
const SHORTEST_INTERVAL_SECONDS: f64 = 0.01;
const LONGEST_INTERVAL_SECONDS: f64 = 3_600.0;

/// The settings.
#[derive(Debug, Default)]
pub(crate) struct AgentSettings {
    /// Run commands as if this program were not there.
    pub(crate) is_disabled: bool,
    /// Folder of the local store, where one is named.
    pub(crate) store: Option<PathBuf>,
    /// Time between two looks; `Some(None)` for none at all.
    pub(crate) sample_interval: Option<Option<Duration>>,
    /// Longest time sending may take at the end of a run.
    pub(crate) send_time: Duration,
    /// Where to send to.
    pub(crate) server: Option<Server>,
    /// The folder in which the run around this process collects its steps.
    pub(crate) run_folder: Option<PathBuf>,
    /// The trace this process is part of.
    pub(crate) trace: Option<TraceParent>,
    /// What was wrong with the settings, a sentence each.
    pub(crate) problems: Vec<String>,
}

impl AgentSettings {
    /// The settings of this process.
    pub(crate) fn from_environment() -> Self {
        Self::read(&Self::variable)
    }

    /// The value of a variable; an empty one is as good as none.
    pub(crate) fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.trim().is_empty())
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |own: &'static str, other: &'static str| {
            variable(own).map(|value| (own, value)).or_else(|| Some((other, variable(other)?)))
        };
        let mut settings = Self { send_time: DEFAULT_SEND_TIME, ..Self::default() };
        if let Some((name, value)) = either(env::DISABLED, env::PANTHER_DISABLED) {
            match truth(&value) {
                Some(is_disabled) => settings.is_disabled = is_disabled,
                None => settings.complain(name, &value, "true or false"),
            }
        }
        settings.store = either(env::PATH, env::PANTHER_PATH).map(|(_, value)| value.into());
        if let Some((name, value)) = either(env::SAMPLE_INTERVAL, env::PANTHER_SAMPLE_INTERVAL) {
            match value.trim().parse().map_err(|_| String::new()).and_then(interval) {
                Ok(interval) => settings.sample_interval = Some(interval),
                Err(_) => settings.complain(name, &value, "a number of seconds from 0.01 to 3600, or 0"),
            }
        }
        if let Some(value) = variable(env::SEND_SECONDS) {
            match value.trim().parse::<f64>() {
                Ok(seconds) if (0.0..=LONGEST_SEND_SECONDS).contains(&seconds) => {
                    settings.send_time = Duration::from_secs_f64(seconds);
                }
                _ => settings.complain(env::SEND_SECONDS, &value, "a number of seconds from 0 to 600"),
            }
        }
        if let Some(address) = variable(env::SERVER) {
            match Server::new(&address, variable(env::TOKEN)) {
                Ok(server) => settings.server = Some(server),
                Err(error) => settings.problems.push(format!("{}: {error}; nothing is sent", env::SERVER)),
            }
        }
        settings.run_folder = variable(env::RUN_FOLDER).map(PathBuf::from);
        settings.trace = variable(env::TRACEPARENT).as_deref().and_then(TraceParent::parse);
        settings
    }

    /// The spool: the folder that is named, else that of the user's state, else one for temporary files where the
    /// home folder cannot be written.
    ///
    /// # Errors
    /// When there is none; a sentence for people.
    pub(crate) fn spool() -> Result<Spool, String> {
        if let Some(folder) = Self::variable(env::SPOOL) {
            return Ok(Spool::at(folder));
        }
        let state = Self::variable("XDG_STATE_HOME").map(PathBuf::from);
        let home = Self::variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        let user = rustix::process::getuid().as_raw();
        let mut folders: Vec<PathBuf> =
            state.or(home).into_iter().map(|state| state.join("manometer/spool")).collect();
        folders.push(std::env::temp_dir().join(format!("manometer-spool-{user}")));
        Spool::in_first_usable(&folders)
    }

    fn complain(&mut self, name: &str, value: &str, expected: &str) {
        let shown: String = value.chars().take(40).collect();
        self.problems.push(format!("{name}: `{shown}` is not {expected}; taken as not set"));
    }
}

/// Seconds as an interval between two looks; zero for none.
pub(crate) fn interval(seconds: f64) -> Result<Option<Duration>, String> {
    if seconds == 0.0 {
        return Ok(None);
    }
    if (SHORTEST_INTERVAL_SECONDS..=LONGEST_INTERVAL_SECONDS).contains(&seconds) {
        return Ok(Some(Duration::from_secs_f64(seconds)));
    }
    Err(format!("{seconds} is not between {SHORTEST_INTERVAL_SECONDS} and {LONGEST_INTERVAL_SECONDS}"))
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> AgentSettings {
        AgentSettings::read(&|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn own_names_win_over_those_of_panther() {
        let settings = read(&[
            ("PANTHER_METRICS_DISABLED", "true"),
            ("MANOMETER_DISABLED", "0"),
            ("PANTHER_METRICS_PATH", "theirs"),
            ("PANTHER_METRICS_SAMPLE_INTERVAL", "0.5"),
        ]);
        assert!(!settings.is_disabled);
        assert_eq!(settings.store, Some("theirs".into()));
        assert_eq!(settings.sample_interval, Some(Some(Duration::from_millis(500))));
        assert!(read(&[("PANTHER_METRICS_DISABLED", "True")]).is_disabled);
        assert_eq!(read(&[("MANOMETER_SAMPLE_INTERVAL", "0")]).sample_interval, Some(None));
    }

    #[test]
    fn nonsense_is_told_and_changes_nothing() {
        let settings = read(&[
            ("MANOMETER_DISABLED", "perhaps"),
            ("MANOMETER_SAMPLE_INTERVAL", "NaN"),
            ("MANOMETER_SEND_SECONDS", "-1"),
            ("MANOMETER_URL", "manometer.example.com"),
            ("TRACEPARENT", "00-garbage"),
        ]);
        assert_eq!(settings.problems.len(), 4, "{:?}", settings.problems);
        assert_eq!((settings.is_disabled, settings.send_time), (false, DEFAULT_SEND_TIME));
        assert!(settings.server.is_none() && settings.sample_interval.is_none() && settings.trace.is_none());
    }
}
