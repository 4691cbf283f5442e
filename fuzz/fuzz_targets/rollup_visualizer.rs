//! Any bytes are read as data of rollup-plugin-visualizer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("rollup-visualizer", bytes));
