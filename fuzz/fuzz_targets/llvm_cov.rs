//! Any bytes are read as JSON of llvm-cov.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("llvm-cov", bytes));
