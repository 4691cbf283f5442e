//! The section `[[webhooks]]` of the settings: where CI systems send to, and the secrets they sign with.
//!
//! ```toml
//! [[webhooks]]
//! provider = "github"                            # deliveries come to /webhooks/github/acme
//! source = "acme"                                # left out: /webhooks/github
//! secrets = ["env:GITHUB_SECRET", "file:/run/secrets/former"]
//! ```
//!
//! Secrets are named, not written: settings files are shown and shared.

use manometer_ingest::webhooks::Hook;
use manometer_providers::{PROVIDERS, Secrets, provider};
use manometer_server::Webhooks;

use crate::config::{Config, WebhookConfig};
use crate::exit::usage;

/// Reads the secrets and makes the places.
///
/// # Errors
/// When a system is not known, a secret cannot be read, or two places have one address; the message names it.
pub(crate) fn webhooks(
    config: &Config,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Webhooks> {
    let mut hooks: Vec<Hook> = Vec::new();
    for place in &config.webhooks {
        let hook = hook(place, &variable)?;
        if hooks
            .iter()
            .any(|known| known.provider.name() == hook.provider.name() && known.source == hook.source)
        {
            return Err(usage(format!(
                "settings: {} stands twice in [[webhooks]]: give one a source",
                place.address()
            )));
        }
        hooks.push(hook);
    }
    Ok(Webhooks::new(hooks, config.service_rules()?))
}

impl WebhookConfig {
    /// The path deliveries come to.
    fn address(&self) -> String {
        match self.source.as_str() {
            "" => format!("/webhooks/{}", self.provider),
            source => format!("/webhooks/{}/{source}", self.provider),
        }
    }
}

fn hook(place: &WebhookConfig, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Hook> {
    let address = place.address();
    let Some(system) = provider(&place.provider) else {
        let known: Vec<&str> = PROVIDERS.iter().map(|system| system.name()).collect();
        return Err(usage(format!(
            "settings: `{}` in [[webhooks]] is no system that is known: there are {}",
            place.provider,
            known.join(", ")
        )));
    };
    if !place.source.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))
    {
        return Err(usage(format!(
            "settings: the source `{}` in [[webhooks]] is part of an address: use letters, digits, - _ and .",
            place.source
        )));
    }
    let secrets: Vec<String> = place
        .secrets
        .iter()
        .map(|named| secret(named, &address, &variable))
        .collect::<anyhow::Result<_>>()?;
    if secrets.is_empty() && !place.open {
        return Err(usage(format!(
            "settings: {address} has no secret: add secrets = [\"env:NAME\"], or open = true to believe everybody"
        )));
    }
    let read = Secrets::new(secrets).map_err(|error| usage(format!("settings: {address}: {error}")))?;
    let secrets = if place.open { read.and_open() } else { read };
    Ok(Hook { provider: system, source: place.source.clone(), secrets })
}

/// The secret that settings name as `env:NAME` or `file:PATH`; `place` says in errors whose it is.
///
/// # Errors
/// When it is not there, or stands in the settings itself.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: Vec<WebhookConfig>) -> anyhow::Result<Webhooks> {
        let config = Config { webhooks: places, ..Config::default() };
        webhooks(&config, |name| (name == "SET").then(|| "a secret of some length".to_owned()))
    }

    fn place(provider: &str, source: &str, secrets: &[&str]) -> WebhookConfig {
        WebhookConfig {
            provider: provider.to_owned(),
            source: source.to_owned(),
            secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
            open: false,
        }
    }

    #[test]
    fn places_are_made_of_secrets_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "the former one\n").unwrap();
        let file = format!("file:{}", path.display());
        of(vec![place("github", "", &["env:SET", &file]), place("github", "acme", &["env:SET"])]).unwrap();
        of(vec![WebhookConfig { open: true, ..place("jenkins", "", &[]) }]).unwrap();
    }

    #[test]
    fn what_is_wrong_is_named_and_secrets_are_never_repeated() {
        for (places, expected) in [
            (vec![place("githup", "", &["env:SET"])], "`githup`"),
            (vec![place("github", "", &[])], "/webhooks/github has no secret"),
            (
                vec![place("github", "a", &["env:UNSET"])],
                "/webhooks/github/a: the environment variable UNSET",
            ),
            (vec![place("github", "", &["file:/nowhere/x"])], "/nowhere/x"),
            (vec![place("github", "", &["hunter2"])], "named by where it is"),
            (vec![place("github", "a/b", &["env:SET"])], "`a/b`"),
            (vec![place("github", "", &["env:SET"]), place("github", "", &["env:SET"])], "stands twice"),
        ] {
            let message = of(places).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
