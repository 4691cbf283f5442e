//! The chores of the project: `cargo xtask <chore>`.
//!
//! ```text
//! cargo xtask test        every test of the workspace
//! cargo xtask tidy        house rules that no other tool checks
//! cargo xtask reference   writes docs/reference again from the program itself
//! cargo xtask dashboards  writes deploy/grafana/dashboards again; `--check` says which are stale
//! cargo xtask ci          format, lints, tidy, documentation, tests (also of the small build): what has to be green
//! ```

mod dashboards;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

#[expect(clippy::print_stderr, reason = "a chore talks to the person at the terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let root = root()?;
    let (chore, rest) =
        arguments.split_first().map_or(("help", arguments), |(first, rest)| (first.as_str(), rest));
    match chore {
        "test" => test(&root, rest),
        "tidy" => tidy::check(&root),
        "reference" => reference(&root),
        "dashboards" => dashboards::write(&root, rest.iter().any(|argument| argument == "--check")),
        "ci" => ci(&root),
        _ => bail!(
            "usage: cargo xtask test [ARGUMENTS FOR cargo test] | tidy | reference | dashboards [--check] | ci"
        ),
    }
}

fn root() -> anyhow::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).context("xtask has no parent folder")
}

fn test(root: &Path, rest: &[String]) -> anyhow::Result<()> {
    let mut arguments = vec!["test", "--workspace"];
    arguments.extend(rest.iter().map(String::as_str));
    cargo(root, &arguments, &[])
}

/// What the program says of itself (commands, tables, API), written where readers look for it.
fn reference(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("docs").join("reference");
    let folder = folder.to_str().context("the checkout's path is not UTF-8")?;
    cargo(root, &["run", "--quiet", "--package", "manometer-cli", "--", "reference", folder], &[])
}

fn ci(root: &Path) -> anyhow::Result<()> {
    cargo(root, &["fmt", "--all", "--check"], &[])?;
    tidy::check(root)?;
    dashboards::write(root, true)?;
    cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    cargo(root, &["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    // Before the whole, so that what stays in the target folder is the whole program.
    cargo(root, &["test", "--package", "manometer-cli", "--no-default-features"], &[])?;
    test(root, &[])
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .context("failed to start cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}
