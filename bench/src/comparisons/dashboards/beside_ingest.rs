//! What dashboards leave of ingest: the same uploads to the same server, alone and while ten dashboards look on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use manometer_bench_readers::figures::{median, percentile};
use manometer_model::{Clock as _, SystemClock};
use manometer_testkit::{ServerOptions, ServerProcess, sql};

use super::super::Scene;
use super::super::ingest::{UPLOADS, document, prepare, send};
use super::dataset;
use super::panels::{Dialect, Range, panels};
use crate::program;
use crate::report::{Goal, Report, note};

const DASHBOARDS: u64 = 10;
const REFRESHED_EVERY: Duration = Duration::from_secs(5);
const DAYS: u64 = 30;
const LEAST_SHARE_OF_INGEST: f64 = 0.8;

pub(super) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let data = folder.path().join("data");
    let midnight = i64::from(SystemClock.now().day()) * 86_400;
    dataset::fill(&data, midnight - DAYS as i64 * 86_400, DAYS)?;
    let server = ServerProcess::start(ServerOptions::new(&binary, &data))?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let mut latencies = Vec::new();
    for round in 0..scene.rounds {
        alone.push(rate(&server, round * 2, prepare(round * 2))?);
        let uploads = prepare(round * 2 + 1);
        let (rate_beside, seen) =
            while_dashboards_look_on(&server, || rate(&server, round * 2 + 1, uploads))?;
        beside.push(rate_beside);
        latencies.extend(seen);
        note(&format!(
            "dashboards: round {}: {:.0} rows/s alone, {rate_beside:.0} beside dashboards",
            round + 1,
            alone.last().copied().unwrap_or_default()
        ));
    }
    latencies.sort();
    let milliseconds = |share| percentile(&latencies, share).as_secs_f64() * 1_000.0;
    report.ratio(
        "ingest while ten dashboards refresh every 5 s; peer: the same alone",
        median(beside),
        median(alone),
        "rows/s",
        Goal::AtLeast(LEAST_SHARE_OF_INGEST),
    );
    report.figure("… a dashboard's 12 panels, median", milliseconds(0.5), "ms", Goal::None);
    report.figure("… a dashboard's 12 panels, 99 of 100", milliseconds(0.99), "ms", Goal::None);
    Ok(())
}

/// Rows a second of one round of uploads.
fn rate(server: &ServerProcess, round: u32, uploads: Vec<Vec<u8>>) -> anyhow::Result<f64> {
    let tests: u64 = (0..UPLOADS).map(|upload| document(round, upload).tests).sum();
    Ok(tests as f64 / send(server, uploads)?)
}

/// Runs `work` while dashboards refresh; with how long each refresh took.
fn while_dashboards_look_on<T>(
    server: &ServerProcess,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Vec<Duration>)> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_over = &is_over;
        let dashboards: Vec<_> =
            (0..DASHBOARDS).map(|number| scope.spawn(move || look_on(server, number, is_over))).collect();
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        for dashboard in dashboards {
            let seen = dashboard.join().map_err(|_| anyhow!("a dashboard panicked"))?;
            latencies.extend(seen.context("a dashboard got no answer")?);
        }
        Ok((done?, latencies))
    })
}

/// One dashboard: its panels one after the other over one connection, again and again. They begin spread over the time
/// between two refreshes, as people open them.
fn look_on(server: &ServerProcess, number: u64, is_over: &AtomicBool) -> anyhow::Result<Vec<Duration>> {
    let mut client = server.client();
    let panels = panels(Dialect::Manometer, &Range::UntilNow, number);
    let mut latencies = Vec::new();
    let mut next = Instant::now() + REFRESHED_EVERY.mul_f64(number as f64 / DASHBOARDS as f64);
    while !is_over.load(Ordering::Relaxed) {
        if Instant::now() < next {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        }
        let begun = Instant::now();
        for panel in &panels {
            sql::rows(&mut client, panel)?;
        }
        latencies.push(begun.elapsed());
        next += REFRESHED_EVERY;
    }
    Ok(latencies)
}
