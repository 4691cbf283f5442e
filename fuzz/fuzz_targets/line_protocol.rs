//! Any bytes are read as line protocol: never a panic, and every line is accounted for.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use manometer_formats::dialects::Sender;
use manometer_formats::dialects::line_protocol::{self, Precision};
use manometer_model::{Limits, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    let sender = Sender { provider: "influxdb", project: "fuzz", received_at: Timestamp::from_seconds(1) };
    let mut given = 0;
    let mut sink = |_| {
        given += 1;
        ControlFlow::Continue(())
    };
    if let Ok(summary) =
        line_protocol::read(&mut &*bytes, &sender, Precision::Nanoseconds, &Limits::default(), &mut sink)
    {
        assert_eq!(summary.records, given);
        assert!(summary.refused <= summary.lines);
        assert!(summary.refused <= summary.problems.total);
    }
});
