//! GitHub's `workflow_job` deliveries, signed, each answered when it is durable: beside Flask, SQLAlchemy and PostgreSQL.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_testkit::{ServerOptions, ServerProcess, sql};
use sha2::Sha256;

use super::Scene;
use crate::flask::FlaskReceiver;
use crate::http_load::{self, LoadPlan};
use crate::postgres::Postgres;
use crate::program;
use crate::report::{Goal, Report, note};
use manometer_bench_readers::figures::{median, percentile};

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(6);
/// Jobs of a round, each told by three deliveries; more than either side takes in a round.
const JOBS: u64 = 16_000;
const EVENTS: [&str; 3] = ["queued", "in-progress", "completed"];
const SECRET: &str = "a secret of this measurement";
/// Providers wait ten seconds at the most; ours are to be answered within one.
const GOAL_SLOWEST_MS: f64 = 1_000.0;

/// One side's figures of one round.
struct Round {
    per_second: f64,
    cpu_microseconds: f64,
    median_ms: f64,
    slowest_percent_ms: f64,
    acknowledged: u64,
}

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let payloads = payloads()?;
    let settings = folder.path().join("webhooks.toml");
    std::fs::write(&settings, "[[webhooks]]\nprovider = 'github'\nsecrets = ['env:BENCH_SECRET']\n")?;
    let options = ServerOptions::new(&binary, folder.path().join("data"))
        .variable("MANOMETER_CONFIG", &settings)
        .variable("BENCH_SECRET", SECRET);
    let server = ServerProcess::start(options)?;
    let postgres = Postgres::start(&scene.folder);
    let peer = postgres.as_ref().map_err(|error| anyhow::anyhow!("{error:#}")).and_then(|postgres| {
        FlaskReceiver::start(folder.path(), postgres, SECRET).map(|flask| (postgres, flask))
    });
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..scene.rounds {
        note(&format!("webhooks: round {}", round + 1));
        let requests = Arc::new(requests(&payloads, u64::from(round)));
        let used = || anyhow::Ok(server.usage()?.processor.as_secs_f64());
        ours.push(load(server.address(), &requests, &used)?);
        if let Ok((postgres, flask)) = &peer {
            let used = || anyhow::Ok(postgres.processor_seconds()? + flask.processor_seconds()?);
            theirs.push(load(flask.address(), &requests, &used)?);
        }
    }
    let acknowledged: u64 = ours.iter().map(|round| round.acknowledged).sum();
    let entered = "select count(*) from deliveries where source = 'github' and treatment = 'stored'";
    let stored = sql::number(&mut server.client(), entered)?;
    ensure!(stored == acknowledged, "{acknowledged} deliveries acknowledged, {stored} stored");

    type Line = (&'static str, fn(&Round) -> f64, &'static str);
    let lines: [Line; 3] = [
        (
            "workflow_job webhooks, verified and durable, 64 connections; peer: Flask, SQLAlchemy, PostgreSQL",
            |round| round.per_second,
            "deliveries/s",
        ),
        ("… processor time of the receiver (peer: with its database)", |round| round.cpu_microseconds, "µs"),
        ("… answered within, median", |round| round.median_ms, "ms"),
    ];
    let of = |rounds: &[Round], figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    for (what, figure, unit) in lines {
        match &peer {
            Ok(_) => report.ratio(what, of(&ours, figure), of(&theirs, figure), unit, Goal::None),
            Err(reason) => {
                report.figure(what, of(&ours, figure), unit, Goal::None);
                report.skipped(what, &format!("{reason:#}"));
            }
        }
    }
    let slowest: fn(&Round) -> f64 = |round| round.slowest_percent_ms;
    report.figure("… answered within, 99 of 100", of(&ours, slowest), "ms", Goal::AtMost(GOAL_SLOWEST_MS));
    if peer.is_ok() {
        report.figure("… the peer", of(&theirs, slowest), "ms", Goal::None);
    }
    Ok(())
}

/// The payloads of one job, as GitHub sends them, by event.
fn payloads() -> anyhow::Result<Vec<String>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/providers/tests/fixtures/github");
    EVENTS
        .iter()
        .map(|event| {
            let path = fixtures.join(format!("workflow-job-{event}.json"));
            std::fs::read_to_string(&path).with_context(|| format!("no payload {}", path.display()))
        })
        .collect()
}

/// Ready-made requests: first every job is queued, then every one begins, then every one ends. Each job has an identity
/// of its own, in place of the one in the payload.
fn requests(payloads: &[String], round: u64) -> Vec<Vec<u8>> {
    let number_after = |payload: &str, key: &str| {
        let (_, rest) = payload.split_once(key)?;
        Some(
            rest.chars()
                .skip_while(|letter| !letter.is_ascii_digit())
                .take_while(char::is_ascii_digit)
                .collect::<String>(),
        )
    };
    let mut requests = Vec::new();
    for (payload, position) in payloads.iter().zip(0_u64..) {
        let job = number_after(payload, "\"workflow_job\"").unwrap_or_default();
        let run = number_after(payload, "\"run_id\"").unwrap_or_default();
        for number in 0..JOBS {
            let identity = 70_000_000_000 + round * JOBS + number;
            let body = payload
                .replace(&job, &identity.to_string())
                .replace(&run, &(identity + 5_000_000_000).to_string());
            let headers = format!(
                "content-type: application/json\r\nx-github-event: workflow_job\r\nx-github-hook-id: 1\r\n\
                 x-github-delivery: {position}-{identity}\r\nx-hub-signature-256: sha256={}\r\n",
                signature(body.as_bytes())
            );
            requests.push(http_load::post("/webhooks/github", &headers, body.as_bytes()));
        }
    }
    requests
}

fn signature(body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else { return String::new() };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// One round against one receiver; `used` tells its processor seconds so far.
fn load(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    used: &dyn Fn() -> anyhow::Result<f64>,
) -> anyhow::Result<Round> {
    let ready_made = Arc::clone(requests);
    let make = move |number: u64, request: &mut Vec<u8>| {
        let found = usize::try_from(number).ok().and_then(|position| ready_made.get(position));
        found.map(|bytes| request.extend_from_slice(bytes)).is_some()
    };
    let before = used()?;
    let result =
        http_load::run(address, LoadPlan { connections: CONNECTIONS, longest: ROUND }, Arc::new(make))?;
    let seconds = used()? - before;
    let milliseconds = |share| percentile(&result.latencies, share).as_secs_f64() * 1_000.0;
    Ok(Round {
        per_second: result.rate(),
        cpu_microseconds: seconds * 1e6 / result.acknowledged.max(1) as f64,
        median_ms: milliseconds(0.5),
        slowest_percent_ms: milliseconds(0.99),
        acknowledged: result.acknowledged,
    })
}
