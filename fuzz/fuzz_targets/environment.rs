//! Any variables are the environment of a running job, and any file the event that they name: never a panic, and the
//! same is detected twice.
//!
//! Each line before the first blank one is `NAME=value`; what comes after it is what every named file holds.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use manometer_providers::ServiceRules;
use manometer_providers::environment::{GitFacts, ReadFile, Surroundings, detect};

/// The same content behind every path.
#[derive(Debug)]
struct OneFile<'a>(&'a [u8]);

impl ReadFile for OneFile<'_> {
    fn read(&self, _: &Path, most_bytes: u64) -> Option<Vec<u8>> {
        (self.0.len() as u64 <= most_bytes).then(|| self.0.to_vec())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let blank = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (lines, content) = bytes.split_at(blank.unwrap_or(bytes.len()));
    let lines = String::from_utf8_lossy(lines);
    let around = Surroundings {
        variables: lines
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        files: &OneFile(content),
        git: GitFacts::default(),
        working_folder: None,
        os: "linux",
        arch: "x86_64",
    };
    let rules = ServiceRules::default();
    let context = detect(&around, &rules);
    assert!(context.told.values().all(|told| !told.value.is_empty()), "{context:?}");
    assert_eq!(context, detect(&around, &rules));
});
