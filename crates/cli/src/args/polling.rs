//! The commands that ask the APIs of CI systems: how polling stands, and history on request.

use clap::{Args, Subcommand};

use super::{DataArgs, RemoteArgs};

/// `manometer poll`
#[derive(Debug, Subcommand)]
pub(crate) enum PollCommand {
    /// Show how each poll stands: last sweep, until when it waits and why, what is left of the budget
    #[command(after_help = "\
With --server: as it is now. Without: as the server noted it last in the data folder.")]
    Status {
        #[command(flatten)]
        data: DataArgs,
        #[command(flatten)]
        remote: RemoteArgs,
        /// Print one JSON document instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// `manometer backfill`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  manometer backfill github --since 90d --server http://127.0.0.1:8420
  manometer backfill github acme/shop --since 2026-01-01 --token-from env:GITHUB_TOKEN
  manometer backfill jenkins --since 12w --url https://ci.acme.example --user ada --token-from file:/run/secrets/jenkins

With --server the server does the work, within the budget of its settings, and goes on when this command is ended.
Without, this process works on the data folder, which no server may have open; ended in the middle, it goes on where it
stood when it is called again. What is there already is not stored twice.")]
pub(crate) struct BackfillArgs {
    /// github, gitlab, jenkins or teamcity
    pub(crate) provider: String,
    /// Repositories, projects or folders [default: all of that provider in the settings]
    #[arg(value_name = "PROJECT")]
    pub(crate) projects: Vec<String>,
    /// How far back: a span as 90d or 12w, a day as 2026-01-31, a time
    #[arg(long, value_name = "SPAN|TIME")]
    pub(crate) since: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// With --server: return once the server has noted it
    #[arg(long, requires = "server")]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

/// How to ask what the settings do not name.
#[derive(Debug, Args)]
#[command(next_help_heading = "For what is not in the settings")]
pub(crate) struct AskingArgs {
    /// Address of the API [default: that of github.com or gitlab.com]
    #[arg(long, conflicts_with = "server")]
    pub(crate) url: Option<String>,
    /// Where the token is: env:NAME or file:PATH
    #[arg(long, value_name = "PLACE", conflicts_with = "server")]
    pub(crate) token_from: Option<String>,
    /// The user the token belongs to (Jenkins)
    #[arg(long, conflicts_with = "server")]
    pub(crate) user: Option<String>,
    /// Most requests in any hour [default: 1000]
    #[arg(long, value_name = "NUMBER", conflicts_with = "server")]
    pub(crate) requests_per_hour: Option<u32>,
}
