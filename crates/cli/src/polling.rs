//! The section `[[poll]]` of the settings: whose APIs are asked for what no webhook told.
//!
//! ```toml
//! [[poll]]
//! provider = "github"
//! repositories = ["acme/shop", "acme/site"]
//! token = "env:GITHUB_TOKEN"                     # or file:/run/secrets/github
//! requests_per_hour = 1000                       # shared by all of this entry
//! since = "7d"                                   # how far back the first sweep begins
//! interval_seconds = 300
//! hooks = { "acme/shop" = 4711 }                 # the webhook whose failed deliveries are asked for again
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use manometer_providers::ServiceRules;
use manometer_providers::poll::{ApiOptions, Auth, PollOptions, Polled, Target};
use manometer_server::poll::PollEntry;

use crate::config::{Config, PollConfig};
use crate::exit::usage;
use crate::secret::secret;
use crate::span;

/// Requests an hour that may be set: fewer get nowhere, more is what no provider allows.
const BUDGETS: std::ops::RangeInclusive<u32> = 10..=100_000;

/// Reads the entries and their secrets.
///
/// # Errors
/// When a provider is not known, a secret cannot be read, or something is out of its range; the message names it.
pub(crate) fn entries(
    config: &Config,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Vec<PollEntry>> {
    let entries: Vec<PollEntry> =
        config.poll.iter().map(|settings| entry(settings, &variable)).collect::<anyhow::Result<_>>()?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &entries {
        for name in names_of(entry)? {
            if names.insert(name.clone(), 1).is_some() {
                return Err(usage(format!("settings: [[poll]]: {name} is polled twice")));
            }
        }
    }
    Ok(entries)
}

/// The names of what an entry polls.
///
/// # Errors
/// When its address is none, or a project is none of that provider.
pub(crate) fn names_of(entry: &PollEntry) -> anyhow::Result<Vec<String>> {
    let base: reqwest::Url = entry.api.base.parse().map_err(|error| {
        usage(format!("settings: [[poll]]: url: `{}` is no address: {error}", entry.api.base))
    })?;
    if !matches!(base.scheme(), "https" | "http") {
        return Err(usage(format!("settings: [[poll]]: url: `{base}` is no http:// or https:// address")));
    }
    let name = |target: &Target| match target.source(ServiceRules::default()) {
        Ok(_) => Ok(target.name(&base)),
        Err(error) => Err(usage(format!("settings: [[poll]]: {error}"))),
    };
    entry.targets.iter().map(name).collect()
}

/// One entry.
///
/// # Errors
/// As [`entries`].
pub(crate) fn entry(
    settings: &PollConfig,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<PollEntry> {
    let known = Polled::ALL.map(Polled::name).join(", ");
    let provider = Polled::named(&settings.provider).ok_or_else(|| {
        usage(format!("settings: [[poll]]: `{}` cannot be polled: there are {known}", settings.provider))
    })?;
    let place = format!("[[poll]] of {}", provider.name());
    let refuse = |what: String| usage(format!("settings: {place}: {what}"));
    let url = settings.url.clone().or_else(|| provider.default_url().map(str::to_owned));
    let base = url.ok_or_else(|| refuse("url is missing: the address of the server".to_owned()))?;
    if !BUDGETS.contains(&settings.requests_per_hour) {
        let (least, most) = (BUDGETS.start(), BUDGETS.end());
        return Err(refuse(format!("requests_per_hour: a number from {least} to {most}")));
    }
    for (name, seconds) in [
        ("interval_seconds", settings.interval_seconds),
        ("retry_seconds", settings.retry_seconds),
        ("timeout_seconds", settings.timeout_seconds),
    ] {
        if !(1..=86_400).contains(&seconds) {
            return Err(refuse(format!("{name}: a number from 1 to 86400")));
        }
    }
    if settings.projects.is_empty() && !provider.sees_everything() {
        return Err(refuse("nothing to poll: add repositories = [\"acme/shop\"]".to_owned()));
    }
    if let Some(stranger) = settings.hooks.keys().find(|name| !settings.projects.contains(name)) {
        return Err(refuse(format!("hooks: `{stranger}` is none of its repositories")));
    }
    if !settings.hooks.is_empty() && provider.sees_everything() {
        return Err(refuse("hooks: deliveries are asked for again of GitHub and GitLab alone".to_owned()));
    }
    let targets = match settings.projects.as_slice() {
        [] => vec![Target { provider, project: String::new(), hook_id: None }],
        some => some
            .iter()
            .map(|project| Target {
                provider,
                project: project.clone(),
                hook_id: settings.hooks.get(project).copied(),
            })
            .collect(),
    };
    let mut api = ApiOptions::new(base, auth(provider, settings, &place, &variable)?);
    api.requests_per_hour = settings.requests_per_hour;
    api.timeout = Duration::from_secs(u64::from(settings.timeout_seconds));
    let options = PollOptions {
        interval_seconds: settings.interval_seconds,
        retry_seconds: settings.retry_seconds,
        ..PollOptions::default()
    };
    let since_seconds = span::seconds(&settings.since).map_err(|why| refuse(format!("since: {why}")))?;
    let entry = PollEntry { api, targets, options, since_seconds };
    names_of(&entry)?;
    Ok(entry)
}

fn auth(
    provider: Polled,
    settings: &PollConfig,
    place: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Auth> {
    let refuse = |what: &str| usage(format!("settings: {place}: {what}"));
    if settings.user.is_some() && provider != Polled::Jenkins {
        return Err(refuse("user: only Jenkins wants one"));
    }
    let Some(named) = &settings.token else {
        return match settings.user {
            Some(_) => Err(refuse("token is missing: the API token of the user")),
            None => Ok(Auth::None),
        };
    };
    let token = secret(named, place, variable)?;
    if token.is_empty() {
        return Err(refuse("the token is empty"));
    }
    Ok(match provider {
        Polled::GitHub | Polled::TeamCity => Auth::Bearer(token),
        Polled::GitLab => Auth::Header { name: "private-token".to_owned(), value: token },
        Polled::Jenkins => {
            let user = settings.user.clone();
            let user = user.ok_or_else(|| refuse("user is missing: the one the API token belongs to"))?;
            Auth::Basic { user, password: token }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Vec<PollEntry>> {
        let config: Config = toml::from_str(text).unwrap();
        entries(&config, |name| (name == "SET").then(|| "a secret token".to_owned()))
    }

    #[test]
    fn entries_are_read_with_their_defaults() {
        let entries = read(
            "[[poll]]\nprovider = 'github'\nrepositories = ['acme/shop', 'acme/site']\ntoken = 'env:SET'\n\
             hooks = { 'acme/shop' = 4711 }\n\
             [[poll]]\nprovider = 'jenkins'\nurl = 'https://ci.acme.example'\nuser = 'ada'\ntoken = 'env:SET'\n",
        )
        .unwrap();
        let github = &entries[0];
        assert_eq!(github.api.base, "https://api.github.com");
        assert_eq!(github.api.auth, Auth::Bearer("a secret token".to_owned()));
        assert_eq!((github.api.requests_per_hour, github.options.interval_seconds), (1_000, 300));
        assert_eq!(
            github.targets.iter().map(|target| target.hook_id).collect::<Vec<_>>(),
            [Some(4711), None]
        );
        assert_eq!(names_of(&entries[1]).unwrap(), ["jenkins/ci.acme.example"]);
    }

    #[test]
    fn what_is_wrong_is_named_and_tokens_are_never_repeated() {
        let github = "[[poll]]\nprovider = 'github'\nrepositories = ['acme/shop']\n";
        for (text, expected) in [
            (
                "[[poll]]\nprovider = 'drone'\n".to_owned(),
                "`drone` cannot be polled: there are github, gitlab",
            ),
            ("[[poll]]\nprovider = 'github'\n".to_owned(), "nothing to poll"),
            ("[[poll]]\nprovider = 'jenkins'\n".to_owned(), "url is missing"),
            ("[[poll]]\nprovider = 'github'\nrepositories = ['shop']\n".to_owned(), "OWNER/NAME"),
            (format!("{github}token = 'env:UNSET'\n"), "UNSET"),
            (format!("{github}token = 'ghp_hunter2'\n"), "named by where it is"),
            (format!("{github}user = 'ada'\n"), "only Jenkins"),
            (format!("{github}requests_per_hour = 1\n"), "from 10 to"),
            (format!("{github}interval_seconds = 0\n"), "interval_seconds"),
            (format!("{github}since = '90'\n"), "since: `90`"),
            (format!("{github}url = 'api.github.com'\n"), "api.github.com"),
            (format!("{github}hooks = {{ 'acme/other' = 1 }}\n"), "`acme/other`"),
            (format!("{github}{github}"), "github/acme/shop is polled twice"),
        ] {
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("hunter2") && !message.contains("a secret token"), "{message}");
        }
    }
}
