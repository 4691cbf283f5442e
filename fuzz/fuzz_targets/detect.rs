//! Any bytes are looked at: never a panic, and what is taken for a format is read by its reader, which may find it
//! damaged, but neither empty nor without an end.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use manometer_formats::{Kind, ReadError, detect, measured, records, test_report};
use manometer_model::Limits;

fuzz_target!(|bytes: &[u8]| {
    let (mut input, limits) = (bytes, Limits::default());
    let refused = match detect(bytes) {
        Ok(Kind::Tests(format)) => test_report::read_to_vec(format.read, &mut input, &limits).err(),
        Ok(Kind::Measured(format)) => measured::read_to_vec(format.read, &mut input, &limits).err(),
        Ok(Kind::Records) => {
            records::read(&mut input, &limits, &mut |_| ControlFlow::Continue(())).err()
        }
        Err(_) => None,
    };
    assert!(!matches!(refused, Some(ReadError::Empty | ReadError::Io(_))), "{refused:?}");
});
