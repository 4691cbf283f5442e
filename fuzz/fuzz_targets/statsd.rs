//! Any bytes are read as a StatsD datagram: never a panic, and every line is accounted for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::dialects::{Sender, statsd};
use manometer_model::{Limits, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    let sender = Sender { provider: "statsd", project: "fuzz", received_at: Timestamp::from_seconds(1) };
    let mut given = 0;
    let summary = statsd::read(bytes, &sender, &Limits::default(), &mut |sample| {
        assert!(sample.value.is_finite());
        given += 1;
    });
    assert_eq!(summary.samples, given);
    assert!(summary.refused + summary.events + summary.service_checks <= summary.lines);
});
