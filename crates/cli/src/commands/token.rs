//! `manometer token …`: access tokens, made and revoked beside a running server too.

use std::path::Path;

use manometer_model::{Clock as _, SystemClock};
use manometer_server::access::{AccessDatabase, NewToken, Scope, TokenState};

use crate::args::{TokenCommand, TokenScope};
use crate::commands::store::folder;
use crate::config::Config;
use crate::output;

/// Runs one of them.
pub(crate) fn run(command: &TokenCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create { data, name, scopes, projects, expires_in_days } => {
            let now = SystemClock.now();
            let new = NewToken {
                name: name.clone(),
                scopes: scopes.iter().map(|scope| scope.meaning()).collect(),
                projects: (!projects.is_empty()).then(|| projects.iter().cloned().collect()),
                expires_at: expires_in_days.map(|days| now.plus_seconds(f64::from(days) * 86_400.0)),
            };
            let (info, secret) = open(&folder(data, config))?.create(new, now)?;
            output::note(format!("{} ({}), shown only now:", info.name, info.id));
            output::data(&format!("{}\n", secret.reveal()))?;
            Ok(())
        }
        TokenCommand::List { data } => list(&folder(data, config)),
        TokenCommand::Revoke { data, token } => {
            let revoked = open(&folder(data, config))?.revoke(token, SystemClock.now())?;
            output::note(if revoked { "revoked" } else { "it was revoked before" });
            Ok(())
        }
    }
}

impl TokenScope {
    fn meaning(self) -> Scope {
        match self {
            Self::Ingest => Scope::Ingest,
            Self::Query => Scope::Query,
            Self::Admin => Scope::Admin,
        }
    }
}

fn open(data: &Path) -> anyhow::Result<AccessDatabase> {
    Ok(AccessDatabase::open(data)?)
}

fn list(data: &Path) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let tokens = open(data)?.list()?;
    if tokens.is_empty() {
        output::note("no tokens: a loopback address is open without, any other needs one");
        return Ok(());
    }
    let mut text =
        format!("{:<17} {:<20} {:<8} {:<20} {:<27} projects\n", "id", "name", "state", "may", "last used");
    for token in tokens {
        let state = match token.state(now) {
            TokenState::Valid => "valid",
            TokenState::Expired => "expired",
            TokenState::Revoked => "revoked",
        };
        let may: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        let projects =
            token.projects.map_or("all".to_owned(), |names| names.into_iter().collect::<Vec<_>>().join(", "));
        let last_used = token.last_used_at.map_or("never".to_owned(), |time| time.to_string());
        text.push_str(&format!(
            "{:<17} {:<20} {state:<8} {:<20} {last_used:<27} {projects}\n",
            token.id,
            token.name,
            may.join(",")
        ));
    }
    output::data(&text)?;
    Ok(())
}
