//! Any bytes are read as stats of webpack.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("webpack-stats", bytes));
