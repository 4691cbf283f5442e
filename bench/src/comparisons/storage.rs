//! What a stored test result costs, and how long a server takes to start with many of them or after a crash.

use std::path::Path;

use anyhow::{Context as _, ensure};
use manometer_testkit::{ServerOptions, ServerProcess, sql};

use super::{Scene, percentiles};
use crate::folder_size::folder_bytes;
use crate::program;
use crate::report::{Goal, Report, note};
use manometer_bench_readers::JunitDocument;
use manometer_bench_readers::figures::{median, timed};

const DEMO_TESTS: u64 = 2_000_000;
const MANY: u64 = 100_000_000;
const JOURNAL_BYTES: u64 = 256 << 20;
const SERVICES: u64 = 12;

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    bytes_per_row(scene, &binary, report)?;
    recovery(scene, &binary, report)?;
    let what = "`serve` with 100 million test results, until ready";
    if scene.hundred_million {
        start_with_many(scene, &binary, what, report)
    } else {
        report.skipped(what, "takes minutes; ask for it with --hundred-million");
        Ok(())
    }
}

/// The example organisation, compacted.
fn bytes_per_row(scene: &Scene, binary: &Path, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let data = folder.path().join("data");
    let data_text = data.to_str().context("the folder's path is not UTF-8")?;
    note("storage: filling the example organisation");
    let tests = DEMO_TESTS.to_string();
    let (seconds, filled) =
        timed(|| program::run(binary, &["demo", "--no-serve", "--tests", &tests, "--data", data_text]));
    filled?;
    report.figure(
        "`demo`, filling 2 million test results with their runs and jobs",
        seconds,
        "s",
        Goal::None,
    );
    program::run(binary, &["store", "compact", "--data", data_text])?;
    let printed = program::run(
        binary,
        &["query", "--data", data_text, "--format", "csv", "select count(*) as rows from tests"],
    )?;
    let rows: f64 = printed.lines().nth(1).context("no count")?.parse()?;
    let segments = folder_bytes(&data.join("segments").join("tests"))? as f64;
    report.figure("bytes of a stored test result", segments / rows, "B", Goal::AtMost(15.0));
    let all = folder_bytes(&data)? as f64;
    report.figure("… everything in the data folder, by test results", all / rows, "B", Goal::None);
    Ok(())
}

/// A server is killed while its journal holds 256 MiB, and started again.
fn recovery(scene: &Scene, binary: &Path, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let data = folder.path().join("data");
    note("storage: filling a journal of 256 MiB");
    let (journal_bytes, rows) = fill_journal(binary, &data)?;
    let mut seconds = Vec::new();
    for _ in 0..scene.rounds {
        let mut server = ServerProcess::start(unflushed(binary, &data))?;
        seconds.push(server.ready_after.as_secs_f64());
        server.kill()?;
    }
    let server = ServerProcess::start(unflushed(binary, &data))?;
    let stored = sql::number(&mut server.client(), "select count(*) from tests")?;
    ensure!(stored == rows, "{rows} rows acknowledged, {stored} recovered");
    let what = format!("start after a kill with a journal of {} MiB", journal_bytes >> 20);
    report.figure(what, median(seconds), "s", Goal::AtMost(3.0));
    Ok(())
}

/// Settings under which nothing ever leaves the journal.
fn unflushed(binary: &Path, data: &Path) -> ServerOptions {
    ServerOptions::new(binary, data)
        .argument(format!("--flush-journal-bytes={}", u64::MAX >> 1))
        .argument(format!("--flush-rows={}", u64::MAX >> 1))
        .argument(format!("--flush-memory-bytes={}", u64::MAX >> 1))
        .argument(format!("--flush-age-seconds={}", u32::MAX))
}

fn fill_journal(binary: &Path, data: &Path) -> anyhow::Result<(u64, u64)> {
    let mut server = ServerProcess::start(unflushed(binary, data))?;
    let mut client = server.client();
    let mut rows = 0;
    let mut upload = 0;
    loop {
        for _ in 0..8 {
            let document = JunitDocument { tests: 20_000, service: upload % SERVICES, run: upload };
            let path =
                format!("/api/v1/reports?provider=github&project=github.com/acme/shop&run_id={upload}");
            let response = client.post(&path, &[("content-type", "application/xml")], &document.bytes())?;
            ensure!(response.status == 201, "{} {}", response.status, response.text());
            rows += document.tests;
            upload += 1;
        }
        let journal_bytes = journal_bytes(&client.get("/metrics")?.text())?;
        if journal_bytes >= JOURNAL_BYTES {
            server.kill()?;
            return Ok((journal_bytes, rows));
        }
    }
}

fn journal_bytes(metrics: &str) -> anyhow::Result<u64> {
    let line = metrics.lines().find(|line| line.starts_with("manometer_journal_bytes"));
    let value =
        line.and_then(|line| line.rsplit(' ').next()).context("/metrics says nothing of the journal")?;
    Ok(value.parse::<f64>()? as u64)
}

/// A start with the store that `percentiles` asks, whichever of the two needs it first.
fn start_with_many(scene: &Scene, binary: &Path, what: &str, report: &mut Report) -> anyhow::Result<()> {
    let data = percentiles::prepared(&scene.folder, MANY)?;
    let rows = percentiles::stored_rows(MANY);
    let mut seconds = Vec::new();
    for _ in 0..scene.rounds {
        let server = ServerProcess::start(ServerOptions::new(binary, &data))?;
        seconds.push(server.ready_after.as_secs_f64());
    }
    report.figure(what, median(seconds), "s", Goal::AtMost(1.0));
    let server = ServerProcess::start(ServerOptions::new(binary, &data))?;
    let (seconds, stored) = timed(|| sql::number(&mut server.client(), "select count(*) from tests"));
    ensure!(stored? == rows, "not all of them are there");
    report.figure("… and counting them", seconds, "s", Goal::None);
    let bytes = folder_bytes(&data)? as f64 / rows as f64;
    report.figure("… bytes of the folder a row", bytes, "B", Goal::None);
    Ok(())
}
