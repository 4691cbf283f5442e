//! Any names and sizes are the directory of a zip archive: never a panic, and no row that says what cannot be.
//!
//! A line is a file: its size in as many digits as it begins with, and its name behind them.
#![no_main]

use std::ops::ControlFlow;

use manometer_formats::measured::Measured;
use manometer_formats::sizes::wheel::Wheel;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut wheel = Wheel::new();
    for line in text.lines() {
        let name = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let size = line.strip_suffix(name).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        wheel.add_file(name, size);
    }
    let mut artifacts = 0;
    let mut sink = |row: &Measured<'_>| {
        assert!(matches!(row, Measured::Artifact(artifact) if !artifact.kind.is_empty()));
        artifacts += 1;
        ControlFlow::Continue(())
    };
    if let Some(summary) = wheel.finish(bytes.len() as u64, &mut sink) {
        assert_eq!(summary.artifacts, artifacts);
    }
});
