//! Exporters against the real receivers, and against receivers that misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says when it was skipped"
)]

mod batching;
mod bucket;
mod influxdb;
mod misbehaving;
mod otlp;
mod prometheus;
mod records;
mod round_trip;
mod scripted;
mod settings;
mod statsd;
mod world;
