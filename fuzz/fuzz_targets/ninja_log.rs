//! Any bytes are read as a log of Ninja.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("ninja-log", bytes));
