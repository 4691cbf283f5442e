//! `manometer completions` and `manometer man`: what a packager installs beside the binary.

use std::path::Path;

use anyhow::Context as _;

use crate::args::Cli;
use crate::output;

/// Prints the completion script of one shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::tree(), "manometer", &mut script);
    output::data(&String::from_utf8(script).context("the completion script is not UTF-8")?)?;
    Ok(())
}

/// Writes one manual page for each command.
pub(crate) fn man(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    clap_mangen::generate_to(Cli::tree(), folder)
        .with_context(|| format!("failed to write manual pages to {}", folder.display()))?;
    output::note(format!("manual pages are in {}", folder.display()));
    Ok(())
}
