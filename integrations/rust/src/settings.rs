//! Every environment variable this crate reads; a value that makes no sense is told, and counts as not set.

use std::path::PathBuf;
use std::time::Duration;

use manometer_agent::shipping::{Server, Spool};

const SEND_SECONDS: f64 = 2.0;
const SAMPLE_SECONDS: f64 = 1.0;
const MOST_SECONDS: f64 = 3_600.0;

/// The settings at the moment they are needed.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) is_disabled: bool,
    pub(crate) store: Option<PathBuf>,
    /// Time between two looks at memory and load; zero for none.
    pub(crate) sample_interval: Duration,
    pub(crate) send_time: Duration,
    pub(crate) server: Option<Server>,
    pub(crate) problems: Vec<String>,
}

impl Settings {
    pub(crate) fn from_environment() -> Self {
        Self::read(&variable)
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |own: &str, other: &str| variable(own).or_else(|| variable(other));
        let mut problems = Vec::new();
        let disabled = either("MANOMETER_DISABLED", "PANTHER_METRICS_DISABLED").unwrap_or_default();
        let interval = either("MANOMETER_SAMPLE_INTERVAL", "PANTHER_METRICS_SAMPLE_INTERVAL");
        let server = variable("MANOMETER_URL").and_then(|address| {
            Server::new(&address, variable("MANOMETER_TOKEN"))
                .map_err(|error| problems.push(format!("MANOMETER_URL: {error}; nothing is sent")))
                .ok()
        });
        Self {
            is_disabled: ["1", "true", "yes", "on"].contains(&disabled.trim().to_ascii_lowercase().as_str()),
            store: either("MANOMETER_PATH", "PANTHER_METRICS_PATH").map(PathBuf::from),
            sample_interval: seconds("MANOMETER_SAMPLE_INTERVAL", interval, SAMPLE_SECONDS, &mut problems),
            send_time: seconds(
                "MANOMETER_SEND_SECONDS",
                variable("MANOMETER_SEND_SECONDS"),
                SEND_SECONDS,
                &mut problems,
            ),
            server,
            problems,
        }
    }
}

/// The spool that the command `manometer` uses too.
///
/// # Errors
/// When there is no folder for it; a sentence for people.
pub(crate) fn spool() -> Result<Spool, String> {
    if let Some(folder) = variable("MANOMETER_SPOOL") {
        return Ok(Spool::at(folder));
    }
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let mut folders: Vec<PathBuf> =
        state.or(home).into_iter().map(|state| state.join("manometer/spool")).collect();
    folders
        .push(std::env::temp_dir().join(format!("manometer-spool-{}", rustix::process::getuid().as_raw())));
    Spool::in_first_usable(&folders)
}

/// The value of a variable; an empty one is as good as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn seconds(name: &str, value: Option<String>, default: f64, problems: &mut Vec<String>) -> Duration {
    let Some(text) = value else { return Duration::from_secs_f64(default) };
    match text.trim().parse::<f64>() {
        Ok(seconds) if (0.0..=MOST_SECONDS).contains(&seconds) => Duration::from_secs_f64(seconds),
        _ => {
            problems.push(format!(
                "{name}: `{text}` is not a number of seconds from 0 to {MOST_SECONDS}; taken as {default}"
            ));
            Duration::from_secs_f64(default)
        }
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
            ("MANOMETER_DISABLED", "no"),
            ("PANTHER_METRICS_DISABLED", "true"),
            ("PANTHER_METRICS_PATH", "theirs"),
            ("PANTHER_METRICS_SAMPLE_INTERVAL", "0.5"),
        ]);
        assert!(!settings.is_disabled && settings.problems.is_empty());
        assert_eq!(settings.store, Some("theirs".into()));
        assert_eq!(settings.sample_interval, Duration::from_millis(500));
        assert!(read(&[("PANTHER_METRICS_DISABLED", "True")]).is_disabled);
    }

    #[test]
    fn nonsense_is_told_and_counts_as_not_set() {
        let settings = read(&[
            ("MANOMETER_SEND_SECONDS", "-1"),
            ("MANOMETER_SAMPLE_INTERVAL", "NaN"),
            ("MANOMETER_URL", "nowhere"),
        ]);
        assert_eq!(settings.problems.len(), 3, "{:?}", settings.problems);
        assert_eq!(
            (settings.send_time, settings.sample_interval),
            (Duration::from_secs(2), Duration::from_secs(1))
        );
        assert!(settings.server.is_none());
    }
}
