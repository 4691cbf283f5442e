//! Small durable requests: one run record each, 64 connections, beside PostgreSQL on the same disk.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use manometer_testkit::{ServerOptions, ServerProcess, sql};

use super::Scene;
use crate::http_load::{self, LoadPlan};
use crate::postgres::{Postgres, finish};
use crate::program;
use crate::report::{Goal, Report, note};
use manometer_bench_readers::figures::{median, percentile};

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(5);
const GOAL_PER_SECOND: f64 = 10_000.0;

const TABLE: &str = "
    CREATE TABLE runs (
        provider text, project text, service text, pipeline text, run_id text, attempt bigint, branch text,
        commit_sha text, trigger text, status text, conclusion text, queued_at timestamptz, started_at timestamptz,
        finished_at timestamptz, duration_seconds double precision,
        PRIMARY KEY (provider, project, run_id, attempt))";

const SCRIPT: &str = "\\set id random(1, 9000000000000000)
INSERT INTO runs VALUES ('github', 'github.com/acme/shop', 'payments', 'ci', :id::text, 1, 'main', \
'9fceb02d0ae598e95dc970b74767f19372d61af8', 'push', 'completed', 'success', '2026-03-01T12:00:00Z', \
'2026-03-01T12:00:05Z', '2026-03-01T12:04:00Z', 235) ON CONFLICT DO NOTHING;
";

/// A line of the report: what, which figure, in which unit.
type Line = (&'static str, fn(&Round) -> f64, &'static str);

/// One side's figures of one round.
struct Round {
    per_second: f64,
    median_ms: f64,
    slowest_percent_ms: f64,
}

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let binary = program::binary(scene)?;
    let folder = tempfile::tempdir_in(&scene.folder)?;
    let postgres = Postgres::start(&scene.folder);
    if let Ok(postgres) = &postgres {
        postgres.sql(TABLE)?;
    }
    let server = ServerProcess::start(ServerOptions::new(&binary, folder.path().join("data")))?;
    let mut ours = Vec::new();
    let mut peers = Vec::new();
    let mut acknowledged = 0;
    for round in 0..scene.rounds {
        note(&format!("requests: round {}", round + 1));
        let (figures, count) = ours_once(&server, round)?;
        ours.push(figures);
        acknowledged += count;
        if let Ok(postgres) = &postgres {
            peers.push(postgres_once(postgres)?);
        }
    }
    let stored = sql::number(&mut server.client(), "select count(*) from runs")?;
    ensure!(stored == acknowledged, "{acknowledged} runs acknowledged, {stored} stored");

    let of = |rounds: &[Round], figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let per_second = of(&ours, |round| round.per_second);
    report.figure(
        "small durable requests, 64 connections",
        per_second,
        "requests/s",
        Goal::AtLeast(GOAL_PER_SECOND),
    );
    let lines: [Line; 3] = [
        (
            "small durable requests; peer: PostgreSQL INSERT … ON CONFLICT",
            |round| round.per_second,
            "requests/s",
        ),
        ("… answered within, median", |round| round.median_ms, "ms"),
        ("… answered within, 99 of 100", |round| round.slowest_percent_ms, "ms"),
    ];
    for (what, figure, unit) in lines {
        match &postgres {
            Ok(_) => report.ratio(what, of(&ours, figure), of(&peers, figure), unit, Goal::None),
            Err(reason) => report.skipped(what, &format!("{reason:#}")),
        }
    }
    Ok(())
}

fn ours_once(server: &ServerProcess, round: u32) -> anyhow::Result<(Round, u64)> {
    let make = move |number: u64, request: &mut Vec<u8>| {
        let body = format!(
            r#"{{"type":"run","provider":"github","project":"github.com/acme/shop","service":"payments","pipeline":"ci","run_id":"{round}-{number}","attempt":1,"branch":"main","commit_sha":"9fceb02d0ae598e95dc970b74767f19372d61af8","trigger":"push","status":"completed","conclusion":"success","queued_at":"2026-03-01T12:00:00Z","started_at":"2026-03-01T12:00:05Z","finished_at":"2026-03-01T12:04:00Z"}}"#
        );
        request.extend(http_load::post(
            "/api/v1/records",
            "content-type: application/x-ndjson\r\n",
            body.as_bytes(),
        ));
        true
    };
    let plan = LoadPlan { connections: CONNECTIONS, longest: ROUND };
    let result = http_load::run(server.address(), plan, Arc::new(make))?;
    let milliseconds = |share| percentile(&result.latencies, share).as_secs_f64() * 1_000.0;
    let round = Round {
        per_second: result.rate(),
        median_ms: milliseconds(0.5),
        slowest_percent_ms: milliseconds(0.99),
    };
    Ok((round, result.acknowledged))
}

fn postgres_once(postgres: &Postgres) -> anyhow::Result<Round> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("insert.sql");
    std::fs::write(&script, SCRIPT)?;
    let mut pgbench = postgres.client("pgbench");
    pgbench.args(["--no-vacuum", "--protocol=prepared", "--log", "--log-prefix=latency"]);
    pgbench.args([
        "--client",
        &CONNECTIONS.to_string(),
        "--jobs",
        "2",
        "--time",
        &ROUND.as_secs().to_string(),
    ]);
    let mut file_argument = String::from("--file=");
    write!(file_argument, "{}", script.display())?;
    let printed = finish(pgbench.arg(file_argument).arg("postgres").current_dir(folder.path()))?;
    let per_second = printed
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok())
        .with_context(|| format!("pgbench printed no rate: {printed}"))?;
    let latencies = logged_latencies(folder.path())?;
    let milliseconds = |share| percentile(&latencies, share).as_secs_f64() * 1_000.0;
    Ok(Round { per_second, median_ms: milliseconds(0.5), slowest_percent_ms: milliseconds(0.99) })
}

/// The third field of each line of pgbench's logs: microseconds.
fn logged_latencies(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("latency")) {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            let field = line.split(' ').nth(2).context("a log of pgbench without latency")?;
            latencies.push(Duration::from_micros(field.parse()?));
        }
    }
    latencies.sort();
    Ok(latencies)
}
