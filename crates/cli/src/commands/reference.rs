//! `manometer reference`: the documentation that is made from the program, so that it cannot be wrong.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use manometer_model::{Limits, Retention, TableKind, stored_tables};

use crate::args::Cli;

/// Writes every page into `folder`.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    for (name, text) in pages()? {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

fn pages() -> anyhow::Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("TABLES.md", tables()),
        ("LIMITS.md", limits()),
        ("COMMANDS.md", commands()),
        ("openapi.json", format!("{}\n", manometer_server::openapi_json()?)),
    ])
}

fn tables() -> String {
    let mut page = String::from(
        "# Tables\n\nMade by `cargo xtask reference`. All times are UTC with microseconds; a unit is the end of a \
         name (`_seconds`, `_bytes`, `_at`). The word in front of each table's columns is the `type` of its NDJSON \
         records.\n",
    );
    for table in stored_tables() {
        write_table(&mut page, table).ok();
    }
    page
}

fn write_table(page: &mut String, table: &manometer_model::Table) -> std::fmt::Result {
    let life = match table.kind {
        TableKind::Entity { key } => format!("Rows merge by their key: `{}`.", key.join("`, `")),
        TableKind::Fact { order } => {
            format!("Rows are appended; segments are sorted by `{}`.", order.join("`, `"))
        }
    };
    let record = match table.record {
        "" => "No record makes its rows: see [roll-ups](../ROLLUPS.md).".to_owned(),
        record => format!("Record type: `{record}`."),
    };
    let term = Retention::default().of(table).described(table);
    writeln!(
        page,
        "\n## {}\n\n{}\n{life}\n\n{record} Kept where nothing is set: {term}.\n",
        table.name,
        table.doc.trim()
    )?;
    writeln!(page, "| column | kind | may be null | meaning |\n|---|---|---|---|")?;
    for column in table.columns {
        let null = if column.nullable { "yes" } else { "" };
        let kind = format!("{:?}", column.kind).to_lowercase();
        writeln!(page, "| `{}` | {kind} | {null} | {} |", column.name, column.doc.trim())?;
    }
    Ok(())
}

fn limits() -> String {
    let mut page = String::from(
        "# Limits\n\nMade by `cargo xtask reference`. Each is a key of `[limits]` in `manometer.toml` and a variable \
         `MANOMETER_LIMITS_…` of the same name.\n\n| limit | default | meaning |\n|---|---:|---|\n",
    );
    for (name, default, meaning) in Limits::described() {
        page.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
    }
    page
}

fn commands() -> String {
    let mut page = String::from("# Commands\n\nMade by `cargo xtask reference` from `--help`.\n");
    describe(&mut page, Cli::tree().term_width(100), "");
    page
}

fn describe(page: &mut String, mut command: Command, parent: &str) {
    let name = if parent.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{parent} {}", command.get_name())
    };
    let help = command.clone().bin_name(&name).render_long_help();
    let text: Vec<String> = help.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", text.join("\n").trim()));
    for child in command.get_subcommands_mut() {
        if !child.is_hide_set() && child.get_name() != "help" {
            describe(page, child.clone().term_width(100), &name);
        }
    }
}
