//! Servers of CI providers that are not what they should be.

mod http_server;

pub use http_server::{HttpServer, Manner, Reply, Request};
