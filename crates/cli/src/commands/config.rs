//! `manometer config check` and `config show`.

use crate::args::ConfigCommand;
use crate::config::Loaded;
use crate::exit::gate_failed;
use crate::output;

/// Runs one of them on the settings as loaded.
pub(crate) fn run(command: &ConfigCommand, loaded: &Loaded) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show => {
            output::data(&toml::to_string_pretty(&loaded.config)?)?;
            Ok(())
        }
        ConfigCommand::Check => check(loaded),
    }
}

fn check(loaded: &Loaded) -> anyhow::Result<()> {
    let mut faults = loaded.unknown.clone();
    if let Err(error) = crate::config::listen_address(&loaded.config.listen) {
        faults.push(format!("{error:#}"));
    }
    if let Err(error) = loaded.config.service_rules() {
        faults.push(format!("{error:#}"));
    }
    if let Err(error) = loaded.config.retention() {
        faults.push(format!("{error:#}"));
    }
    #[cfg(feature = "server")]
    if let Err(error) = crate::webhooks::webhooks(&loaded.config, |name| std::env::var(name).ok()) {
        faults.push(format!("{error:#}"));
    }
    for fault in &faults {
        output::warn(fault);
    }
    if !faults.is_empty() {
        return Err(gate_failed(format!("{} thing(s) in the settings need mending", faults.len())));
    }
    match &loaded.file {
        Some(file) => output::note(format!("{}: settings are fine", file.display())),
        None => output::note("no settings file; the defaults and the environment are fine"),
    }
    Ok(())
}
