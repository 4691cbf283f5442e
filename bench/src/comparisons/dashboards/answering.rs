//! Our side: an engine in this process.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use manometer_query::{Engine, RollupUse};
use manometer_store::{ReadOnlyStore, StoreOptions};

use super::super::percentiles::{ask, engine};

/// Milliseconds until all questions of a list are answered.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// By an engine that was just started; the files are in the system's memory.
    pub(super) cold: Vec<f64>,
    /// By one that was asked the same before.
    pub(super) warm: Vec<f64>,
}

/// Asks the questions of the store in `data`, so many at once.
pub(super) fn answer(
    data: &Path,
    questions: &[String],
    at_once: usize,
    rounds: u32,
) -> anyhow::Result<Times> {
    let store = ReadOnlyStore::open(StoreOptions::new(data))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut times = Times::default();
    // Once for the system to read the files.
    runtime.block_on(ask_all(&engine(RollupUse::default())?, &store, questions, at_once))?;
    for _ in 0..rounds {
        let engine = engine(RollupUse::default())?;
        times.cold.push(runtime.block_on(ask_all(&engine, &store, questions, at_once))?);
        for _ in 0..rounds {
            times.warm.push(runtime.block_on(ask_all(&engine, &store, questions, at_once))?);
        }
    }
    Ok(times)
}

async fn ask_all(
    engine: &Engine,
    store: &ReadOnlyStore,
    questions: &[String],
    at_once: usize,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let answers = questions.iter().map(|sql| async move {
        let result = ask(engine, store, sql).await?;
        result.collect().await.with_context(|| sql.clone())
    });
    stream::iter(answers).buffer_unordered(at_once).try_for_each(async |_| Ok(())).await?;
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}
