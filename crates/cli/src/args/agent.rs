//! Commands of the agent: measure here, deliver from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::env;

const EXEC_EXAMPLES: &str = "\
Examples:
  manometer exec -- cargo build --release
  manometer exec --type tests --report 'target/**/junit.xml' -- cargo nextest run --profile ci
  manometer exec --type build_wheel --artifact 'dist/*.whl' --artifact dist -- python -m build
  manometer exec --artifact image:shop:latest -- docker build -t shop .

Exit code: that of the command; 126 when it cannot be run, 127 when it is not found.
A death by signal is passed on, which shells show as 128 and its number.";

const STEP_EXAMPLES: &str = "\
Examples:
  manometer step compile -- make all

  A step for each line of a Makefile's recipes, and the same named after the targets:
  make SHELL='manometer step --make'
  make SHELL=\"$(command -v manometer)\" .SHELLFLAGS='step --make $@ -- -c'

The exit code is that of the command.";

/// Commands that run where builds run.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// Run a command and measure it
    Exec(ExecArgs),
    /// Run a command as a named step of the run around it
    Step(StepArgs),
    /// Look at what waits for the server, or send it
    Spool {
        #[command(subcommand)]
        command: Option<SpoolCommand>,
    },
}

/// `manometer exec`
#[derive(Debug, Args)]
#[command(after_help = EXEC_EXAMPLES)]
pub(crate) struct ExecArgs {
    /// Kind of run, by which runs are compared: build, tests, build_wheel, docs, …
    #[arg(long = "type", value_name = "KIND", default_value = "build")]
    pub(crate) kind: String,
    /// What people call it [default: the kind]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Part of a monorepo: payments
    #[arg(long, env = env::SERVICE, hide_env_values = true)]
    pub(crate) service: Option<String>,
    /// Repository [default: from the CI system or the git remote]
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// Measure the size of what the command produces: a file, folder or image archive, or image:NAME
    #[arg(long = "artifact", value_name = "PATTERN", value_hint = ValueHint::AnyPath)]
    pub(crate) artifacts: Vec<String>,
    /// Take the reports the command writes
    #[arg(long = "report", value_name = "PATTERN", value_hint = ValueHint::AnyPath)]
    pub(crate) reports: Vec<String>,
    /// Seconds between two looks at the processes [default: 1]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) sample_interval: Option<f64>,
    /// Do not look at the processes while the command runs
    #[arg(long, conflicts_with = "sample_interval")]
    pub(crate) no_samples: bool,
    /// Print nothing
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Key-value pair of the run
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<(String, String)>,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// `manometer step`
#[derive(Debug, Args)]
#[command(after_help = STEP_EXAMPLES, override_usage = "manometer step NAME -- COMMAND…\n       manometer step --make [TARGET --] FLAGS RECIPE")]
pub(crate) struct StepArgs {
    /// Stand in for the shell of make
    #[arg(long)]
    pub(crate) make: bool,
    /// The shell that stands behind --make
    #[arg(long, value_name = "PATH", default_value = "/bin/sh", value_hint = ValueHint::ExecutablePath)]
    pub(crate) shell: PathBuf,
    /// Name of the step, then the command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "NAME -- COMMAND"
    )]
    pub(crate) words: Vec<OsString>,
}

/// `manometer spool`
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum SpoolCommand {
    /// Show what waits, and what was refused
    List,
    /// Send what waits to the server in MANOMETER_URL
    Send,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
