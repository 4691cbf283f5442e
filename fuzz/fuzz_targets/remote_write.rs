//! Any bytes are read as a remote-write request, as they are and packed: never a panic, never a value that is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use manometer_formats::dialects::{Sender, remote_write};
use manometer_model::{Limits, Timestamp};

const MOST_BYTES: usize = 1024 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let sender = Sender { provider: "prometheus", project: "fuzz", received_at: Timestamp::from_seconds(1) };
    let packed = snap::raw::Encoder::new().compress_vec(bytes).unwrap_or_default();
    for body in [bytes, &packed] {
        let mut given = 0;
        let read = remote_write::read(body, &sender, &Limits::default(), MOST_BYTES, &mut |sample| {
            assert!(sample.value.is_finite());
            given += 1;
        });
        if let Ok(summary) = read {
            assert_eq!(summary.samples, given);
        }
    }
});
