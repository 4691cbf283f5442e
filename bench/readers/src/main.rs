//! What the readers alone take, without the server around them.
//!
//! ```text
//! cargo run --release -p manometer-bench-readers -- junit [FILE]   rate beside quick-xml alone; of a made-up report
//!                                                                  of 74 MB, or of a file
//! cargo run --release -p manometer-bench-readers -- write FILE     that report, for a peer to read
//! cargo run --release -p manometer-bench-readers -- memory         peak memory for inputs made to exhaust it
//! cargo run --release -p manometer-bench-readers -- ours|bare      one small report once, for valgrind
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the product of this program")]

use anyhow::{Context as _, bail};
use manometer_bench_readers::{JunitDocument, hostile, reading};

const ROUNDS: u32 = 9;
const TESTS: u64 = 560_000;
const FEW_TESTS: u64 = 20_000;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["junit"] => compare(&made_up(TESTS)),
        ["junit", file] => compare(&std::fs::read(file).with_context(|| format!("failed to read {file}"))?),
        ["write", file] => {
            std::fs::write(file, made_up(TESTS)).with_context(|| format!("failed to write {file}"))
        }
        ["memory"] => memory(),
        ["read", name] => read(name),
        ["ours"] => reading::with_ours(&made_up(FEW_TESTS)).map(drop),
        ["bare"] => reading::with_quick_xml_alone(&made_up(FEW_TESTS)).map(drop),
        _ => bail!("expected `junit`, `junit FILE`, `write FILE`, `memory`, `ours` or `bare`"),
    }
}

fn made_up(tests: u64) -> Vec<u8> {
    JunitDocument { tests, service: 0, run: 1 }.bytes()
}

fn compare(report: &[u8]) -> anyhow::Result<()> {
    let rates = reading::compare(report, ROUNDS)?;
    let tests_per_megabyte = rates.tests as f64 / report.len() as f64 * 1e6;
    println!("ours            {:6.0} MB/s  {:9.0} tests/s", rates.ours, rates.ours * tests_per_megabyte);
    println!("into records                 {:9.0} tests/s", reading::into_records(report, ROUNDS)?);
    println!("quick-xml alone {:6.0} MB/s", rates.quick_xml_alone);
    println!("ratio           {:6.2}       (at least 0.50)", rates.ours / rates.quick_xml_alone);
    Ok(())
}

fn memory() -> anyhow::Result<()> {
    println!("| input | tests read | peak memory | processor |\n|---|--:|--:|--:|");
    for input in hostile::ALL {
        let taken = input.read_apart()?;
        println!(
            "| {} | {} | {:.1} MiB | {:.2} s |",
            input.what,
            taken.tests,
            taken.peak_bytes as f64 / 1024.0 / 1024.0,
            taken.processor_seconds
        );
    }
    Ok(())
}

/// Reads one hostile input and prints what that took, for [`hostile::Hostile::read_apart`].
fn read(name: &str) -> anyhow::Result<()> {
    let input = hostile::ALL.iter().find(|input| input.name == name);
    let taken = input.with_context(|| format!("no hostile input is called {name}"))?.read()?;
    println!("{} {} {}", taken.tests, taken.peak_bytes, taken.processor_seconds);
    Ok(())
}
