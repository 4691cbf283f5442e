//! Any bytes are read as records: never a panic, and what is given survives the way back through JSON.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use manometer_formats::records;
use manometer_model::{Limits, Record};

fuzz_target!(|bytes: &[u8]| {
    let mut given: Vec<Record> = Vec::new();
    let mut sink = |record| {
        given.push(record);
        ControlFlow::Continue(())
    };
    if let Ok(summary) = records::read(&mut &*bytes, &Limits::default(), &mut sink) {
        assert_eq!(summary.records + summary.refused, summary.lines);
        assert_eq!(summary.records, given.len() as u64);
    }
});
