//! Any bytes are read as times of Make.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("make-times", bytes));
