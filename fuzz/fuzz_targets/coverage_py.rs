//! Any bytes are read as JSON of coverage.py.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("coverage.py", bytes));
