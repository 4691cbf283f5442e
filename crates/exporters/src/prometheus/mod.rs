//! Prometheus: its Pushgateway, and its remote-write.

mod exposition;
mod pushgateway;
mod remote_write;
mod series;

pub(crate) use pushgateway::Pushgateway;
pub(crate) use remote_write::RemoteWrite;
