//! Durable test results, end to end: gzip JUnit over HTTP, parsed, fsynced, acknowledged. Beside PostgreSQL, which is
//! given the same rows ready-made.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use flate2::Compression;
use flate2::write::GzEncoder;
use manometer_testkit::{ServerOptions, ServerProcess, sql, usage};

use super::Scene;
use crate::folder_size::folder_bytes;
use crate::http_load::{self, LoadPlan};
use crate::postgres::Postgres;
use crate::postgres_tests::{self, Way};
use crate::program;
use crate::report::{Goal, Report, note};
use manometer_bench_readers::figures::{median, timed};
use manometer_bench_readers::{JunitDocument, area};

const CONNECTIONS: usize = 8;
/// Tests of the uploads of one round, over and over: small services and large ones.
const SIZES: [u64; 4] = [2_000, 5_000, 10_000, 20_000];
pub(super) const UPLOADS: u64 = 400;
/// Each way into PostgreSQL gets fewer uploads of the same kind: it takes longer a row.
const PEER_UPLOADS: u64 = 40;
const PEER_CONNECTIONS: usize = 4;
const LEAST_ROWS_PER_SECOND: f64 = 400_000.0;

pub(crate) fn document(round: u32, upload: u64) -> JunitDocument {
    let size = SIZES[usize::try_from(upload).unwrap_or(0) % SIZES.len()];
    JunitDocument { tests: size, service: upload % 24, run: u64::from(round) << 20 | upload }
}

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let data = folder.path().join("data");
    let server = ServerProcess::start(ServerOptions::new(&binary, &data))?;
    let mut rates = Vec::new();
    let mut client_seconds = 0.0;
    let mut server_seconds = 0.0;
    let mut rows = 0;
    for round in 0..scene.rounds {
        let uploads = prepare(round);
        let tests: u64 = (0..UPLOADS).map(|upload| document(round, upload).tests).sum();
        let before = (usage::of_this_process()?.processor, server.usage()?.processor);
        let seconds = send(&server, uploads)?;
        client_seconds += (usage::of_this_process()?.processor - before.0).as_secs_f64();
        server_seconds += (server.usage()?.processor - before.1).as_secs_f64();
        rates.push(tests as f64 / seconds);
        rows += tests;
        note(&format!("ingest: round {}: {:.0} rows/s", round + 1, tests as f64 / seconds));
    }
    let stored = sql::number(&mut server.client(), "select count(*) from tests")?;
    ensure!(stored == rows, "{rows} test results acknowledged, {stored} stored");
    let per_million = 1e6 / rows as f64;
    let ours = median(rates);
    report.figure("durable test results over HTTP", ours, "rows/s", Goal::AtLeast(LEAST_ROWS_PER_SECOND));
    report.figure(
        "… processor time of the server",
        server_seconds * per_million,
        "s/million rows",
        Goal::None,
    );
    report.figure(
        "… processor time of the load client",
        client_seconds * per_million,
        "s/million rows",
        Goal::None,
    );
    let peak = server.usage()?.peak_resident_bytes as f64 / f64::from(1 << 20);
    report.figure("… peak resident memory of the server", peak, "MiB", Goal::None);
    report.figure(
        "… bytes on disk a row, before compaction",
        folder_bytes(&data)? as f64 / rows as f64,
        "B",
        Goal::None,
    );
    drop(server);
    beside_postgres(scene, ours, report)
}

/// The uploads of a round as requests, packed beforehand: clients have their own processors in life.
pub(super) fn prepare(round: u32) -> Vec<Vec<u8>> {
    let half =
        |odd: u64| move || (0..UPLOADS / 2).map(|pair| request(round, pair * 2 + odd)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let second = scope.spawn(half(1));
        let mut uploads = half(0)();
        uploads.extend(second.join().unwrap_or_default());
        uploads
    })
}

fn request(round: u32, upload: u64) -> Vec<u8> {
    let document = document(round, upload);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let packed = gzip.write_all(&document.bytes()).and_then(|()| gzip.finish()).unwrap_or_default();
    let path = format!(
        "/api/v1/reports?provider=github&project=github.com/acme/{area}&service={area}-{service}&pipeline=ci&\
         run_id={run}&branch=main&commit_sha={run:040x}&trigger=push&is_default_branch=true",
        area = area(document.service),
        service = document.service,
        run = document.run,
    );
    http_load::post(&path, "content-type: application/xml\r\ncontent-encoding: gzip\r\n", &packed)
}

pub(super) fn send(server: &ServerProcess, uploads: Vec<Vec<u8>>) -> anyhow::Result<f64> {
    let count = uploads.len() as u64;
    let make = move |number: u64, request: &mut Vec<u8>| match uploads
        .get(usize::try_from(number).unwrap_or(usize::MAX))
    {
        Some(upload) => {
            request.extend_from_slice(upload);
            true
        }
        None => false,
    };
    let plan = LoadPlan { connections: CONNECTIONS, longest: Duration::from_secs(600) };
    let result = http_load::run(server.address(), plan, Arc::new(make))?;
    if result.refused > 0 {
        note(&format!(
            "ingest: {} uploads were told to come again later: flushes lag behind",
            result.refused
        ));
    }
    ensure!(result.acknowledged == count, "{} of {count} uploads were acknowledged", result.acknowledged);
    Ok(result.elapsed.as_secs_f64())
}

fn beside_postgres(scene: &Scene, ours: f64, report: &mut Report) -> anyhow::Result<()> {
    let ways = [
        (Way::Copy, "durable test results; peer: PostgreSQL COPY, no index, no parsing, no HTTP"),
        (
            Way::InsertOnce,
            "durable test results; peer: PostgreSQL INSERT … ON CONFLICT, 1,000 rows each, no parsing",
        ),
    ];
    let postgres = match Postgres::start(&scene.folder) {
        Ok(postgres) => postgres,
        Err(reason) => {
            ways.iter().for_each(|(_, what)| report.skipped(*what, &format!("{reason:#}")));
            return Ok(());
        }
    };
    for (way, what) in ways {
        let mut rates = Vec::new();
        let mut rows_sent = 0;
        let mut processor_seconds = 0.0;
        for round in 0..scene.rounds.min(3) {
            postgres_tests::make_table(&postgres, way)?;
            let uploads: Vec<JunitDocument> =
                (0..PEER_UPLOADS).map(|upload| document(round, upload)).collect();
            let rows: u64 = uploads.iter().map(|upload| upload.tests).sum();
            let scripts = postgres_tests::scripts(&postgres, way, &uploads, PEER_CONNECTIONS)?;
            let before = postgres.processor_seconds()?;
            let (seconds, done) = timed(|| postgres.run_scripts(&scripts));
            done?;
            processor_seconds += postgres.processor_seconds()? - before;
            rows_sent += rows;
            let stored: u64 = postgres.sql("SELECT count(*) FROM tests")?.parse()?;
            ensure!(stored == rows, "PostgreSQL holds {stored} of {rows} rows");
            rates.push(rows as f64 / seconds);
        }
        report.ratio(what, ours, median(rates), "rows/s", Goal::None);
        let per_million = processor_seconds * 1e6 / rows_sent as f64;
        report.figure("… its processor time", per_million, "s/million rows", Goal::None);
        report.figure(
            "… its bytes on disk a row",
            postgres_tests::bytes_per_row(&postgres)?,
            "B",
            Goal::None,
        );
    }
    Ok(())
}
