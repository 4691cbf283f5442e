//! The binary that is measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::comparisons::Scene;

/// The binary that was asked for; else builds `manometer` with the release profile (a no-op when it is fresh).
pub(crate) fn binary(scene: &Scene) -> anyhow::Result<PathBuf> {
    if let Some(binary) = &scene.binary {
        return binary.canonicalize().with_context(|| format!("no binary {}", binary.display()));
    }
    if cfg!(debug_assertions) {
        bail!("figures of a debug build mean nothing: cargo run --release -p manometer-bench -- …");
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("bench has no parent folder")?;
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "--package", "manometer-cli"])
        .current_dir(workspace)
        .status()
        .context("failed to start cargo")?;
    if !built.success() {
        bail!("manometer does not build");
    }
    let binary = std::env::current_exe()?.with_file_name("manometer");
    if !binary.is_file() {
        bail!("{} is not there", binary.display());
    }
    Ok(binary)
}

/// Runs the binary to its end and gives what it printed.
pub(crate) fn run(binary: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = manometer_testkit::process::command(binary);
    let output =
        command.args(arguments).output().with_context(|| format!("failed to start {}", binary.display()))?;
    if !output.status.success() {
        bail!("manometer {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
