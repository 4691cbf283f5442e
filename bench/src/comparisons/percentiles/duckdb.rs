//! The peer: DuckDB from PyPI over the same files.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::{Measured, THREADS};
use crate::comparisons::Scene;
use crate::python;

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/duckdb_questions.py");

/// Asks DuckDB questions in its SQL; `tests` are the files.
///
/// # Errors
/// When there is no Python or no DuckDB, or a question fails; the reason is for the report.
pub(in crate::comparisons) fn ask(
    scene: &Scene,
    files: &[PathBuf],
    questions: &[String],
) -> anyhow::Result<Vec<Measured>> {
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let python = match std::env::var_os("MANOMETER_TEST_PYTHON") {
        Some(python) => PathBuf::from(python),
        None => python::with_packages(folder.path(), &["duckdb"])?,
    };
    let asked = serde_json::json!({
        "files": files,
        "questions": questions,
    });
    let mut child = Command::new(python)
        .arg(PEER)
        .args([THREADS.to_string(), scene.rounds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("failed to start python")?;
    child.stdin.take().context("no input")?.write_all(asked.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("{}", message.lines().last().unwrap_or("python failed"));
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
