//! Settings of the agent, all from the environment: a build has no settings file of ours. The command and the clients
//! for other programs read the same.
//!
//! A value that makes no sense is a problem that is told, and counts as not set: a build is never failed for it.

use std::path::PathBuf;
use std::time::Duration;

use manometer_exporters::trace::TraceParent;

use crate::shipping::{Server, Spool};
use crate::steps::{FOLDER_VARIABLE, TRACE_VARIABLE};

/// `true`: run commands, and do nothing else.
pub const DISABLED: &str = "MANOMETER_DISABLED";
/// The same, as PANTHER's metrics system calls it.
pub const PANTHER_DISABLED: &str = "PANTHER_METRICS_DISABLED";
/// Folder of the local store, instead of `.manometer` in the checkout.
pub const PATH: &str = "MANOMETER_PATH";
/// The same, as PANTHER's metrics system calls it.
pub const PANTHER_PATH: &str = "PANTHER_METRICS_PATH";
/// Seconds between two looks at the processes of a command; 0 for none.
pub const SAMPLE_INTERVAL: &str = "MANOMETER_SAMPLE_INTERVAL";
/// The same, as PANTHER's metrics system calls it.
pub const PANTHER_SAMPLE_INTERVAL: &str = "PANTHER_METRICS_SAMPLE_INTERVAL";
/// Longest time, in seconds, that sending may take at the end of a run; 0 leaves it to a later call.
pub const SEND_SECONDS: &str = "MANOMETER_SEND_SECONDS";
/// Address of a server.
pub const SERVER: &str = "MANOMETER_URL";
/// Token sent to the server.
pub const TOKEN: &str = "MANOMETER_TOKEN";
/// Folder of what waits for the server.
pub const SPOOL: &str = "MANOMETER_SPOOL";

const DEFAULT_SEND_TIME: Duration = Duration::from_secs(2);
const LONGEST_SEND_SECONDS: f64 = 600.0;
const SHORTEST_INTERVAL_SECONDS: f64 = 0.01;
const LONGEST_INTERVAL_SECONDS: f64 = 3_600.0;

/// The settings.
#[derive(Debug, Default)]
pub struct Settings {
    /// Run commands as if this program were not there.
    pub is_disabled: bool,
    /// Folder of the local store, where one is named.
    pub store: Option<PathBuf>,
    /// Time between two looks; `Some(None)` for none at all.
    pub sample_interval: Option<Option<Duration>>,
    /// Longest time sending may take at the end of a run.
    pub send_time: Duration,
    /// Where to send to.
    pub server: Option<Server>,
    /// The folder in which the run around this process collects its steps.
    pub run_folder: Option<PathBuf>,
    /// The trace this process is part of.
    pub trace: Option<TraceParent>,
    /// What was wrong with the settings, a sentence each.
    pub problems: Vec<String>,
}

impl Settings {
    /// The settings of this process.
    pub fn from_environment() -> Self {
        Self::read(&Self::variable)
    }

    /// The value of a variable; an empty one is as good as none.
    pub fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.trim().is_empty())
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |own: &'static str, other: &'static str| {
            variable(own).map(|value| (own, value)).or_else(|| Some((other, variable(other)?)))
        };
        let mut settings = Self { send_time: DEFAULT_SEND_TIME, ..Self::default() };
        if let Some((name, value)) = either(DISABLED, PANTHER_DISABLED) {
            match truth(&value) {
                Some(is_disabled) => settings.is_disabled = is_disabled,
                None => settings.complain(name, &value, "true or false"),
            }
        }
        settings.store = either(PATH, PANTHER_PATH).map(|(_, value)| value.into());
        if let Some((name, value)) = either(SAMPLE_INTERVAL, PANTHER_SAMPLE_INTERVAL) {
            match value.trim().parse().map_err(|_| String::new()).and_then(interval) {
                Ok(interval) => settings.sample_interval = Some(interval),
                Err(_) => settings.complain(name, &value, "a number of seconds from 0.01 to 3600, or 0"),
            }
        }
        if let Some(value) = variable(SEND_SECONDS) {
            match value.trim().parse::<f64>() {
                Ok(seconds) if (0.0..=LONGEST_SEND_SECONDS).contains(&seconds) => {
                    settings.send_time = Duration::from_secs_f64(seconds);
                }
                _ => settings.complain(SEND_SECONDS, &value, "a number of seconds from 0 to 600"),
            }
        }
        if let Some(address) = variable(SERVER) {
            match Server::new(&address, variable(TOKEN)) {
                Ok(server) => settings.server = Some(server),
                Err(error) => settings.problems.push(format!("{}: {error}; nothing is sent", SERVER)),
            }
        }
        settings.run_folder = variable(FOLDER_VARIABLE).map(PathBuf::from);
        settings.trace = variable(TRACE_VARIABLE).as_deref().and_then(TraceParent::parse);
        settings
    }

    /// The spool: the folder that is named, else that of the user's state, else one for temporary files where the
    /// home folder cannot be written.
    ///
    /// # Errors
    /// When there is none; a sentence for people.
    pub fn spool() -> Result<Spool, String> {
        if let Some(folder) = Self::variable(SPOOL) {
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
pub fn interval(seconds: f64) -> Result<Option<Duration>, String> {
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

    fn read(pairs: &[(&str, &str)]) -> Settings {
        Settings::read(&|name| {
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
