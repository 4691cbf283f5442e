//! SIGKILL at moments drawn from a fixed seed, while a child process commits, flushes and merges.
//!
//! The child writes a line for each acknowledgement; those lines say what must be there afterwards.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use manometer_store::{FlushPolicy, Outcome, Store, StoreOptions, check};

use crate::world::{delivery_of, info, numbers, open, options};

const CHILD_WRITES: &str = "MANOMETER_STORE_TEST_CHILD_WRITES";
const CHILD_BEGINS: &str = "MANOMETER_STORE_TEST_CHILD_BEGINS";
const ROWS: u64 = 20;
const WAITING: usize = 4;

/// Sends for ever, a few deliveries ahead of their answers; the small policy keeps flush and compaction busy.
fn write_until_killed(data: &Path, first: u64) {
    let flush = FlushPolicy { rows: 100, ..FlushPolicy::default() };
    let store = Store::open(StoreOptions { flush, ..StoreOptions::new(data) }).unwrap();
    let mut waiting = Vec::new();
    for delivery in first.. {
        let built = delivery_of(&store, info(&delivery.to_string()), delivery * ROWS..(delivery + 1) * ROWS);
        match store.submit(built) {
            Ok(pending) => waiting.push((delivery, pending)),
            Err(_overloaded) => std::thread::yield_now(),
        }
        if waiting.len() == WAITING {
            for (number, pending) in waiting.drain(..) {
                assert!(matches!(pending.wait(), Ok(Outcome::Committed(_) | Outcome::Known(_))));
                let mut out = std::io::stdout().lock();
                writeln!(out, "acknowledged {number}").unwrap();
                out.flush().unwrap();
            }
        }
    }
}

fn start_child(data: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::killed_at_any_moment_it_keeps_what_it_acknowledged", "--nocapture"])
        .env(CHILD_WRITES, data)
        .env(CHILD_BEGINS, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_acknowledged() {
    if let Some(data) = std::env::var_os(CHILD_WRITES) {
        let first = std::env::var(CHILD_BEGINS).unwrap().parse().unwrap();
        write_until_killed(data.as_ref(), first);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut first = 0;
    let mut seed = 20_261_121_u64;
    for round in 0..6 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let until = 1 + (seed >> 33) % 60;
        let mut child = start_child(folder.path(), first);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let answered =
            |line: &str| line.split_once("acknowledged ").map(|(_, number)| number.parse::<u64>().unwrap());
        let mut heard = 0;
        while heard < until {
            let line = lines.next().expect("the child goes on until it is killed").unwrap();
            if let Some(number) = answered(&line) {
                acknowledged.insert(number);
                heard += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still managed to say before the end counts too.
        for line in lines.map_while(Result::ok) {
            acknowledged.extend(answered(&line));
        }
        let store = open(folder.path());
        let found = numbers(&store.snapshot());
        assert!(found.windows(2).all(|pair| pair[0] != pair[1]), "round {round}: a row twice");
        let deliveries: BTreeSet<u64> = found.iter().map(|row| row / ROWS).collect();
        assert_eq!(found.len() as u64, deliveries.len() as u64 * ROWS, "round {round}: part of a delivery");
        let lost: Vec<_> = acknowledged.difference(&deliveries).collect();
        assert!(lost.is_empty(), "round {round}: acknowledged and lost: {lost:?}");
        let last = acknowledged.last().copied().unwrap_or(0);
        let unheard = deliveries.difference(&acknowledged).all(|number| *number <= last + 2 * WAITING as u64);
        assert!(unheard, "round {round}: deliveries nobody sent");
        first = last + 100;
        drop(store);
        assert!(check(folder.path(), &mut |_| {}).unwrap().is_sound());
    }
    let store = Store::open(options(folder.path())).unwrap();
    store.flush().unwrap();
    store.compact().unwrap();
    let deliveries: BTreeSet<u64> = numbers(&store.snapshot()).iter().map(|row| row / ROWS).collect();
    assert!(acknowledged.is_subset(&deliveries));
}
