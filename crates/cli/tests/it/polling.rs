//! A real server polls providers that misbehave, and is killed in the midst of it: at the end every run is there, once.

use std::path::Path;
use std::time::{Duration, Instant};

use manometer_model::{Clock as _, SystemClock};
use manometer_testkit::fake::{Dialect, FakeProvider, JOBS};
use manometer_testkit::process::command;
use manometer_testkit::{HttpClient, ServerOptions, ServerProcess, sql};
use serde_json::Value;

use crate::crash::store_check;

/// Runs there are at the beginning, and that begin while pages are read.
const RUNS: u64 = 32;
const TO_COME: u64 = 9;
/// How long everything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(240);
const GLANCE: Duration = Duration::from_millis(50);

/// Seconds since 1970: the server is a process of its own, with the system's clock.
fn now() -> i64 {
    SystemClock.now().as_micros() / 1_000_000
}

fn providers(to_come: u64) -> Vec<FakeProvider> {
    Dialect::ALL.map(|dialect| FakeProvider::start(dialect, now(), RUNS, to_come).unwrap()).into()
}

/// Settings that poll them every second.
fn settings(folder: &Path, providers: &[FakeProvider]) -> std::path::PathBuf {
    let entry = |provider: &FakeProvider| {
        let what = match provider.dialect() {
            Dialect::GitHub | Dialect::GitLab => "projects = ['acme/shop']\ntoken = 'env:POLL_TOKEN'\n",
            Dialect::Jenkins => "user = 'ada'\ntoken = 'env:POLL_TOKEN'\n",
            Dialect::TeamCity => "token = 'env:POLL_TOKEN'\n",
        };
        format!(
            "[[poll]]\nprovider = '{}'\nurl = '{}'\n{what}requests_per_hour = 100000\ninterval_seconds = 1\n\
             retry_seconds = 1\ntimeout_seconds = 1\n",
            provider.dialect().name(),
            provider.base()
        )
    };
    let path = folder.join("polling.toml");
    std::fs::write(&path, providers.iter().map(entry).collect::<String>()).unwrap();
    path
}

fn server(folder: &Path, settings: &Path) -> ServerOptions {
    ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), folder.join("data"))
        .argument("--flush-rows=20")
        .argument("--flush-age-seconds=1")
        .variable("MANOMETER_CONFIG", settings)
        .variable("POLL_TOKEN", "a token of some length")
        .variable("MANOMETER_LOG", "manometer_server=info")
}

fn polls(client: &mut HttpClient) -> Vec<Value> {
    client.get("/api/v1/polls").unwrap().json().unwrap()["polls"].as_array().unwrap().clone()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(GLANCE);
    }
}

fn count(client: &mut HttpClient, question: &str) -> u64 {
    sql::rows(client, question).unwrap()[0][0].as_u64().unwrap()
}

/// Everything a provider has is stored, each once: runs and jobs by their keys, and steps, which are no entities.
fn is_complete(client: &mut HttpClient, provider: &FakeProvider) -> bool {
    let name = provider.dialect().name();
    let of = |table: &str| format!("select count(*) from {table} where provider = '{name}'");
    count(client, &of("runs")) == provider.runs() && count(client, &of("jobs")) >= provider.runs()
}

fn assert_everything_is_there_once(client: &mut HttpClient, provider: &FakeProvider) {
    let name = provider.dialect().name();
    let runs = provider.runs();
    let one = |client: &mut HttpClient, question: String| count(client, &question);
    let table = |table: &str| format!("select count(*) from {table} where provider = '{name}'");
    assert_eq!(one(client, table("runs")), runs, "{name}: runs");
    let ended = format!("{} and status = 'completed' and conclusion = 'success'", table("runs"));
    assert_eq!(one(client, ended), runs, "{name}: runs that ended");
    let jobs = match provider.dialect() {
        Dialect::GitHub | Dialect::GitLab => runs * JOBS,
        Dialect::Jenkins | Dialect::TeamCity => runs,
    };
    assert_eq!(one(client, table("jobs")), jobs, "{name}: jobs");
    if provider.dialect() == Dialect::GitHub {
        assert_eq!(one(client, table("steps")), jobs, "{name}: each job has one step, stored once");
        assert_eq!(one(client, table("caches")), 1, "{name}: caches");
    }
    assert_eq!(one(client, table("runners")), 1, "{name}: runners");
}

