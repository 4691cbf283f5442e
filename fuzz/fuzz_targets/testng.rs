//! Any bytes are read as TestNG's XML: never a panic, and the same from one piece as from many.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::test_formats::testng;

fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_tests(testng::read, bytes));
