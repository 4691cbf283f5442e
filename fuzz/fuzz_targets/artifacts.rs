//! Any bytes are read as a listing of artifacts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("artifacts", bytes));
