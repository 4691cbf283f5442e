//! The command line: every command and flag, with the words of `--help`.

mod agent;
#[cfg(feature = "server")]
mod ask;
#[cfg(feature = "server")]
mod polling;
mod runs;
#[cfg(feature = "server")]
mod server;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

use crate::env;

pub(crate) use agent::*;
#[cfg(feature = "server")]
pub(crate) use ask::*;
#[cfg(feature = "server")]
pub(crate) use polling::*;
pub(crate) use runs::*;
#[cfg(feature = "server")]
pub(crate) use server::*;

const EXAMPLES: &str = "\
Examples:
  manometer demo                                 an example organisation, with pages to look at
  manometer serve                                pages, API and store on http://127.0.0.1:8420
  manometer ingest --project github.com/acme/shop target/**/TEST-*.xml
  manometer query \"select name, max(duration_seconds) from tests group by 1 order by 2 desc\"
  manometer ask compare --service payments --measure test-duration --commit 4f1c2a9
  manometer exec -- cargo build --release        the same command, measured
  manometer regression-check --threshold 20%     is the newest measured run worse?

Exit codes: 0 fine, 1 the answer is no, 2 wrong call, 3 server away or refusing.";

/// The gauge on your pipelines: keeps everything CI produces and answers what got slower, what is flaky, what broke.
#[derive(Debug, Parser)]
#[command(name = "manometer", version, after_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Cli<C: Subcommand = Command> {
    /// Settings file [default: manometer.toml in this folder, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = env::CONFIG, hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: C,
}

impl Cli {
    /// Reads the command line of this process; ends it where the line is wrong or asks for help.
    ///
    /// What runs in front of every build is read by the agent's commands alone: to set up the words and flags of all
    /// commands takes longer than the rest of its start.
    pub(crate) fn read() -> Self {
        let first = std::env::args_os().nth(1);
        if first.is_some_and(|name| name.to_str().is_some_and(AgentCommand::has_subcommand)) {
            let Cli { config, command } = Cli::<AgentCommand>::parse();
            return Self { config, command: Command::Agent(command) };
        }
        Self::parse()
    }

    /// Every command with its flags and words, for what is generated from them.
    pub(crate) fn tree() -> clap::Command {
        <Self as CommandFactory>::command()
    }
}

/// The commands, by what they need: those of the server and its store are left out of the small build.
#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "one is made in the life of the process; without the server the sizes differ"
)]
pub(crate) enum Command {
    #[cfg(feature = "server")]
    #[command(flatten)]
    Server(ServerCommand),
    #[command(flatten)]
    Agent(AgentCommand),
    #[command(flatten)]
    Runs(RunsCommand),
    #[command(flatten)]
    Tool(ToolCommand),
}

/// Commands about the program itself.
#[derive(Debug, Subcommand)]
pub(crate) enum ToolCommand {
    /// Check or show the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print which CI run this is, and where each word of that comes from
    #[command(after_help = CONTEXT_EXAMPLES)]
    Context {
        /// Form of the answer
        #[arg(long, value_enum, default_value_t = ContextFormat::Table)]
        format: ContextFormat,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    Man {
        /// Folder to write them to
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
}

const CONTEXT_EXAMPLES: &str = "\
Examples:
  manometer context                                         aligned columns: field, value, source
  manometer context --format json | jq .run_id
  eval \"$(manometer context --format env)\"; echo \"$CI_CONTEXT_RUN_ID\"

Outside CI the git checkout answers alone; the exit code is 0 there too.";

/// Forms of `manometer context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContextFormat {
    /// Aligned columns for people: field, value, source
    Table,
    /// One object: every field (null where not known), labels, sources, problems
    Json,
    /// Lines `CI_CONTEXT_FIELD='value'` for a shell
    Env,
}

/// Where a server is; without it the local data folder is used.
#[derive(Debug, Clone, Args)]
pub(crate) struct RemoteArgs {
    /// Use this server instead of a local folder: http://127.0.0.1:8420
    #[arg(long, value_name = "URL", env = env::SERVER, hide_env_values = true)]
    pub(crate) server: Option<String>,
    /// Token for the server
    #[arg(long, value_name = "TOKEN", env = env::TOKEN, hide_env_values = true, requires = "server")]
    pub(crate) token: Option<String>,
}

/// Which run the reports belong to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which run it belongs to")]
pub(crate) struct ContextArgs {
    /// Repository: github.com/acme/shop
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// Part of a monorepo: payments
    #[arg(long, env = "CI_SERVICE_NAME", hide_env_values = true)]
    pub(crate) service: Option<String>,
    /// Name of the pipeline or workflow
    #[arg(long)]
    pub(crate) pipeline: Option<String>,
    /// CI system [default: local]
    #[arg(long)]
    pub(crate) provider: Option<String>,
    /// Identity of the run [default: made from the content]
    #[arg(long = "run-id", value_name = "ID")]
    pub(crate) run_id: Option<String>,
    /// Attempt of the run [default: 1]
    #[arg(long)]
    pub(crate) attempt: Option<i64>,
    /// Identity of the job inside the run
    #[arg(long = "job-id", value_name = "ID")]
    pub(crate) job_id: Option<String>,
    /// Name of the job
    #[arg(long = "job-name", value_name = "NAME")]
    pub(crate) job_name: Option<String>,
    /// Source branch
    #[arg(long)]
    pub(crate) branch: Option<String>,
    /// Commit tested
    #[arg(long, value_name = "SHA")]
    pub(crate) commit: Option<String>,
    /// What started the run: push, pull_request, schedule, …
    #[arg(long)]
    pub(crate) trigger: Option<String>,
}

/// Forms of an answer.
#[cfg(feature = "server")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people
    Table,
    /// One object with columns and rows
    Json,
    /// Comma-separated values with a header
    Csv,
    /// An Apache Parquet file
    Parquet,
}

/// `manometer config`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the settings and report what is wrong or unknown; exit code 1 where there is any
    Check,
    /// Print the settings in force, as TOML
    Show,
}
