//! `manometer query`: SQL over a local folder, also one that a server has open, or over a server.

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Read as _, Write};

use anyhow::Context as _;
use manometer_query::format::{self, Format as QueryFormat, WriteError};
use manometer_query::{Access, Engine, EngineOptions, LimitOverrides, QueryError, QueryRequest, Summary};
use manometer_store::{ReadOnlyStore, StoreOptions};

use crate::args::{Format, QueryArgs};
use crate::commands::store::folder;
use crate::config::Config;
use crate::exit::usage;
use crate::output;
use crate::remote::Remote;

/// Asks and prints.
pub(crate) fn run(arguments: &QueryArgs, config: &Config) -> anyhow::Result<()> {
    let sql = statement(&arguments.sql)?;
    if arguments.format == Format::Parquet && arguments.output.is_none() && std::io::stdout().is_terminal() {
        return Err(usage("Parquet is not for a terminal: add --output FILE"));
    }
    let mut out = sink(arguments)?;
    match Remote::from_args(&arguments.remote)? {
        Some(remote) => ask_server(&remote, arguments, &sql, &mut out)?,
        None => ask_folder(arguments, config, &sql, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn statement(argument: &str) -> anyhow::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("failed to read the query from standard input")?;
    Ok(text)
}

fn sink(arguments: &QueryArgs) -> anyhow::Result<Box<dyn Write + Send>> {
    Ok(match &arguments.output {
        Some(path) => Box::new(BufWriter::new(
            File::create(path)
                .map_err(|error| usage(format!("failed to create {}: {error}", path.display())))?,
        )),
        None => Box::new(BufWriter::new(std::io::stdout())),
    })
}

fn ask_folder(
    arguments: &QueryArgs,
    config: &Config,
    sql: &str,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let store = ReadOnlyStore::open(StoreOptions::new(folder(&arguments.data, config)))?;
    let engine = Engine::new(EngineOptions { limits: config.limits.clone(), ..EngineOptions::default() })?;
    let request = QueryRequest::new(sql, Access::All).with_limits(LimitOverrides {
        seconds: arguments.timeout.map(|seconds| seconds as f64),
        memory_bytes: None,
        rows: arguments.rows,
    });
    let form = match arguments.format {
        Format::Table => QueryFormat::Table { width: width(arguments) },
        Format::Json => QueryFormat::Json,
        Format::Csv => QueryFormat::Csv,
        Format::Parquet => QueryFormat::Parquet,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let summary = runtime.block_on(async {
        let source = store.snapshot();
        let result = engine.query(source, request).await.map_err(refused)?;
        format::write(result, form, out).await.map_err(|error| match error {
            WriteError::Query(cause) => refused(cause),
            WriteError::Output(cause) => cause.into(),
        })
    })?;
    note_end(arguments, &summary);
    Ok(())
}

/// A table as wide as the terminal; elsewhere as wide as it likes.
fn width(arguments: &QueryArgs) -> Option<usize> {
    if arguments.output.is_some() || !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0))
}

fn refused(error: QueryError) -> anyhow::Error {
    usage(error.to_string())
}

fn note_end(arguments: &QueryArgs, summary: &Summary) {
    if summary.truncated {
        output::warn(format!(
            "only the first {} rows are shown: raise it with --rows or the limit query_rows",
            output::grouped(summary.row_count as u64)
        ));
    }
    if arguments.format == Format::Table && std::io::stderr().is_terminal() {
        output::note(format!(
            "{} rows in {:.0} ms",
            output::grouped(summary.row_count as u64),
            summary.elapsed.as_secs_f64() * 1000.0
        ));
    }
}

fn ask_server(
    remote: &Remote,
    arguments: &QueryArgs,
    sql: &str,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let word = match arguments.format {
        Format::Table => "table",
        Format::Json => "json",
        Format::Csv => "csv",
        Format::Parquet => "parquet",
    };
    let mut limits = serde_json::Map::new();
    if let Some(seconds) = arguments.timeout {
        limits.insert("seconds".to_owned(), seconds.into());
    }
    if let Some(rows) = arguments.rows {
        limits.insert("rows".to_owned(), rows.into());
    }
    let body = serde_json::json!({ "sql": sql, "format": word, "width": width(arguments), "limits": limits });
    let mut answer = remote.post_json("/api/v1/sql", &body)?;
    std::io::copy(&mut answer, out).context("the server's answer broke off")?;
    Ok(())
}
