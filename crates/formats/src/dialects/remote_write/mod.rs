//! Prometheus remote-write 1.0: a protobuf message, packed with Snappy's block format.
//!
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/>

pub mod message;
