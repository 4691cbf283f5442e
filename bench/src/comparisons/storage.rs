//! What a stored test result costs, and how long a server takes to start with many of them or after a crash.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use manometer_formats::junit;
use manometer_model::records::{TESTS, Test};
use manometer_model::{Limits, Problems, Row as _, Timestamp};
use manometer_store::{DeliveryInfo, DeliveryKey, FlushPolicy, Outcome, Store, StoreOptions};
use manometer_testkit::{ServerOptions, ServerProcess, sql};

use super::Scene;
use crate::figures::{median, timed};
use crate::folder_size::folder_bytes;
use crate::junit_document::{self, JunitDocument};
use crate::program;
use crate::report::{Goal, Report, note};

const DEMO_TESTS: u64 = 2_000_000;
const MANY: u64 = 100_000_000;
const JOURNAL_BYTES: u64 = 256 << 20;
/// Rows of one delivery while filling: more than the store keeps in its journal, so they go to segments at once.
const ROWS_PER_DELIVERY: u64 = 1_000_000;
const SERVICES: u64 = 12;
const FILLERS: usize = 2;

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

fn start_with_many(scene: &Scene, binary: &Path, what: &str, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let data = folder.path().join("data");
    note("storage: filling 100 million test results");
    let (seconds, filled) = timed(|| fill(&data));
    filled?;
    note(&format!("storage: filled in {seconds:.0} s"));
    let mut seconds = Vec::new();
    for _ in 0..scene.rounds {
        let server = ServerProcess::start(ServerOptions::new(binary, &data))?;
        seconds.push(server.ready_after.as_secs_f64());
    }
    report.figure(what, median(seconds), "s", Goal::AtMost(1.0));
    let server = ServerProcess::start(ServerOptions::new(binary, &data))?;
    let (seconds, stored) = timed(|| sql::number(&mut server.client(), "select count(*) from tests"));
    ensure!(stored? == MANY, "not all of them are there");
    report.figure("… and counting them", seconds, "s", Goal::None);
    let bytes = folder_bytes(&data)? as f64 / MANY as f64;
    report.figure("… bytes of the folder a row", bytes, "B", Goal::None);
    Ok(())
}

/// The same company for 100 days, a million test results each, through the store's own door.
fn fill(data: &Path) -> anyhow::Result<()> {
    let mut options = StoreOptions::new(data);
    options.flush = FlushPolicy { background: false, ..FlushPolicy::default() };
    let store = Store::open(options)?;
    let mut suites: Vec<Vec<Test>> = Vec::new();
    for service in 0..SERVICES {
        let document = JunitDocument { tests: 20_000, service, run: 1 }.bytes();
        suites.push(junit::read_to_vec(&mut document.as_slice(), &Limits::default())?.0);
    }
    let first_day = Timestamp::from_seconds(1_767_225_600);
    let next = AtomicU64::new(0);
    // While one sorts a day, the others make up theirs.
    let fill_days = &|| -> anyhow::Result<()> {
        loop {
            let day = next.fetch_add(1, Ordering::Relaxed);
            if day >= MANY / ROWS_PER_DELIVERY {
                return Ok(());
            }
            fill_day(&store, day, first_day.plus_seconds(day as f64 * 86_400.0), &suites)?;
            if day % 10 == 9 {
                note(&format!("storage: {} million", (day + 1) * ROWS_PER_DELIVERY / 1_000_000));
            }
        }
    };
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let fillers: Vec<_> = (0..FILLERS).map(|_| scope.spawn(fill_days)).collect();
        for filler in fillers {
            filler.join().map_err(|_| anyhow::anyhow!("a filler panicked"))??;
        }
        Ok(())
    })?;
    store.flush()?;
    store.close();
    Ok(())
}

fn fill_day(store: &Store, day: u64, midnight: Timestamp, suites: &[Vec<Test>]) -> anyhow::Result<()> {
    let mut chance = fastrand::Rng::with_seed(day);
    let mut writer = store.writer();
    let mut run = 0;
    while writer.rows() < ROWS_PER_DELIVERY {
        let service = run % SERVICES;
        let suite = suites.get(usize::try_from(service)?).context("no such service")?;
        let begun = midnight.plus_seconds(run as f64 * 1_200.0);
        let mut row = Test {
            provider: "github".to_owned(),
            project: format!("github.com/acme/{}", junit_document::area(service)),
            service: Some(format!("{}-{service}", junit_document::area(service))),
            pipeline: Some("ci".to_owned()),
            run_id: format!("{day}{run:04}"),
            branch: Some("main".to_owned()),
            ..Test::default()
        };
        let context = row.clone();
        for (second, test) in suite.iter().enumerate() {
            row.clone_from(test);
            row.provider.clone_from(&context.provider);
            row.project.clone_from(&context.project);
            row.service.clone_from(&context.service);
            row.pipeline.clone_from(&context.pipeline);
            row.run_id.clone_from(&context.run_id);
            row.branch.clone_from(&context.branch);
            row.duration_seconds = Some((chance.f64() * 1_000.0).round() / 1_000.0);
            row.at = begun.plus_seconds(second as f64 * 0.01);
            writer.append(&TESTS, &row.values())?;
        }
        run += 1;
    }
    let key = DeliveryKey { scope: "bench".to_owned(), key: day.to_string() };
    let delivery = writer.finish(DeliveryInfo {
        key,
        body_hash: u128::from(day),
        source: "bench".to_owned(),
        kind: "junit".to_owned(),
        project: None,
        received_at: midnight,
        size_bytes: 0,
        problems: Problems::new(),
        permanent: true,
    })?;
    let outcome = store.submit(delivery)?.wait()?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "day {day} was there already");
    Ok(())
}