#[test]
fn runs_of_providers_that_misbehave_are_there_once_after_kills_in_the_midst() {
    let folder = tempfile::tempdir().unwrap();
    let providers = providers(TO_COME);
    let settings = settings(folder.path(), &providers);
    let mut process = ServerProcess::start(server(folder.path(), &settings)).unwrap();
    for cycle in 1..=3 {
        let asked: Vec<u64> = providers.iter().map(FakeProvider::requests).collect();
        let everybody_was_asked = || {
            providers
                .iter()
                .zip(&asked)
                .all(|(provider, before)| provider.requests() >= before + 2 + cycle * 3)
        };
        wait_until("every provider is asked", everybody_was_asked);
        process.kill().unwrap();
        process = process.start_again().unwrap();
    }
    let mut client = process.client();
    for provider in &providers {
        wait_until("everything began and is stored", || {
            provider.to_come() == 0 && is_complete(&mut client, provider)
        });
    }
    // A sweep that began when all was there changes nothing.
    let swept = |client: &mut HttpClient| -> Vec<String> {
        polls(client).iter().map(|poll| poll["last_sweep_at"].to_string()).collect()
    };
    let before = swept(&mut client);
    wait_until("every poll swept once more", || {
        swept(&mut client).iter().zip(&before).all(|(now, before)| now != "null" && now != before)
    });
    for provider in &providers {
        assert_everything_is_there_once(&mut client, provider);
        assert!(provider.troubles() > 0, "{:?} made no trouble: the test tests nothing", provider.dialect());
    }
    for poll in polls(&mut client) {
        assert!(poll["runs"].as_u64().unwrap() > 0 || poll["last_sweep_at"].is_string(), "{poll}");
    }
    let metrics = client.get("/metrics").unwrap().text();
    for expected in [
        "manometer_poll_runs_total{poll=\"github/127.0.0.1:",
        "manometer_poll_budget_left{api=\"http://127.0.0.1:",
    ] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    process.kill().unwrap();
    store_check(&folder.path().join("data"));

    // The folder tells it without a server.
    let mut status = command(Path::new(env!("CARGO_BIN_EXE_manometer")));
    let told =
        status.args(["poll", "status", "--json", "--data"]).arg(folder.path().join("data")).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told.as_array().unwrap().len(), providers.len(), "{told}");
    assert!(!told.to_string().contains("a token of some length"));
}

#[test]
fn a_backfill_that_is_killed_goes_on_where_it_stood_and_stores_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let provider = FakeProvider::start(Dialect::GitHub, now(), RUNS, 0).unwrap();
    let backfill = || {
        let mut backfill = command(Path::new(env!("CARGO_BIN_EXE_manometer")));
        backfill
            .args(["backfill", "github", "acme/shop", "--since", "2d", "--requests-per-hour", "100000"])
            .args(["--url", &provider.base(), "--token-from", "env:POLL_TOKEN", "--data"])
            .arg(&data)
            .env("POLL_TOKEN", "a token of some length");
        backfill
    };
    let mut first = backfill().spawn().unwrap();
    wait_until("some runs were fetched", || provider.requests() > 12);
    first.kill().unwrap();
    first.wait().unwrap();
    let done = backfill().output().unwrap();
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(printed.contains("complete"), "{printed}");

    let process = ServerProcess::start(ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), &data)).unwrap();
    assert_everything_is_there_once(&mut process.client(), &provider);
}

#[test]
fn a_server_is_asked_for_history_and_watched_until_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let provider = [FakeProvider::start(Dialect::GitLab, now(), RUNS, 0).unwrap()];
    let settings = settings(folder.path(), &provider);
    let process = ServerProcess::start(server(folder.path(), &settings)).unwrap();
    let address = format!("http://{}", process.address());
    let call = |arguments: &[&str]| {
        let mut call = command(Path::new(env!("CARGO_BIN_EXE_manometer")));
        call.current_dir(folder.path()).args(arguments).args(["--server", &address]).output().unwrap()
    };
    let done = call(&["backfill", "gitlab", "--since", "10d"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("complete"));
    let mut client = process.client();
    assert_everything_is_there_once(&mut client, &provider[0]);
    let state = &polls(&mut client)[0];
    assert!(state["backfill"]["finished_at"].is_string(), "{state}");

    let unknown = call(&["backfill", "gitlab", "acme/other", "--since", "10d"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("[[poll]]"));
    let future = call(&["backfill", "gitlab", "--since", "2200-01-01"]);
    assert_eq!(future.status.code(), Some(2));
}
