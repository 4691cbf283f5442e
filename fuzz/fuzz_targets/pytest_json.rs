//! Any bytes are read as pytest-json-report: never a panic, and the same from one piece as from many.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::test_formats::pytest_json;

fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_tests(pytest_json::read, bytes));
