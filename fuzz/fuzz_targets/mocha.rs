//! Any bytes are read as Mocha's JSON: never a panic, and the same from one piece as from many.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::test_formats::mocha;

fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_tests(mocha::read, bytes));
