//! Any bytes are read as a cover profile of Go.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("go-cover", bytes));
