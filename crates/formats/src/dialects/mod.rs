//! What other systems' senders speak: InfluxDB line protocol, StatsD, Prometheus remote-write.

pub mod remote_write;
