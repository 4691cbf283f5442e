//! One file a command.

pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod ingest;
pub(crate) mod query;
pub(crate) mod reference;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod store;
pub(crate) mod token;
