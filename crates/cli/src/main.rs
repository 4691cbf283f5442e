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
mod git;
mod inputs;
mod output;
mod progress;
mod remote;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::config::Loaded;

fn main() -> ExitCode {
    let cli = Cli::parse();
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
    let loaded = config::load(cli.config.as_deref(), std::env::vars())?;
    if !matches!(cli.command, Command::Config(_)) {
        loaded.unknown.iter().for_each(output::warn);
    }
    dispatch(&cli.command, &loaded)
}

fn dispatch(command: &Command, loaded: &Loaded) -> anyhow::Result<()> {
    let config = &loaded.config;
    match command {
        Command::Demo(arguments) => commands::demo::run(arguments, config),
        Command::Serve(arguments) => commands::serve::run(arguments, config),
        Command::Ingest(arguments) => commands::ingest::run(arguments, config),
        Command::Query(arguments) => commands::query::run(arguments, config),
        Command::Token(command) => commands::token::run(command, config),
        Command::Store(command) => commands::store::run(command, config),
        Command::Config(command) => commands::config::run(command, loaded),
        Command::Completions { shell } => commands::shell::completions(*shell),
        Command::Man { folder } => commands::shell::man(folder),
        Command::Reference { folder } => commands::reference::run(folder),
    }
}

/// `manometer query … | head` is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
