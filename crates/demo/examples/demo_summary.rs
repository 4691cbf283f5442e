//! Prints how large the default organisation is and how fast it is made.
#![allow(clippy::print_stdout, reason = "a program to be read on a terminal")]

use std::collections::BTreeMap;
use std::time::Instant;

use manometer_demo::{DemoOptions, OptionOutOfRange, Organisation};
use manometer_model::Timestamp;

fn main() -> Result<(), OptionOutOfRange> {
    let begun = Instant::now();
    let organisation = Organisation::new(DemoOptions::ending_at(Timestamp::from_seconds(1_795_241_600)))?;
    println!("planned in {:?}", begun.elapsed());
    let (uploads, runs) = (organisation.total_uploads(), organisation.total_runs());
    println!("expected: {uploads} uploads, {runs} runs, {} tests", organisation.total_tests());
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failures = 0_u64;
    let begun = Instant::now();
    for upload in organisation.uploads() {
        for record in &upload.records {
            *rows.entry(record.row().table_of().name).or_default() += 1;
        }
        upload.for_each_test(|test| {
            *rows.entry("tests").or_default() += 1;
            failures += u64::from(test.status.is_failure());
        });
    }
    println!("made in {:?}: {failures} failures, {rows:?}", begun.elapsed());
    Ok(())
}
