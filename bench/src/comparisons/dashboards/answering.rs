//! Our side: an engine in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use manometer_model::Limits;
use manometer_query::{Access, Engine, EngineOptions, QueryRequest, Source};
use manometer_store::{ReadOnlyStore, StoreOptions};

use super::super::percentiles::THREADS;

/// Milliseconds until all questions of a list are answered, one after the other.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// By an engine that was just started; the files are in the system's memory.
    pub(super) cold: Vec<f64>,
    /// By one that was asked the same before.
    pub(super) warm: Vec<f64>,
}

/// An engine as a server has it, with the threads that the peer has.
pub(super) fn from_rollups() -> EngineOptions {
    let limits = Limits { query_seconds: 3_600, ..Limits::default() };
    EngineOptions { limits, threads: THREADS, ..EngineOptions::default() }
}

/// Asks the questions of the store in `data`.
pub(super) fn answer(
    data: &Path,
    questions: &[String],
    rounds: u32,
    options: EngineOptions,
) -> anyhow::Result<Times> {
    let store = ReadOnlyStore::open(StoreOptions::new(data))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut times = Times::default();
    // Once for the system to read the files.
    runtime.block_on(ask_all(&Engine::new(options.clone())?, &store, questions))?;
    for _ in 0..rounds {
        let engine = Engine::new(options.clone())?;
        times.cold.push(runtime.block_on(ask_all(&engine, &store, questions))?);
        for _ in 0..rounds {
            times.warm.push(runtime.block_on(ask_all(&engine, &store, questions))?);
        }
    }
    Ok(times)
}

async fn ask_all(engine: &Engine, store: &ReadOnlyStore, questions: &[String]) -> anyhow::Result<f64> {
    let begun = Instant::now();
    for sql in questions {
        let source: Arc<dyn Source> = store.snapshot();
        let request = QueryRequest::new(sql.as_str(), Access::All);
        let result = engine.query(source, request).await.with_context(|| sql.clone())?;
        result.collect().await.with_context(|| sql.clone())?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}
