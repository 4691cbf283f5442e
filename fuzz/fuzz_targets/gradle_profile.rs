//! Any bytes are read as a profile of Gradle.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_measured("gradle-profile", bytes));
