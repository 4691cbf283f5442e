//! Any bytes are read as Bazel's build events: never a panic, and the same from one piece as from many.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::test_formats::bazel;

fuzz_target!(|bytes: &[u8]| manometer_fuzz::read_tests(bazel::read, bytes));
