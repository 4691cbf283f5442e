//! Our side: a process of its own that answers from the store, so that its memory is that of answering alone.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use manometer_model::Limits;
use manometer_query::{Access, Engine, EngineOptions, QueryRequest, QueryResult, RollupUse, Source};
use manometer_store::{ReadOnlyStore, StoreOptions};

use super::questions::Question;
use super::{Measured, THREADS, forget_peak_memory, peak_memory_bytes};

/// Starts this program again to answer.
pub(super) fn ask_a_process(
    data: &Path,
    questions: &[Question],
    rounds: u32,
) -> anyhow::Result<Vec<Measured>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["answer", "--rounds", &rounds.to_string(), "--folder"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start a process that answers")?;
    let asked: Vec<(&str, bool)> =
        questions.iter().map(|question| (question.ours.as_str(), question.as_served)).collect();
    child.stdin.take().context("no input")?.write_all(&serde_json::to_vec(&asked)?)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the process that answers failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Answers the questions on standard input (a JSON list of SQL and whether roll-ups may be used) and prints what was
/// measured, as JSON.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
pub(crate) fn answer(data: &Path, rounds: u32) -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let questions: Vec<(String, bool)> = serde_json::from_str(&text)?;
    let store = ReadOnlyStore::open(StoreOptions::new(data))?;
    let (rows_alone, as_served) = (engine(RollupUse::Never)?, engine(RollupUse::default())?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut measured = Vec::new();
    for (sql, is_as_served) in questions {
        let engine = if is_as_served { &as_served } else { &rows_alone };
        // Once to warm up.
        runtime.block_on(ask_and_look(engine, &store, &sql))?;
        forget_peak_memory();
        let mut seconds = Vec::new();
        let mut answer = (0, String::new());
        for _ in 0..rounds {
            let begun = Instant::now();
            answer = runtime.block_on(ask_and_look(engine, &store, &sql))?;
            seconds.push(begun.elapsed().as_secs_f64());
        }
        let (rows, first) = answer;
        measured.push(Measured { seconds, peak_bytes: peak_memory_bytes(), rows, first });
    }
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// An engine as a server has it, with the threads that the peer has.
pub(in crate::comparisons) fn engine(rollups: RollupUse) -> anyhow::Result<Engine> {
    let limits = Limits { query_seconds: 3_600, ..Limits::default() };
    Ok(Engine::new(EngineOptions { limits, threads: THREADS, rollups, ..EngineOptions::default() })?)
}

/// Asks one question.
pub(in crate::comparisons) async fn ask(
    engine: &Engine,
    store: &ReadOnlyStore,
    sql: &str,
) -> anyhow::Result<QueryResult> {
    let source: Arc<dyn Source> = store.snapshot();
    engine.query(source, QueryRequest::new(sql, Access::All)).await.with_context(|| sql.to_owned())
}

/// Asks one question; how many rows answer it, and the first of them.
async fn ask_and_look(engine: &Engine, store: &ReadOnlyStore, sql: &str) -> anyhow::Result<(usize, String)> {
    let result = ask(engine, store, sql).await?;
    let (batches, summary) = result.collect().await.with_context(|| sql.to_owned())?;
    let first = batches.first().map(|batch| format!("{:?}", batch.slice(0, 1).columns())).unwrap_or_default();
    Ok((summary.row_count, first.split_whitespace().collect::<Vec<_>>().join(" ")))
}
