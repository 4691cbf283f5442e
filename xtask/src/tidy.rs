//! House rules: who may depend on whom, how large a file may grow, and names we do not use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Each room and the rooms it may use (besides what those use themselves). Development dependencies are free.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("formats", &["model"]),
    ("stats", &[]),
    ("providers", &["model"]),
    ("exporters", &["model", "formats"]),
    ("agent", &["model", "formats", "providers", "exporters", "stats"]),
    ("demo", &["model", "formats"]),
    ("store", &["model", "stats"]),
    ("ingest", &["model", "formats", "providers", "store"]),
    ("query", &["model", "stats", "store"]),
    ("server", &["model", "formats", "providers", "exporters", "stats", "store", "ingest", "query"]),
    (
        "cli",
        &[
            "model",
            "formats",
            "providers",
            "exporters",
            "stats",
            "agent",
            "demo",
            "store",
            "ingest",
            "query",
            "server",
        ],
    ),
    ("testkit", &["model", "formats", "demo", "store", "ingest", "query", "server"]),
];

/// Only this room may name DataFusion.
const QUERY_ENGINE_ROOM: &str = "query";
const LONGEST_FILE_LINES: usize = 800;
const BANNED_NAMES: &[&str] = &["utils.rs", "util.rs", "helpers.rs", "misc.rs", "common.rs"];

/// Checks every rule and lists all that is broken.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    check_directions(root, &mut faults)?;
    let mut files = Vec::new();
    for folder in ["crates", "integrations/rust", "xtask", "bench", "fuzz"] {
        collect(&root.join(folder), &mut files)?;
    }
    for file in &files {
        check_file(root, file, &mut faults)?;
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("the checkout is not tidy:\n  {}", faults.join("\n  "))
}

fn check_directions(root: &Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    for entry in std::fs::read_dir(root.join("crates")).context("failed to list crates")? {
        let folder = entry?.path();
        let room = folder
            .file_name()
            .and_then(|name| name.to_str())
            .context("a crate's name is not UTF-8")?
            .to_owned();
        let text = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let manifest: toml::Table = text.parse().with_context(|| format!("crates/{room}/Cargo.toml"))?;
        let Some(may_use) = allowed.get(room.as_str()) else {
            faults.push(format!("crates/{room}: say in xtask/src/tidy.rs which rooms it may use"));
            continue;
        };
        let Some(dependencies) = manifest.get("dependencies").and_then(toml::Value::as_table) else {
            continue;
        };
        for dependency in dependencies.keys() {
            if dependency.starts_with("datafusion") && room != QUERY_ENGINE_ROOM {
                faults.push(format!("crates/{room}: only {QUERY_ENGINE_ROOM} may use {dependency}"));
            }
            let Some(used) = dependency.strip_prefix("manometer-") else { continue };
            if !may_use.contains(&used) {
                faults.push(format!("crates/{room} must not use {used}"));
            }
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !matches!(name, "target" | "node_modules" | "fixtures" | "vendor") {
                collect(&path, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn check_file(root: &Path, file: &Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let shown = file.strip_prefix(root).unwrap_or(file).display();
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if BANNED_NAMES.contains(&name) {
        faults.push(format!("{shown}: name the file after its subject"));
    }
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().count();
    if lines > LONGEST_FILE_LINES {
        faults.push(format!("{shown}: {lines} lines, at most {LONGEST_FILE_LINES}: find its second subject"));
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        faults.push(format!("{shown}: begin with `//!` and what the file is for"));
    }
    let reminder = ["TO", "DO"].concat();
    for (number, line) in text.lines().enumerate() {
        // TAP has a directive of that name, after `# `.
        if line.contains(&format!("{reminder}:")) || line.contains(&format!("// {reminder}")) {
            faults.push(format!("{shown}:{}: open an issue instead of a {reminder}", number + 1));
        }
    }
    Ok(())
}
