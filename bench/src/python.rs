//! A Python with the libraries of a peer, in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Makes a virtual environment below `folder` with these packages and gives its interpreter.
///
/// # Errors
/// When there is no Python or the packages cannot be had; the reason is for the report.
pub(crate) fn with_packages(folder: &Path, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let environment = folder.join("python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin").join("python");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(pip).args(packages))?;
    Ok(python)
}

/// Runs a command to its end and gives its standard output.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("failed to start python3")?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("{}", message.lines().last().unwrap_or("python failed"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
