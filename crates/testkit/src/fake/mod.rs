//! Servers of CI providers that are not what they should be.

mod http_server;
mod moment;
mod provider;

pub use http_server::{HttpServer, Manner, Reply, Request};
pub use provider::{Dialect, FakeProvider, JOBS};
