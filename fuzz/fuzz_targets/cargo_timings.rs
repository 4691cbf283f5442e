//! Any bytes are read as a timing page of Cargo.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("cargo-timings", bytes));
