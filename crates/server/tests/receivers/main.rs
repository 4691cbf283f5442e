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
mod remote_write;
mod statsd;
