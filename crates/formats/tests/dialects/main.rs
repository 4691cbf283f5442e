//! What the readers of foreign dialects make of what real senders write, of odd input and of garbage.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test that cannot go on fails, and says when it was skipped"
)]

mod line_protocol;
mod python;
mod remote_write;
mod senders;
mod statsd;

use manometer_formats::dialects::Sender;
use manometer_model::Timestamp;

/// When everything here is received.
const RECEIVED: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn sender(provider: &str) -> Sender<'_> {
    Sender { provider, project: "ci", received_at: RECEIVED }
}
