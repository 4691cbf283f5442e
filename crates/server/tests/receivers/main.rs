//! The doors for senders of other systems, with those senders: InfluxDB's and StatsD's clients for Python, Prometheus,
//! and Manometer's own exporters.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says when it was skipped"
)]

mod harness;
mod influxdb;
#[allow(dead_code, reason = "shared with the tests of the exporters, which use the rest")]
#[path = "../../../exporters/tests/it/programs.rs"]
mod programs;
mod remote_write;
mod statsd;
