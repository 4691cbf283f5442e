//! Any bytes are read as Cobertura.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("cobertura", bytes));
