//! The binary `manometer`: arguments, settings, output and exit codes.
//!
//! ```text
//! args ──► config (file < environment < flag) ──► commands/… ──► output: data to stdout, the rest to stderr
//!                                                     └────────► exit code
//! ```
//!
//! **Invariant:** the only room that prints. What it does beyond that is in the rooms it calls.

mod args;
mod commands;
mod config;
mod env;
mod exit;
#[cfg(feature = "server")]
mod exports;
#[cfg(feature = "server")]
mod inputs;
mod output;
#[cfg(feature = "server")]
mod polling;
#[cfg(feature = "server")]
mod progress;
mod remote;
mod runs;
#[cfg(feature = "server")]
mod secret;
#[cfg(feature = "server")]
mod span;
mod summary;
#[cfg(feature = "server")]
mod webhooks;

use std::process::ExitCode;

#[cfg(feature = "server")]
use crate::args::ServerCommand;
use crate::args::{AgentCommand, Cli, Command, RunsCommand, SpoolCommand, ToolCommand};
use crate::config::Loaded;

fn main() -> ExitCode {
    let cli = Cli::read();
    match run(&cli) {
        Ok(()) => ExitCode::from(exit::FINE),
        Err(error) if is_closed_pipe(&error) => ExitCode::from(exit::FINE),
        Err(error) => {
            output::error(format!("{error:#}"));
            ExitCode::from(exit::code_of(&error))
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    if let Command::Agent(command) = &cli.command {
        // Runs in front of every build: no settings file is looked for, nothing is said about foreign variables.
        return agent(command);
    }
    let loaded = config::load(cli.config.as_deref(), std::env::vars())?;
    if !matches!(cli.command, Command::Tool(ToolCommand::Config(_))) {
        loaded.unknown.iter().for_each(output::warn);
    }
    match &cli.command {
        #[cfg(feature = "server")]
        Command::Server(command) => server(command, &loaded.config),
        Command::Agent(command) => agent(command),
        Command::Runs(command) => measured_runs(command),
        Command::Tool(command) => tool(command, &loaded),
    }
}

fn agent(command: &AgentCommand) -> anyhow::Result<()> {
    match command {
        AgentCommand::Exec(arguments) => commands::exec::run_exec(arguments),
        AgentCommand::Step(arguments) => commands::step::run_step_command(arguments),
        AgentCommand::Spool { command } => commands::spool::run(command.unwrap_or(SpoolCommand::List)),
    }
}

#[cfg(feature = "server")]
fn server(command: &ServerCommand, config: &config::Config) -> anyhow::Result<()> {
    match command {
        ServerCommand::Demo(arguments) => commands::demo::run(arguments, config),
        ServerCommand::Serve(arguments) => commands::serve::run(arguments, config),
        ServerCommand::Ingest(arguments) => commands::ingest::run(arguments, config),
        ServerCommand::Query(arguments) => commands::query::run(arguments, config),
        ServerCommand::Ask(command) => commands::ask::run(command, config),
        ServerCommand::Deliveries(command) => commands::deliveries::run(command, config),
        ServerCommand::Poll(command) => commands::poll::run(command, config),
        ServerCommand::Backfill(arguments) => commands::backfill::run(arguments, config),
        ServerCommand::Token(command) => commands::token::run(command, config),
        ServerCommand::Store(command) => commands::store::run(command, config),
        ServerCommand::Reference { folder } => commands::reference::run(folder),
    }
}

fn measured_runs(command: &RunsCommand) -> anyhow::Result<()> {
    match command {
        RunsCommand::Ls(arguments) => commands::ls::run(arguments),
        RunsCommand::Show(arguments) => commands::show::run(arguments),
        RunsCommand::Export(arguments) => commands::export::run(arguments),
        RunsCommand::Compare(arguments) => commands::compare::run(arguments),
        RunsCommand::RegressionCheck(arguments) => commands::regression_check::run(arguments),
        RunsCommand::Prune(arguments) => commands::prune::run(arguments),
    }
}

fn tool(command: &ToolCommand, loaded: &Loaded) -> anyhow::Result<()> {
    match command {
        ToolCommand::Config(command) => commands::config::run(command, loaded),
        ToolCommand::Context { format } => commands::context::run(*format, &loaded.config),
        ToolCommand::Completions { shell } => commands::shell::completions(*shell),
        ToolCommand::Man { folder } => commands::shell::man(folder),
    }
}

/// `manometer query … | head` is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
