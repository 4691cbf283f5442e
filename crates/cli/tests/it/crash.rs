//! SIGKILL at random moments under load. The clients' receipts are the oracle.
//!
//! `CRASH_SEED` chooses the deliveries and the moments, `CRASH_CYCLES` how often the server dies:
//! `CRASH_CYCLES=500 CRASH_SEED=7 cargo test -p manometer-cli --test it crash`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use manometer_testkit::process::command;
use manometer_testkit::{HttpClient, ServerOptions, ServerProcess};

use crate::oracle;
use crate::workload::{Mix, Sent};

const CLIENTS: u64 = 4;

/// A server that flushes and compacts all the time, so that it dies in the midst of both.
pub(crate) fn restless_server(data: &Path) -> ServerOptions {
    ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), data)
        .argument("--flush-rows=150")
        .argument("--flush-journal-bytes=32768")
        .argument("--flush-age-seconds=1")
}

/// `manometer store check` on a folder nobody has open.
pub(crate) fn store_check(data: &Path) {
    let mut check = command(Path::new(env!("CARGO_BIN_EXE_manometer")));
    let checked = check.args(["store", "check", "--data"]).arg(data).output().unwrap();
    let printed = [checked.stdout, checked.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(checked.status.success(), "store check: {}\n{}", checked.status, printed.join("\n"));
}

/// Parquet files below a folder.
pub(crate) fn segment_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| match path.is_dir() {
            true => segment_files(&path),
            false => usize::from(path.extension().is_some_and(|extension| extension == "parquet")),
        })
        .sum()
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

#[test]
fn every_acknowledged_record_survives_kills_at_random_moments_exactly_once() {
    let seed = from_environment("CRASH_SEED", 20_260_301);
    let cycles = from_environment("CRASH_CYCLES", 8);
    let replay = format!("replay with CRASH_SEED={seed} CRASH_CYCLES={cycles}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut sent: Vec<Sent> = Vec::new();
    let mut lost_answers = 0;

    let mut server = ServerProcess::start(restless_server(&data)).unwrap();
    for cycle in 0..cycles {
        sent.extend(load_and_kill(&mut server, cycle, &mut chance));
        lost_answers += sent.iter().filter(|delivery| !delivery.is_acknowledged()).count();
        server = server.start_again().unwrap_or_else(|error| panic!("cycle {cycle}: {error}; {replay}"));
        let mut client = server.client();
        oracle::check(&mut client, &sent, &format!("after the kill of cycle {cycle}, {replay}"));
        oracle::resend(&mut client, &mut sent, &replay);
        oracle::check(&mut client, &sent, &format!("all sent again in cycle {cycle}, {replay}"));
    }

    server.kill().unwrap();
    store_check(&data);
    assert!(lost_answers > 0, "no kill ever hit a delivery in flight: the test tests nothing; {replay}");
    assert!(segment_files(&data.join("segments")) > 0, "nothing was ever flushed; {replay}");
}

/// Loads the server from several clients and kills it after a random number of receipts, at a random moment.
fn load_and_kill(server: &mut ServerProcess, cycle: u64, chance: &mut fastrand::Rng) -> Vec<Sent> {
    let receipts = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let enough = chance.u64(20..150);
    let pause = Duration::from_micros(chance.u64(..20_000));
    let mixes: Vec<Mix> = (0..CLIENTS)
        .map(|client| {
            Mix::new(format!("c{cycle}-t{client}"), (cycle * CLIENTS + client) << 20, chance.u64(..))
        })
        .collect();
    std::thread::scope(|scope| {
        let clients: Vec<_> = mixes
            .into_iter()
            .map(|mix| {
                let connection = server.client();
                scope.spawn(|| send_until(connection, mix, &receipts, &is_over))
            })
            .collect();
        while receipts.load(Ordering::Relaxed) < enough && clients.iter().any(|client| !client.is_finished())
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A kill right behind a receipt would always meet the same phase of the next commit.
        std::thread::sleep(pause);
        server.kill().unwrap();
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Sends until the server is gone; now and then a delivery it has a receipt of.
fn send_until(mut client: HttpClient, mut mix: Mix, receipts: &AtomicU64, is_over: &AtomicBool) -> Vec<Sent> {
    let mut sent: Vec<Sent> = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let mut delivery = mix.next();
        let outcome = delivery.send(&mut client);
        sent.push(delivery);
        match outcome {
            Ok(response) if matches!(response.status, 200 | 201) => receipts.fetch_add(1, Ordering::Relaxed),
            // Flushes lag behind: it says when to come again, and the delivery is sent again after the kill.
            Ok(response) if response.header("retry-after").is_some() => receipts.load(Ordering::Relaxed),
            Ok(response) => panic!("refused with {}: {}", response.status, response.text()),
            Err(_) => break,
        };
        let count = sent.len();
        if count.is_multiple_of(16) && sent[count / 2].is_acknowledged() {
            match sent[count / 2].send(&mut client) {
                Ok(response) if response.header("retry-after").is_some() => {}
                Ok(response) => assert_eq!(response.status, 208, "{}", response.text()),
                Err(_) => break,
            }
        }
    }
    sent
}
