//! One file a command.

pub(crate) mod config;
#[cfg(feature = "server")]
pub(crate) mod demo;
#[cfg(feature = "server")]
pub(crate) mod ingest;
#[cfg(feature = "server")]
pub(crate) mod query;
#[cfg(feature = "server")]
pub(crate) mod reference;
#[cfg(feature = "server")]
pub(crate) mod serve;
pub(crate) mod shell;
#[cfg(feature = "server")]
pub(crate) mod store;
#[cfg(feature = "server")]
pub(crate) mod token;
