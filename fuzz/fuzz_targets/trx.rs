//! Any bytes are read as TRX: never a panic, and the same from one piece as from many.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::test_formats::trx;

fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_tests(trx::read, bytes));
