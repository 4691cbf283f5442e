//! Secrets in the settings: named by where they are, never written there. Settings files are shown and shared.

use crate::exit::usage;

/// The secret that `env:NAME` or `file:PATH` names. `place` says in messages what it is for.
///
/// # Errors
/// When it is not there, or written into the settings; the message never repeats it.
pub(crate) fn secret(
    named: &str,
    place: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<String> {
    match named.split_once(':') {
        Some(("env", name)) => variable(name).ok_or_else(|| {
            usage(format!("settings: {place}: the environment variable {name} with its secret is not set"))
        }),
        Some(("file", path)) => {
            std::fs::read_to_string(path).map(|text| text.trim_end_matches(['\n', '\r']).to_owned()).map_err(
                |error| usage(format!("settings: {place}: failed to read the secret in {path}: {error}")),
            )
        }
        // What stands there may be the secret itself, so it is not repeated.
        _ => Err(usage(format!(
            "settings: {place}: a secret is named by where it is, as env:NAME or file:PATH, not written into the settings"
        ))),
    }
}
